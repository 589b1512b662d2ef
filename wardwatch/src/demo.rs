//! `wardwatch demo`: the whole product on captures that this project recorded from real medical and building software,
//! and a tour of what came out.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use wardwatch_sensor::config::InputConfig;
use wardwatch_service::shutdown;

use crate::engine::Database;
use crate::folder::Folder;
use crate::platform::{Plan, Platform};
use crate::progress::{Progress, say};
use crate::read;
use crate::table::{ListFormat, print};
use crate::up::start_logging;

mod captures;
mod load;
mod throughput;
mod tour;

/// Marks a folder as one that the demo made and may clear.
const MARK: &str = "made-by-wardwatch-demo";

/// Show the product: plays recorded captures through every service and ends with the inventory and why it is believed,
/// the scores and what they are made of, the alerts, the throughput, and how to ask for more.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Leave everything running until it is interrupted
    #[arg(long)]
    keep: bool,
    /// Folder for the demo's data, cleared at each start [default: $XDG_DATA_HOME/wardwatch-demo]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Flow records in the throughput measurement; 0 leaves it out
    #[arg(long, value_name = "COUNT", default_value_t = 200_000)]
    load: u32,
    /// Which logs go to standard error
    #[arg(long, value_name = "FILTER", default_value = "warn", env = "WARDWATCH_LOG")]
    log: String,
}

/// Runs the command.
pub(crate) async fn run(arguments: Demo) -> anyhow::Result<()> {
    let logging = start_logging(&arguments.log)?;
    let path = match &arguments.data {
        Some(path) => path.clone(),
        None => default_path()?,
    };
    cleared(&path)?;
    let folder = Folder::at(path.clone());
    say("starting ClickHouse");
    let database = Database::own(&folder).await?;
    let shown = show(&arguments, &folder, &path, &database).await;
    let closed = database.close().await;
    logging.stop().await;
    shown?;
    closed
}

async fn show(arguments: &Demo, folder: &Folder, path: &Path, database: &Database) -> anyhow::Result<()> {
    let files = captures::unpacked(&path.join("captures"))?;
    let plan = Plan {
        site: "demo-hospital".to_owned(),
        sensor: "mirror-port".to_owned(),
        input: InputConfig { files, ..InputConfig::default() },
    };
    say("playing captures of a small hospital through sensor, collector, enricher and alerter");
    let mut platform = Platform::start(&plan, folder, &database.store).await?;
    shutdown::on_signals(platform.watching().clone()).context("cannot listen for signals")?;
    let progress = Progress::of("demo", platform.counters().clone());
    platform.watched().await??;
    platform.settled().await?;
    drop(progress);

    print("\nTHE INVENTORY: what is on the network\n")?;
    read::print_devices(database, "1", ListFormat::Table).await?;
    tour::print_why(database).await?;
    tour::print_page(database).await?;
    tour::print_scores(database).await?;
    print("\nALERTS: what is wrong\n")?;
    read::print_alerts(database, "1", ListFormat::Table).await?;
    if arguments.load > 0 {
        throughput::print_measured(arguments.load, path, &database.url).await?;
    }
    tour::print_questions(path, &database.url)?;
    if arguments.keep {
        say(&format!("running until Ctrl-C; sensors reach the collector at {}", platform.collector()));
        platform.watching().cancelled().await;
    }
    platform.stop().await
}

fn default_path() -> anyhow::Result<PathBuf> {
    let beside = Folder::default_path()?;
    Ok(beside.with_file_name("wardwatch-demo"))
}

/// An empty folder; one with other contents than a former demo's is left alone.
fn cleared(path: &Path) -> anyhow::Result<()> {
    let mark = path.join(MARK);
    if path.exists() && !mark.exists() {
        let mut entries =
            std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::ensure!(
            entries.next().is_none(),
            "{} was not made by the demo and is not empty: name another folder with --data DIR",
            path.display()
        );
    }
    for part in ["clickhouse", "bus", "captures", "load"] {
        let part = path.join(part);
        if part.exists() {
            std::fs::remove_dir_all(&part).with_context(|| format!("cannot clear {}", part.display()))?;
        }
    }
    std::fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    std::fs::write(&mark, "").with_context(|| format!("cannot write {}", mark.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_other_contents_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("clickhouse")).expect("a folder of someone's");
        let error = cleared(folder.path()).expect_err("it is not the demo's");
        assert!(error.to_string().contains("was not made by the demo"), "{error}");
        assert!(folder.path().join("clickhouse").exists());
    }

    #[test]
    fn what_a_former_demo_left_is_cleared() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        cleared(folder.path()).expect("empty");
        std::fs::create_dir(folder.path().join("bus")).expect("left by a former demo");
        cleared(folder.path()).expect("the demo's own");
        assert!(!folder.path().join("bus").exists());
    }
}
