//! How many flow records a second go from capture to queryable row on this machine, and how many ClickHouse alone takes
//! of the very same rows in the same run.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::HumanCount;
use wardwatch_sensor::config::InputConfig;
use wardwatch_store::{Settings, Store};

use super::load;
use crate::folder::Folder;
use crate::platform::{Plan, Platform};
use crate::progress::{Progress, say};
use crate::table::print;

/// Rows in one insert of the comparison, as the enricher makes them at most.
const BLOCK: u64 = 100_000;

/// Measures in a database and a log of its own, so that the demo's inventory stays as it is, and prints the result.
pub(super) async fn print_measured(flows: u32, path: &Path, url: &str) -> anyhow::Result<()> {
    say(&format!("measuring with {} flows", HumanCount(u64::from(flows))));
    let folder = path.join("load");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let capture = folder.join("load.pcap");
    load::write(&capture, flows).with_context(|| format!("cannot write {}", capture.display()))?;
    let settings =
        Settings { url: url.to_owned(), database: "wardwatch_load".to_owned(), ..Settings::default() };
    let store = Store::connect(&settings)?;
    let measured = measure(&capture, &folder, &store).await;
    store.drop_database().await?;
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    let Measured { rows, path_took, alone_took } = measured?;
    let rate = |took: Duration| HumanCount(rows * 1000 / (took.as_millis() as u64).max(1));
    print(&format!(
        "\nTHROUGHPUT: {} flow records, decoding, log, enrichment and storage on the cores of this machine\n
  from capture to queryable row  {:>9} records a second ({:.1} s)
  ClickHouse alone, same rows    {:>9} rows a second ({:.1} s)",
        HumanCount(rows),
        rate(path_took),
        path_took.as_secs_f64(),
        rate(alone_took),
        alone_took.as_secs_f64(),
    ))
}

struct Measured {
    rows: u64,
    path_took: Duration,
    alone_took: Duration,
}

async fn measure(capture: &Path, folder: &Path, store: &Store) -> anyhow::Result<Measured> {
    store.drop_database().await?;
    let plan = Plan {
        site: "load".to_owned(),
        sensor: "load".to_owned(),
        input: InputConfig { files: vec![capture.to_owned()], ..InputConfig::default() },
    };
    store.migrate().await?;
    let begun = Instant::now();
    let mut platform = Platform::start(&plan, &Folder::at(folder.to_owned()), store).await?;
    let progress = Progress::of("load", platform.counters().clone());
    platform.watched().await??;
    platform.settled().await?;
    let path_took = begun.elapsed();
    drop(progress);
    platform.stop().await?;
    let rows = store.text("SELECT count() FROM flows", "TabSeparated").await?;
    let rows: u64 = rows.trim().parse().context("ClickHouse gave a count that is no number")?;
    Ok(Measured { rows, path_took, alone_took: alone(store, rows).await? })
}

/// The same rows once more, from memory, one block after the other.
async fn alone(store: &Store, rows: u64) -> anyhow::Result<Duration> {
    store.execute("CREATE TABLE flows_alone AS flows").await?;
    let mut took = Duration::ZERO;
    for first in (0..rows).step_by(BLOCK as usize) {
        let block = format!(
            "SELECT * FROM flows ORDER BY source_partition, source_offset, source_index LIMIT {BLOCK} OFFSET {first}"
        );
        let block = store.bytes(&block, "RowBinary").await?;
        let begun = Instant::now();
        store.insert_bytes("flows_alone", "RowBinary", block).await?;
        took += begun.elapsed();
    }
    Ok(took)
}
