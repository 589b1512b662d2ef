//! For each guard against writing twice a run in which nothing else helps: with the guard it ends like a run without faults,
//! without it it must not.
//!
//! | guard | what happens | why no other guard helps |
//! |---|---|---|
//! | mark | the enricher dies between a range's outputs and its memory; the server forgets the tokens; it is started again | the plan repeats the same cut, but nobody remembers its token |
//! | token | the enricher dies with an insert on the way, past the check; another takes over and writes the same range; then the rest of the insert comes | the check was passed before the claim, and the mark was read before the rows were there |
//! | plan | the same, and the other enricher would cut the range elsewhere | the token names another range |
//! | epoch | the enricher dies with an insert on the way that the server has not begun with; another takes over; the server forgets the tokens; then the insert comes | the mark was read before the rows were there, and nobody remembers the token |

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wardwatch_faults::Guard;

use crate::detour::{Hold, Through};
use crate::plan::{Action, Blow, Fault, Instance, Plan, Service, Side, When};
use crate::stage::Log;

/// A guard by its name, for the command line and the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// The highest position that a table holds.
    Mark,
    /// What the server drops the second time.
    Token,
    /// The recorded cut.
    Plan,
    /// The fence against former owners.
    Epoch,
}

impl Named {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mark, Self::Token, Self::Plan, Self::Epoch];

    /// As the environment of a service calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mark => Guard::Mark.name(),
            Self::Token => Guard::Token.name(),
            Self::Plan => Guard::Plan.name(),
            Self::Epoch => Guard::Epoch.name(),
        }
    }
}

/// The run in which this guard is what saves the day; on the log of large batches.
pub fn directed(guard: Named) -> Plan {
    match guard {
        Named::Mark => {
            let mut victim = enricher(1, 1000);
            let lethal = Fault { point: "enricher.state-before".to_owned(), hit: 2, action: Action::Kill };
            victim.lives = vec![vec![lethal]];
            victim.rest = Some(Duration::from_secs(3));
            let roll = (When::Fired(victim.name.clone(), Duration::from_millis(300)), Blow::RollWindows);
            plan(vec![victim], None, vec![roll])
        }
        // The other one would cut like the first, so that the plan is not needed.
        Named::Token => late(Through::AllButTheEnd, 1000, false),
        Named::Plan => late(Through::AllButTheEnd, 1400, false),
        Named::Epoch => late(Through::Nothing, 1000, true),
    }
}

/// The second insert of an owner is late: it dies, another with so many rows in a range takes over and works on all there is,
/// and then the rest of the insert comes.
fn late(through: Through, others_rows: usize, forgotten: bool) -> Plan {
    let late = Instance { rest: None, by_detour: true, ..enricher(1, 1000) };
    let other = Instance { begins: None, ..enricher(2, others_rows) };
    let mut blows = vec![
        (When::Caught(Duration::ZERO), Blow::Kill(late.name.clone())),
        (When::Caught(Duration::ZERO), Blow::Begin(other.name.clone())),
    ];
    if forgotten {
        blows.push((When::Enriched, Blow::RollWindows));
    }
    blows.push((When::Enriched, Blow::Release));
    plan(vec![late, other], Some(Hold { table: "flows".to_owned(), number: 2, through }), blows)
}

fn enricher(number: usize, rows: usize) -> Instance {
    Instance {
        rows,
        // Ranges are cut by rows alone, so that both sides cut where they are meant to.
        age: Duration::from_secs(2),
        ..Instance::new(Service::Enricher, number)
    }
}

fn plan(mut instances: Vec<Instance>, hold: Option<Hold>, blows: Vec<(When, Blow)>) -> Plan {
    let calm = Plan::calm(Log::Kafka, Side::After);
    instances.extend(calm.instances.into_iter().filter(|instance| instance.service == Service::Alerter));
    Plan { instances, blows, hold, ..calm }
}
