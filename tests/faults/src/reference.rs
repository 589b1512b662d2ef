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
use crate::plan::{Plan, Side};
use crate::stage::{Log, Stage};
use crate::{run, subject, upstream};

/// The content that a run is to have.
pub async fn of(facts: &FactsLog, plan: &Plan) -> Result<Content> {
    // Of several tests in one program the first one works it out.
    static ONE: Mutex<()> = Mutex::const_new(());
    let _one = ONE.lock().await;
    let path = place(facts, plan.side, plan.log)?;
    if let Ok(kept) = fs::read(&path) {
        return serde_json::from_slice(&kept).with_context(|| format!("read {}", path.display()));
    }
    // Every kind of log is to end in the same, so one of them tells for both.
    let calm = Plan::calm(Log::Kafka, plan.side);
    let stage = Stage::set(calm.log, facts).await?;
    let (report, ended) = run::carry_out(&stage, facts, &calm).await?;
    ended.context("a run without faults")?;
    ensure!(report.misbehaved.is_empty(), "a run without faults: {}", report.misbehaved.join("; "));
    for log in [Log::Kafka, Log::Embedded] {
        let content = match plan.side {
            Side::After => given(&stage, facts, log).await,
            Side::Before => made(&stage, &calm).await,
        };
        keep(&place(facts, plan.side, log)?, &content.context("a run without faults")?)?;
    }
    let kept = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    Ok(serde_json::from_slice(&kept)?)
}

/// What came of facts that were given.
async fn given(stage: &Stage, facts: &FactsLog, log: Log) -> Result<Content> {
    check(stage, facts).await?;
    let (content, _) = content::read(stage, log).await?;
    let letters = content.kinds.get(topic::DEADLETTER).map_or(0, Vec::len);
    ensure!(letters == facts.unreadable, "{letters} dead letters instead of {}", facts.unreadable);
    Ok(content)
}

/// What came of facts that sensors made.
async fn made(stage: &Stage, calm: &Plan) -> Result<Content> {
    let found = upstream::examine(stage, calm).await?;
    ensure!(
        found.wrong.is_empty() && found.is_whole,
        "the sensors did not state all: {}",
        found.wrong.join("; ")
    );
    upstream::content(stage).await
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

fn place(facts: &FactsLog, side: Side, log: Log) -> Result<PathBuf> {
    let of = match side {
        Side::After => facts.digest(),
        Side::Before => "sensors".to_owned(),
    };
    let scope = match log {
        Log::Kafka => "kafka",
        Log::Embedded => "embedded",
    };
    let name = format!("reference-{of}-{}-{scope}.json", subject::build_id()?);
    Ok(folder()?.join(name))
}

fn keep(path: &Path, content: &Content) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, serde_json::to_vec(content)?)
        .with_context(|| format!("write {}", unfinished.display()))?;
    fs::rename(&unfinished, path).with_context(|| format!("write {}", path.display()))
}
