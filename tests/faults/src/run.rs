//! Carries a plan out, until everything that lies in the log has been worked on.

mod actor;
mod settled;
mod told;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::detour::Detour;
use crate::facts::FactsLog;
use crate::plan::{Blow, Plan, When};
use crate::stage::Stage;
use crate::subject::Passed;
use actor::Actor;
use settled::Watch;

/// How long all may take, whatever befalls them. Longer than any seed takes on a busy machine; who takes this long hangs.
const PATIENCE: Duration = Duration::from_mins(10);
/// How often everybody is looked at.
const LOOK: Duration = Duration::from_millis(15);
/// How long after the last fault it is too early to ask whether all is settled.
const CALM: Duration = Duration::from_millis(500);

/// What came of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// What the processes did at their points, all together.
    pub passed: Passed,
    /// How many processes there were, killed or not.
    pub processes: usize,
    /// From the first start to the last end, in seconds.
    pub seconds: f64,
    /// Services that ended although nobody killed or stopped them, and what else must not be.
    pub misbehaved: Vec<String>,
}

/// Carries it out, until everything is settled and all have stopped in order; gives what happened, and whether they came to
/// that end.
///
/// # Errors
/// When what the processes wrote about themselves cannot be read.
pub async fn carry_out(stage: &Stage, facts: &FactsLog, plan: &Plan) -> Result<(Report, Result<()>)> {
    let detour = match &plan.hold {
        Some(hold) => Some(Detour::open(stage.server_address()?, hold.clone()).await?),
        None => None,
    };
    let actors = plan.instances.iter().map(|instance| Actor::new(stage, plan, instance, detour.as_ref()));
    let mut run = Run {
        stage,
        actors: actors.map(|actor| (actor.name().to_owned(), actor)).collect(),
        detour,
        due: plan.blows.clone(),
        engines: JoinSet::new(),
        begun: Instant::now(),
        working_since: None,
        troubled: Instant::now(),
        watch: Watch::new(stage, facts, plan),
    };
    let outcome = run.until_settled().await;
    let mut report = Report { seconds: run.begun.elapsed().as_secs_f64(), ..Report::default() };
    for actor in run.actors.values_mut() {
        actor.report(&mut report)?;
    }
    Ok((report, outcome))
}

struct Run<'a> {
    stage: &'a Stage,
    actors: BTreeMap<String, Actor<'a>>,
    detour: Option<Detour>,
    due: Vec<(When, Blow)>,
    /// Engines that are being killed and started again.
    engines: JoinSet<Result<()>>,
    begun: Instant,
    /// When the first range was stored: the time that blows count from.
    working_since: Option<Instant>,
    /// When something befell somebody last.
    troubled: Instant,
    watch: Watch<'a>,
}

impl<'a> Run<'a> {
    async fn until_settled(&mut self) -> Result<()> {
        loop {
            self.look_at_actors()?;
            while let Some(engine) = self.engines.try_join_next() {
                engine.context("an engine's restart panicked")??;
                self.troubled = Instant::now();
            }
            self.strike().await?;
            if self.is_calm()
                && self.watch.is_settled(self.working_since.is_some()).await?
                && self.end().await?
            {
                return Ok(());
            }
            if self.working_since.is_none() && self.watch.has_begun().await {
                self.working_since = Some(Instant::now());
            }
            if self.begun.elapsed() > PATIENCE {
                let how_far = self.watch.how_far().await;
                let states: Vec<String> = self.actors.values_mut().map(Actor::describe).collect();
                bail!("nothing is settled after {PATIENCE:?}: {how_far}; {}", states.join("; "));
            }
            sleep(LOOK).await;
        }
    }

    fn look_at_actors(&mut self) -> Result<()> {
        for actor in self.actors.values_mut() {
            if actor.look(self.begun.elapsed())? {
                self.troubled = Instant::now();
            }
        }
        Ok(())
    }

    /// Does what is due.
    async fn strike(&mut self) -> Result<()> {
        let waits_for_all = self.due.iter().any(|(when, _)| *when == When::Enriched);
        let is_enriched = waits_for_all && self.watch.is_enriched().await;
        let due = |when: &When| match when {
            When::After(time) => self.working_since.is_some_and(|since| since.elapsed() >= *time),
            When::Fired(name, time) => {
                self.actors.get(name).and_then(Actor::fired).is_some_and(|at| at.elapsed() >= *time)
            }
            When::Caught(time) => {
                let caught = self.detour.as_ref().and_then(Detour::caught);
                caught.is_some_and(|at| at.elapsed() >= *time)
            }
            When::Enriched => is_enriched,
        };
        // What asks the server something waits until it is there.
        let can = |blow: &Blow| *blow != Blow::RollWindows || self.engines.is_empty();
        let next = self.due.iter().position(|(when, blow)| due(when) && can(blow));
        let Some(place) = next else { return Ok(()) };
        let (_, blow) = self.due.remove(place);
        self.troubled = Instant::now();
        match blow {
            Blow::Kill(name) => self.actor(&name)?.kill(),
            Blow::Restart(name) => self.actor(&name)?.restart(),
            Blow::Stop(name, time) => self.actor(&name)?.stop(time),
            Blow::Begin(name) => self.actor(&name)?.begin(),
            Blow::Broker(down) => {
                self.engines.spawn(self.stage.kill_broker(down));
                Ok(())
            }
            Blow::StopBroker(time) => {
                self.engines.spawn(self.stage.stop_broker(time));
                Ok(())
            }
            Blow::Server(down) => {
                self.engines.spawn(self.stage.kill_server(down));
                Ok(())
            }
            Blow::Release => self.detour.as_ref().context("the plan holds nothing back")?.release().await,
            Blow::RollWindows => self.stage.roll_windows().await,
        }
    }

    fn actor(&mut self, name: &str) -> Result<&mut Actor<'a>> {
        self.actors.get_mut(name).with_context(|| format!("the plan has no {name}"))
    }

    /// Whether there is nothing more to come, and everybody runs.
    fn is_calm(&self) -> bool {
        // What waits for an insert that was never made has nothing to wait for.
        let is_caught = self.detour.as_ref().is_some_and(|detour| detour.caught().is_some());
        self.due.iter().all(|(when, _)| matches!(when, When::Caught(_)) && !is_caught)
            && self.engines.is_empty()
            && self.troubled.elapsed() > CALM
            && self.actors.values().all(Actor::is_calm)
    }

    /// Stops everybody in order. False when there turns out to be work left; they go on then.
    async fn end(&mut self) -> Result<bool> {
        for actor in self.actors.values_mut() {
            actor.restart()?;
        }
        let asked = Instant::now();
        while !self.actors.values_mut().all(Actor::has_ended) {
            ensure!(asked.elapsed() < actor::STOP, "not everybody stopped within {:?}", actor::STOP);
            sleep(LOOK).await;
        }
        if self.watch.is_done().await? {
            return Ok(true);
        }
        for actor in self.actors.values_mut() {
            actor.go_on();
        }
        Ok(false)
    }
}
