//! An instance in its lives.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Report;
use super::told::Told;
use crate::detour::Detour;
use crate::plan::{Action, Instance, Plan, Service};
use crate::stage::Stage;
use crate::subject::{Passed, Subject, was_killed, was_terminated};

/// How long an orderly stop may take: the services' own grace, and some.
pub(super) const STOP: Duration = Duration::from_secs(30);
/// How much of what a process said goes into a report, in characters.
const TAIL: usize = 1500;

/// An instance, whatever process it is now.
pub(super) struct Actor<'a> {
    stage: &'a Stage,
    told: Told<'a>,
    instance: &'a Instance,
    state: State,
    /// Those that have ended.
    past: Vec<Subject>,
    /// When a point fired last.
    fired: Option<Instant>,
    misbehaved: Vec<String>,
}

enum State {
    /// Not started yet.
    Waiting,
    Running(Process),
    /// To be started again.
    Down {
        since: Instant,
    },
    /// Stopped for good.
    Ended,
}

struct Process {
    subject: Subject,
    /// It was told to end.
    asked: bool,
    /// It is stopped, until then.
    stopped_until: Option<Instant>,
    /// For how long a stop at a point holds it.
    stops: Vec<Duration>,
}

impl<'a> Actor<'a> {
    /// `detour` is another way to ClickHouse, for one who takes it.
    pub(super) fn new(
        stage: &'a Stage,
        plan: &'a Plan,
        instance: &'a Instance,
        detour: Option<&Detour>,
    ) -> Self {
        Self {
            stage,
            told: Told::new(stage, plan, detour.filter(|_| instance.by_detour)),
            instance,
            state: State::Waiting,
            past: Vec::new(),
            fired: None,
            misbehaved: Vec::new(),
        }
    }

    pub(super) fn name(&self) -> &'a str {
        &self.instance.name
    }

    /// Brings its state up to date; whether something befell it.
    pub(super) fn look(&mut self, elapsed: Duration) -> Result<bool> {
        let is_due = match &mut self.state {
            State::Waiting => self.instance.begins.is_some_and(|begins| elapsed >= begins),
            State::Down { since } => self.instance.rest.is_some_and(|rest| since.elapsed() >= rest),
            State::Ended => false,
            State::Running(process) => {
                if let Some(status) = process.subject.ended()? {
                    self.has_fallen(status);
                    return Ok(true);
                }
                return self.look_at_stops();
            }
        };
        if is_due {
            self.begin()?;
        }
        Ok(is_due)
    }

    /// Lets it go on when it was stopped long enough; sees whether it has stopped itself at a point.
    fn look_at_stops(&mut self) -> Result<bool> {
        let State::Running(process) = &mut self.state else { return Ok(false) };
        match process.stopped_until {
            Some(until) if Instant::now() < until => Ok(false),
            Some(_) => {
                process.stopped_until = None;
                process.subject.go_on()?;
                Ok(true)
            }
            None if process.subject.is_stopped() => {
                let time = if process.stops.is_empty() { Duration::ZERO } else { process.stops.remove(0) };
                process.stopped_until = Some(Instant::now() + time);
                self.fired = Some(Instant::now());
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Starts its next process.
    pub(super) fn begin(&mut self) -> Result<()> {
        if !matches!(self.state, State::Waiting | State::Down { .. }) {
            return Ok(());
        }
        let life = self.past.len();
        let faults = self.instance.lives.get(life).cloned().unwrap_or_default();
        let name = format!("{}.{}", self.instance.name, life + 1);
        let service = self.instance.service.name();
        let told = self.told.to(self.instance, life, &faults);
        let subject = Subject::start(service, self.stage.folder(), &name, told)?;
        let stops = faults.iter().filter_map(|fault| match fault.action {
            Action::Stop(time) => Some(time),
            Action::Kill | Action::Stall(_) => None,
        });
        let process = Process { subject, asked: false, stopped_until: None, stops: stops.collect() };
        self.state = State::Running(process);
        Ok(())
    }

    pub(super) fn kill(&mut self) -> Result<()> {
        if let State::Running(process) = &mut self.state {
            process.subject.kill()?;
        }
        Ok(())
    }

    /// Asks it to stop in order; it is started again when it has.
    pub(super) fn restart(&mut self) -> Result<()> {
        if let State::Running(process) = &mut self.state {
            process.asked = true;
            process.subject.terminate()?;
        }
        Ok(())
    }

    pub(super) fn stop(&mut self, time: Duration) -> Result<()> {
        if let State::Running(process) = &mut self.state
            && process.stopped_until.is_none()
        {
            process.subject.stop()?;
            process.stopped_until = Some(Instant::now() + time);
        }
        Ok(())
    }

    /// When a fault fired last, or it ended otherwise.
    pub(super) fn fired(&self) -> Option<Instant> {
        self.fired
    }

    /// Whether it runs and nothing is on its way. A sensor ends by itself; until then it has something to state, however long it
    /// takes to begin.
    pub(super) fn is_calm(&self) -> bool {
        match &self.state {
            State::Running(_) if self.instance.service == Service::Sensor => false,
            State::Running(process) => !process.asked && process.stopped_until.is_none(),
            // One that was never begun is not missed.
            State::Waiting => self.instance.begins.is_none(),
            State::Ended => true,
            State::Down { .. } => self.instance.rest.is_none(),
        }
    }

    /// Whether it has ended for good, after it was asked to.
    pub(super) fn has_ended(&mut self) -> bool {
        if let State::Running(process) = &mut self.state
            && let Ok(Some(status)) = process.subject.ended()
        {
            self.has_fallen(status);
        }
        if let State::Down { .. } = self.state {
            self.state = State::Ended;
        }
        matches!(self.state, State::Ended | State::Waiting)
    }

    /// Is to be started again after all.
    pub(super) fn go_on(&mut self) {
        if let State::Ended = self.state {
            self.state = State::Down { since: Instant::now() };
        }
    }

    /// Whether this was the last of what it has to do: a sensor that has played all and got rid of all.
    fn is_done(&self, status: ExitStatus) -> bool {
        self.instance.service == Service::Sensor
            && status.success()
            && self.past.len() + 1 >= self.instance.plays.len()
    }

    fn has_fallen(&mut self, status: ExitStatus) {
        let is_done = self.is_done(status);
        let state = std::mem::replace(&mut self.state, State::Down { since: Instant::now() });
        let State::Running(process) = state else { return };
        self.fired = Some(Instant::now());
        let name = &self.instance.name;
        let said = process.subject.said();
        // A sensor ends by itself when it has played its captures.
        let as_asked = (process.asked || self.instance.service == Service::Sensor) && status.success();
        // Asked before it came to listen for that, it has not begun either, and says nothing.
        let had_not_begun = process.asked && said.is_empty() && was_terminated(status);
        if !(as_asked || had_not_begun || was_killed(status)) {
            self.misbehaved.push(format!("{name} ended with {status}: {}", tail(&said)));
        } else if said.contains("panicked at") {
            self.misbehaved.push(format!("{name} panicked: {}", tail(&said)));
        }
        self.past.push(process.subject);
        if is_done {
            self.state = State::Ended;
        } else if self.instance.service == Service::Sensor
            && was_killed(status)
            && let Err(error) = self.stage.keep_spool(name, self.past.len())
        {
            self.misbehaved.push(format!("{name}: its spool cannot be looked at: {error:#}"));
        }
    }

    /// What it is up to, for an error.
    pub(super) fn describe(&mut self) -> String {
        let name = &self.instance.name;
        match &mut self.state {
            State::Waiting => format!("{name} was not started"),
            State::Down { since } => format!("{name} is down since {:?}", since.elapsed()),
            State::Ended => format!("{name} has ended"),
            State::Running(process) => {
                let said = process.subject.said();
                format!("{name} runs (stopped: {}): {}", process.subject.is_stopped(), tail(&said))
            }
        }
    }

    /// Adds what all its processes did.
    pub(super) fn report(&mut self, report: &mut Report) -> Result<()> {
        let now = match &self.state {
            State::Running(process) => Some(&process.subject),
            _ => None,
        };
        for subject in self.past.iter().chain(now) {
            let Passed { hits, fired } = subject.passed()?;
            for (point, number) in hits {
                *report.passed.hits.entry(point).or_default() += number;
            }
            report.passed.fired.extend(fired);
            report.processes += 1;
        }
        report.misbehaved.append(&mut self.misbehaved);
        Ok(())
    }
}

/// The end of what a process said.
fn tail(said: &str) -> String {
    let from = said.char_indices().rev().nth(TAIL).map_or(0, |(place, _)| place);
    said[from..].trim().to_owned()
}
