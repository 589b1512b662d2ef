//! The hops of the data path, in its order, and what has to hold at each.
//!
//! Within a process its counters are compared with each other; they begin anew with it. Between hops only what lasts is
//! compared: offsets of the log, the ledgers that are stored with the services' memory, what has come of each boot of a
//! sensor, rows. So a restart breaks no sum. Every function here is pure.

mod alerter;
mod collector;
mod enricher;
mod sensor;
mod tables;
mod topics;

use std::time::Duration;

use super::hop::Hop;
use super::readings::Readings;

/// When something counts as wrong.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// More messages than this waiting for a service deserve a word.
    pub(crate) lag: u64,
    /// Losses before the log that are older than this are known by now.
    pub(crate) recent: Duration,
}

/// All hops, in the order of the data path. What was read `before` tells what moves from what stands still.
pub(crate) fn all(now: &Readings, before: Option<&Readings>, limits: &Limits) -> Vec<Hop> {
    let mut hops = unreadable(now);
    for service in &now.services {
        let Ok(answer) = &service.answer else { continue };
        hops.extend(sensor::hops(&service.url, answer));
        hops.extend(collector::hops(&service.url, answer));
    }
    if let Some(tables) = now.tables() {
        hops.extend(sensor::to_the_log(now, tables, limits));
        hops.extend(now.log().map(|log| topics::facts(log, tables, before, limits)));
        hops.extend(enricher::hops(tables));
        hops.extend(tables::of_the_enricher(tables));
        hops.extend(now.log().map(|log| topics::events(log, tables, before, limits)));
        hops.push(alerter::hops(tables));
        hops.extend(tables::of_the_alerter(tables));
        hops.extend(now.log().into_iter().flat_map(|log| topics::siem(log, tables)));
        hops.extend(now.log().map(|log| topics::dead_letters(log, tables)));
    }
    hops
}

/// Whatever could not be asked, and services that say of themselves that they are not ready.
fn unreadable(now: &Readings) -> Vec<Hop> {
    let mut hops = Vec::new();
    for service in &now.services {
        let hop = Hop::new("service", "").of(&service.url);
        hops.push(match &service.answer {
            Err(reason) => hop.broken(reason),
            Ok(answer) => {
                let checks = answer.checks.iter().filter(|(_, state)| !state.ready);
                checks.fold(hop, |hop, (check, state)| {
                    hop.broken(format!("{check} is not ready: {}", state.detail))
                })
            }
        });
    }
    if let Some(Err(reason)) = &now.log {
        hops.push(Hop::new("log", "").broken(reason));
    }
    if let Some(Err(reason)) = &now.tables {
        hops.push(Hop::new("clickhouse", "").broken(reason));
    }
    hops
}

#[cfg(test)]
mod tests;
