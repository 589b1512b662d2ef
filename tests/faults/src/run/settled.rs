//! Whether everything that lies in the log has been worked on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::timeout;
use wardwatch_bus::Bus;
use wardwatch_proto::topic;

use crate::facts::FactsLog;
use crate::plan::{Plan, Side};
use crate::stage::{Log, Stage};

/// How often the engines are asked.
const ASK: Duration = Duration::from_millis(150);
/// How long an answer may take while engines come and go.
const ANSWER: Duration = Duration::from_secs(3);
/// How long those who work on the embedded log have to be quiet at first before they are thought done: nobody else can ask it
/// where it ends.
const QUIET: Duration = Duration::from_millis(600);

/// Looks at how far services have come.
pub(super) struct Watch<'a> {
    stage: &'a Stage,
    /// Where the facts end, unless sensors still add to them.
    facts: Option<Vec<u64>>,
    asked: Option<Instant>,
    bus: Option<Arc<dyn Bus>>,
    /// How far enrichers and alerters were when they moved last, and when that was.
    moved: ([Vec<u64>; 2], Instant),
    /// How long they have to be quiet. Twice as long each time that they were stopped and had not done all: on a busy machine it
    /// takes longer than [`QUIET`] until they begin.
    quiet: Duration,
}

impl<'a> Watch<'a> {
    pub(super) fn new(stage: &'a Stage, facts: &FactsLog, plan: &Plan) -> Self {
        let facts = (plan.side == Side::After).then(|| facts.ends());
        let moved = (<[Vec<u64>; 2]>::default(), Instant::now());
        Self { stage, facts, asked: None, bus: None, moved, quiet: QUIET }
    }

    /// Whether the work has begun: the first range has been stored, or sensors have been started.
    pub(super) async fn has_begun(&mut self) -> bool {
        let has_any = |reached: Vec<u64>| reached.iter().any(|end| *end > 0);
        self.facts.is_none()
            || self.is_time() && self.stage.reached("enricher_state").await.is_ok_and(has_any)
    }

    /// Whether all facts have been worked on; to be asked where the facts are given.
    pub(super) async fn is_enriched(&mut self) -> bool {
        self.is_time()
            && self.stage.reached("enricher_state").await.is_ok_and(|reached| Some(reached) == self.facts)
    }

    /// Whether all facts and all events have been worked on, as far as can be seen while the services run. Nobody adds facts
    /// any more.
    pub(super) async fn is_settled(&mut self, begun: bool) -> Result<bool> {
        if !begun || !self.is_time() {
            return Ok(false);
        }
        // Engines that are away answer later.
        let Ok(enriched) = self.stage.reached("enricher_state").await else { return Ok(false) };
        if self.facts.as_ref().is_some_and(|ends| *ends != enriched) {
            return Ok(false);
        }
        let Ok(alerted) = self.stage.reached("alerter_state").await else { return Ok(false) };
        match self.stage.log() {
            Log::Kafka => {
                let (facts, events) = (self.ends(topic::FACTS).await, self.ends(topic::EVENTS).await);
                Ok(facts == Some(enriched) && events == Some(alerted))
            }
            Log::Embedded => {
                let now = [enriched, alerted];
                if self.moved.0 != now {
                    self.moved = (now, Instant::now());
                }
                Ok(self.moved.1.elapsed() > self.quiet)
            }
        }
    }

    /// The same once all services have stopped, when the log can be asked whatever it is.
    pub(super) async fn is_done(&mut self) -> Result<bool> {
        let (enriched, alerted) =
            (self.stage.reached("enricher_state").await?, self.stage.reached("alerter_state").await?);
        let (facts, events) = (self.ends(topic::FACTS).await, self.ends(topic::EVENTS).await);
        if self.stage.log() == Log::Embedded {
            // It has one owner.
            self.bus = None;
        }
        let is_done = facts == Some(enriched) && events == Some(alerted);
        if !is_done {
            self.moved.1 = Instant::now();
            self.quiet *= 2;
        }
        Ok(is_done)
    }

    /// Where everybody is, for an error.
    pub(super) async fn how_far(&mut self) -> String {
        let reached =
            |of: Result<Vec<u64>>| of.map_or_else(|error| format!("{error:#}"), |ends| format!("{ends:?}"));
        let enriched = reached(self.stage.reached("enricher_state").await);
        let alerted = reached(self.stage.reached("alerter_state").await);
        let (mut facts, mut events) = (self.facts.clone(), None);
        if self.stage.log() == Log::Kafka {
            (facts, events) = (self.ends(topic::FACTS).await, self.ends(topic::EVENTS).await);
        }
        format!("facts end at {facts:?}, enriched {enriched}; events end at {events:?}, alerted {alerted}")
    }

    /// Where a topic ends; none while the log cannot be asked.
    async fn ends(&mut self, topic: &str) -> Option<Vec<u64>> {
        if self.bus.is_none() {
            self.bus = timeout(ANSWER, self.stage.bus()).await.ok()?.ok();
        }
        let marks = timeout(ANSWER, self.bus.as_ref()?.topic_watermarks(topic)).await.ok()?.ok()?;
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
