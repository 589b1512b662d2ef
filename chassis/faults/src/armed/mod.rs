//! What a test build does at its points.

mod ledger;
mod schedule;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use std::{env, io, process, thread};

use rustix::process::{Signal, getpid, kill_process};

use crate::{Guard, is_point};
use ledger::Ledger;
use schedule::{Action, Schedule};

/// What the environment must not get wrong, and what the services must not.
#[derive(Debug, thiserror::Error)]
enum Mistake {
    #[error("{0} is not text")]
    NotText(&'static str),
    #[error("cannot use WARDWATCH_FAULTS")]
    Schedule(#[from] schedule::Error),
    #[error("WARDWATCH_WITHOUT names no guard {0:?}; there are mark, token, plan and epoch")]
    Guard(String),
    #[error("cannot write the ledger {path}")]
    Ledger { path: String, source: io::Error },
    #[error("a service passed {0:?}, which is not in the list of points")]
    Unlisted(String),
    #[error("cannot send a signal to this process")]
    Signal(#[source] rustix::io::Errno),
}

/// What this process was told, and where it is.
#[derive(Debug)]
struct Armed {
    schedule: Schedule,
    without: Vec<Guard>,
    ledger: Option<Ledger>,
    hits: Mutex<HashMap<String, u64>>,
}

/// A place between two writes, where this process may be killed, stopped or delayed.
pub async fn point(name: &str) {
    if let Some(stall) = hit(name) {
        tokio::time::sleep(stall).await;
    }
}

/// As [`point`], for a name in parts: `point_of(["enricher", ".insert-before:", "flows"])`.
pub async fn point_of<const N: usize>(parts: [&str; N]) {
    point(&parts.concat()).await;
}

/// As [`point`], where nothing can be awaited: a stall holds the thread.
pub fn point_blocking(name: &str) {
    if let Some(stall) = hit(name) {
        thread::sleep(stall);
    }
}

/// Whether a guard is switched off.
pub fn is_off(guard: Guard) -> bool {
    armed().without.contains(&guard)
}

/// Counts the hit and does what is to be done, but for waiting: that is for the caller.
fn hit(name: &str) -> Option<Duration> {
    let stall = armed().hit(name);
    stall.unwrap_or_else(|mistake| give_up(&mistake))
}

fn armed() -> &'static Armed {
    static ARMED: OnceLock<Armed> = OnceLock::new();
    ARMED.get_or_init(|| Armed::from_environment().unwrap_or_else(|mistake| give_up(&mistake)))
}

/// Ends the process, since a test that goes on would say nothing.
fn give_up(mistake: &Mistake) -> ! {
    let mut text = format!("fail points: {mistake}");
    let mut cause = std::error::Error::source(mistake);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    // Where standard error is closed, the status has to be enough.
    let _ = writeln!(io::stderr(), "{text}");
    process::exit(2);
}

impl Armed {
    fn from_environment() -> Result<Self, Mistake> {
        let text = |name: &'static str| match env::var_os(name).map(OsString::into_string) {
            None => Ok(String::new()),
            Some(Ok(text)) => Ok(text),
            Some(Err(_)) => Err(Mistake::NotText(name)),
        };
        let schedule = Schedule::parse(&text("WARDWATCH_FAULTS")?)?;
        let without = guards(&text("WARDWATCH_WITHOUT")?)?;
        let ledger = match text("WARDWATCH_FAULTS_LEDGER")? {
            path if path.is_empty() => None,
            path => Some(Ledger::open(&path).map_err(|source| Mistake::Ledger { path, source })?),
        };
        Ok(Self { schedule, without, ledger, hits: Mutex::default() })
    }

    fn hit(&self, name: &str) -> Result<Option<Duration>, Mistake> {
        let number = self.count(name)?;
        let action = self.schedule.at(name, number);
        if let Some(ledger) = &self.ledger {
            let written = match action {
                Some(action) => ledger.fired(name, number, action),
                None if number.is_power_of_two() => ledger.hit(name, number),
                None => Ok(()),
            };
            written.map_err(|source| Mistake::Ledger { path: ledger.path().to_owned(), source })?;
        }
        match action {
            None => Ok(None),
            Some(Action::Kill) => end_by(Signal::KILL).map(|()| None),
            Some(Action::Stop) => end_by(Signal::STOP).map(|()| None),
            Some(Action::Stall(duration)) => Ok(Some(duration)),
        }
    }

    /// The how-manieth hit this is.
    fn count(&self, name: &str) -> Result<u64, Mistake> {
        let mut hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = hits.get_mut(name) {
            *number += 1;
            return Ok(*number);
        }
        if !is_point(name) {
            return Err(Mistake::Unlisted(name.to_owned()));
        }
        hits.insert(name.to_owned(), 1);
        Ok(1)
    }
}

/// Sends this process a signal, which another thread of it may be the first to take.
fn end_by(signal: Signal) -> Result<(), Mistake> {
    /// Long enough for the signal to reach the thread that sent it, which must not write anything more.
    const UNTIL_IT_ARRIVES: Duration = Duration::from_millis(50);
    kill_process(getpid(), signal).map_err(Mistake::Signal)?;
    thread::sleep(UNTIL_IT_ARRIVES);
    Ok(())
}

fn guards(text: &str) -> Result<Vec<Guard>, Mistake> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            let found = Guard::ALL.into_iter().find(|guard| guard.name() == name);
            found.ok_or_else(|| Mistake::Guard(name.to_owned()))
        })
        .collect()
}
