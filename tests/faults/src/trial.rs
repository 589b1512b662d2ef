//! One run under faults, and what is to be said about it.

use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::content::{self, Repeats};
use crate::facts::FactsLog;
use crate::plan::{Plan, Side};
use crate::run::{self, Report};
use crate::stage::Stage;
use crate::{difference, reference, upstream};

/// How it ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// What is wrong; nothing if it equals the run without faults.
    pub wrong: Option<String>,
    /// What happened.
    pub report: Report,
    /// What came again.
    pub repeats: Repeats,
    /// Whether nothing went with a sensor that was killed, so that all can be compared; always so after the log.
    pub is_whole: bool,
    /// All of it, in seconds.
    pub seconds: f64,
}

/// Carries a plan out and holds what came of it against the run without faults. Where the facts are made by sensors, `facts`
/// are none.
///
/// # Errors
/// When the engines cannot be started. Whatever the services do wrong is in the verdict.
pub async fn held(facts: &FactsLog, plan: &Plan, keep: bool) -> Result<Verdict> {
    let expected = reference::of(facts, plan).await?;
    let begun = Instant::now();
    let stage = Stage::set(plan.log, facts).await?;
    let mut verdict = Verdict {
        wrong: None,
        report: Report::default(),
        repeats: Repeats::default(),
        is_whole: true,
        seconds: 0.0,
    };
    let judged = async {
        let (report, ended) = run::carry_out(&stage, facts, plan).await?;
        verdict.report = report;
        ended?;
        let mut wrong: Vec<String> = verdict.report.misbehaved.clone();
        match plan.side {
            Side::After => {
                let (found, repeats) = content::read(&stage, plan.log).await.context("what was written")?;
                verdict.repeats = repeats;
                wrong.extend(difference::between(&expected, &found));
                wrong.extend(reference::check(&stage, facts).await.err().map(|error| format!("{error:#}")));
            }
            Side::Before => {
                let found = upstream::examine(&stage, plan).await.context("what came")?;
                verdict.repeats.batches = found.resent;
                verdict.is_whole = found.is_whole;
                wrong.extend(found.wrong);
                if found.is_whole {
                    wrong.extend(difference::between(&expected, &upstream::content(&stage).await?));
                }
            }
        }
        anyhow::Ok(wrong)
    };
    let wrong = judged.await.unwrap_or_else(|error| vec![format!("{error:#}")]);
    verdict.seconds = begun.elapsed().as_secs_f64();
    if !wrong.is_empty() {
        verdict.wrong = Some(wrong.join("\n"));
    }
    if keep {
        let folder = stage.keep();
        if let Some(wrong) = &mut verdict.wrong {
            wrong.push_str("\nwhat the services said is in ");
            wrong.push_str(&folder.display().to_string());
        }
    }
    Ok(verdict)
}
