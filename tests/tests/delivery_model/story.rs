//! A path through the model of a partition, told so that a person can follow it.

use std::fmt::Write as _;

use stateright::Path;

use super::owner::Phase;
use super::partition::{Action, Deed, State};
use super::server::{Body, Fate, Insert, TABLES};

/// The owners' names, by number.
const NAMES: [&str; 2] = ["A", "B"];

/// Tells it: one line for each run of steps of one of them.
pub(crate) fn tell(path: Path<State, Action>) -> String {
    let steps = path.into_vec();
    let mut story = String::new();
    let mut who_before = "";
    for ((before, action), (after, _)) in steps.iter().zip(steps.iter().skip(1)) {
        let Some(action) = action else { break };
        let (who, what) = step(before, *action, after);
        // Writing to a string cannot fail.
        let _ =
            if who == who_before { write!(story, ", {what}") } else { write!(story, "\n    {who}: {what}") };
        who_before = who;
    }
    story.push('\n');
    story
}

/// Who does it, and what.
fn step(before: &State, action: Action, after: &State) -> (&'static str, String) {
    match action {
        Action::Do(number, deed) => (NAMES[number], self::deed(before, number, deed, after)),
        Action::Land(insert, fate) => (NAMES[usize::from(insert.by.owner)], landing(&insert, fate)),
        Action::Crash(number) => (NAMES[number], "is killed".into()),
        Action::Kill(None) => ("server", "is killed and restarted".into()),
        Action::Kill(Some(token)) => {
            let (first, last) = (token.range.first, token.range.last);
            let table = TABLES[token.table];
            let what = format!(
                "logs the token of {table} [{first}..{last}] and is killed before it stores the rows"
            );
            ("server", what)
        }
        Action::CutPower => ("server", "loses power, and with it what was not synced".into()),
    }
}

fn deed(before: &State, number: usize, deed: Deed, after: &State) -> String {
    let server = &before.server;
    let phase = &after.owners[number].phase;
    if *phase == Phase::Away {
        return "is refused".into();
    }
    let range = phase.range().map(|range| format!("[{}..{}]", range.first, range.last)).unwrap_or_default();
    match deed {
        Deed::Start => format!("reads the epoch {}", server.highest.epoch),
        Deed::Claim => format!("claims {}", after.owners[number].claim.epoch),
        Deed::Load => format!("loads the memory up to {}", server.end),
        Deed::ReadPlan => match phase {
            Phase::Ready { plan: Some(plan), .. } => {
                format!("finds the plan [{}..{}]", plan.first, plan.last)
            }
            _ => "finds no plan".into(),
        },
        Deed::ReadMarks if server.mark(0) < 0 => "finds no mark in flows".into(),
        Deed::ReadMarks => format!("finds the mark {} in flows", server.mark(0)),
        Deed::Cut(_) => format!("cuts {range}"),
        Deed::Write(table) if after.server.flight.len() == server.flight.len() => {
            format!("has nothing to insert of {range} into {}", TABLES[table])
        }
        Deed::Write(table) => format!("begins to insert {range} into {}", TABLES[table]),
        Deed::Resend(table) => format!("sends {range} into {} again", TABLES[table]),
        Deed::LookAgain => format!("looks whether {range} is there"),
        Deed::Store => format!("begins to store the memory up to the end of {range}"),
    }
}

fn landing(insert: &Insert, fate: Fate) -> String {
    let Insert { by, range, body, .. } = insert;
    let of = format!("[{}..{}] of claim {}", range.first, range.last, by.epoch);
    match body {
        Body::Plan => format!("plan {of} lands"),
        Body::Memory => format!("memory of {of} lands"),
        Body::Rows { token, .. } => {
            let fate = if fate == Fate::Dropped { "is dropped by its token" } else { "LANDS" };
            format!("insert {of} into {} {fate}", TABLES[token.table])
        }
    }
}
