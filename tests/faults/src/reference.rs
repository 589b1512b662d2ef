//! What comes of a log when nothing befalls anybody: what every other run is held against.
//!
//! It is worked out once for a build and a log, and kept in the target folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use tokio::sync::Mutex;
use wardwatch_proto::topic;

use crate::content::{self, Content};
use crate::facts::{FactsLog, FlowIdentity};
use crate::plan::Plan;
use crate::run;
use crate::stage::{Log, Stage};
use crate::subject;

/// The content that a run on this log is to have.
pub async fn of(facts: &FactsLog, log: Log) -> Result<Content> {
    // Of several tests in one program the first one works it out.
    static ONE: Mutex<()> = Mutex::const_new(());
    let _one = ONE.lock().await;
    let path = place(facts, log)?;
    if let Ok(kept) = fs::read(&path) {
        return serde_json::from_slice(&kept).with_context(|| format!("read {}", path.display()));
    }
    // Every kind of log is to end in the same, so one of them tells for both.
    let stage = Stage::set(Log::Kafka, facts).await?;
    let (report, ended) = run::carry_out(&stage, facts, &Plan::calm(Log::Kafka)).await?;
    ended.context("a run without faults")?;
    ensure!(report.misbehaved.is_empty(), "a run without faults: {}", report.misbehaved.join("; "));
    check(&stage, facts).await.context("a run without faults")?;
    for scope in [Log::Kafka, Log::Embedded] {
        let (content, _) = content::read(&stage, scope).await?;
        ensure!(
            content.kinds.get(topic::DEADLETTER).is_some_and(|letters| letters.len() == facts.unreadable),
            "a run without faults does not put aside what cannot be read"
        );
        keep(&place(facts, scope)?, &content)?;
    }
    let kept = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    Ok(serde_json::from_slice(&kept)?)
}

/// The flows of the log are there, each once: known from the log itself, without any run.
pub async fn check(stage: &Stage, facts: &FactsLog) -> Result<()> {
    let mut stored = content::flows(stage).await?;
    stored.sort_unstable();
    let twice = stored.windows(2).filter(|pair| pair[0] == pair[1]).count();
    let missing: Vec<&FlowIdentity> =
        facts.flows.iter().filter(|flow| stored.binary_search(flow).is_err()).collect();
    ensure!(
        twice == 0 && missing.is_empty() && stored.len() == facts.flows.len(),
        "of {} flows {} are missing and {twice} are there twice; {} rows in all; the first missing: {:?}",
        facts.flows.len(),
        missing.len(),
        stored.len(),
        missing.first()
    );
    Ok(())
}

/// The folder for what the suite keeps: `faults` in the target folder.
pub fn folder() -> Result<PathBuf> {
    let program = subject::program()?;
    let target = program.ancestors().nth(2).context("find the target folder")?;
    let folder = target.join("faults");
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(folder)
}

fn place(facts: &FactsLog, log: Log) -> Result<PathBuf> {
    let scope = match log {
        Log::Kafka => "kafka",
        Log::Embedded => "embedded",
    };
    let name = format!("reference-{}-{}-{scope}.json", facts.digest(), subject::build_id()?);
    Ok(folder()?.join(name))
}

fn keep(path: &Path, content: &Content) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, serde_json::to_vec(content)?)
        .with_context(|| format!("write {}", unfinished.display()))?;
    fs::rename(&unfinished, path).with_context(|| format!("write {}", path.display()))
}
