//! Whether everything that lies in the log has been worked on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::timeout;
use wardwatch_bus::Bus;
use wardwatch_proto::topic;

use crate::facts::FactsLog;
use crate::stage::{Log, Stage};

/// How often the engines are asked.
const ASK: Duration = Duration::from_millis(150);
/// How long an answer may take while engines come and go.
const ANSWER: Duration = Duration::from_secs(3);
/// How long the alerter of the embedded log has to be quiet before it is thought done.
const QUIET: Duration = Duration::from_millis(600);

/// Looks at how far services have come.
pub(super) struct Watch<'a> {
    stage: &'a Stage,
    facts: &'a FactsLog,
    asked: Option<Instant>,
    bus: Option<Arc<dyn Bus>>,
    /// How far the alerter was when it moved last, and when that was.
    alerted: (Vec<u64>, Instant),
}

impl<'a> Watch<'a> {
    pub(super) fn new(stage: &'a Stage, facts: &'a FactsLog) -> Self {
        Self { stage, facts, asked: None, bus: None, alerted: (Vec::new(), Instant::now()) }
    }

    /// Whether the first range has been stored.
    pub(super) async fn has_begun(&mut self) -> bool {
        let has_any = |reached: Vec<u64>| reached.iter().any(|end| *end > 0);
        self.is_time() && self.stage.reached("enricher_state").await.is_ok_and(has_any)
    }

    /// Whether all facts have been worked on.
    pub(super) async fn is_enriched(&mut self) -> bool {
        let ends = self.facts.ends();
        self.is_time() && self.stage.reached("enricher_state").await.is_ok_and(|reached| reached == ends)
    }

    /// Whether all facts and all events have been worked on, as far as can be seen while the services run.
    pub(super) async fn is_settled(&mut self, begun: bool) -> Result<bool> {
        if !begun || !self.is_time() {
            return Ok(false);
        }
        // Engines that are away answer later.
        let Ok(enriched) = self.stage.reached("enricher_state").await else { return Ok(false) };
        if enriched != self.facts.ends() {
            return Ok(false);
        }
        let Ok(alerted) = self.stage.reached("alerter_state").await else { return Ok(false) };
        match self.stage.log() {
            Log::Kafka => Ok(self.ends().await.is_some_and(|ends| ends == alerted)),
            Log::Embedded => {
                if self.alerted.0 != alerted {
                    self.alerted = (alerted, Instant::now());
                }
                Ok(self.alerted.1.elapsed() > QUIET)
            }
        }
    }

    /// The same once all services have stopped, when the log can be asked whatever it is.
    pub(super) async fn is_done(&mut self) -> Result<bool> {
        let (enriched, alerted) =
            (self.stage.reached("enricher_state").await?, self.stage.reached("alerter_state").await?);
        let ends = self.ends().await;
        if self.stage.log() == Log::Embedded {
            // It has one owner.
            self.bus = None;
        }
        Ok(enriched == self.facts.ends() && ends.is_some_and(|ends| ends == alerted))
    }

    /// Where everybody is, for an error.
    pub(super) async fn how_far(&mut self) -> String {
        let reached =
            |of: Result<Vec<u64>>| of.map_or_else(|error| format!("{error:#}"), |ends| format!("{ends:?}"));
        let enriched = reached(self.stage.reached("enricher_state").await);
        let alerted = reached(self.stage.reached("alerter_state").await);
        let events = if self.stage.log() == Log::Kafka { self.ends().await } else { None };
        let facts = self.facts.ends();
        format!("facts end at {facts:?}, enriched {enriched}; events end at {events:?}, alerted {alerted}")
    }

    /// Where the events end; none while the log cannot be asked.
    async fn ends(&mut self) -> Option<Vec<u64>> {
        if self.bus.is_none() {
            self.bus = timeout(ANSWER, self.stage.bus()).await.ok()?.ok();
        }
        let marks = timeout(ANSWER, self.bus.as_ref()?.topic_watermarks(topic::EVENTS)).await.ok()?.ok()?;
        Some(marks.iter().map(|marks| marks.end).collect())
    }

    fn is_time(&mut self) -> bool {
        if self.asked.is_some_and(|asked| asked.elapsed() < ASK) {
            return false;
        }
        self.asked = Some(Instant::now());
        true
    }
}
