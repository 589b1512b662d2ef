//! The argument of `docs/delivery.md`, on every interleaving of small cases.
//!
//! - `partition`: claims, plans, marks, tokens, the stored memory; inserts in flight, owners that are killed, stopped, or
//!   replaced without being told, a server that dies
//! - `events`: what is published, and what the alerter judges of it
//! - `resends`: batches between the spool and the log
//!
//! Each holds as the document says, and each guard and each rule is needed: without it there is a counterexample, and the
//! shortest is printed. `cargo test -p wardwatch-tests --test delivery_model -- --nocapture` shows them and how many states
//! there were.

#![forbid(unsafe_code)]

mod events;
mod owner;
mod partition;
mod resends;
mod server;
mod steps;
mod story;

use std::fmt::Debug;
use std::hash::Hash;
use std::io::{Write as _, stdout};

use events::Publishing;
use partition::{Action, Deed, Protocol, Rule};
use resends::{Known, Resends};
use stateright::{Checker, Expectation, HasDiscoveries, Model, Path};

/// Two claimed with the same number; each has cut another range, and the plans of both are in flight.
const TWO_PLANS_IN_FLIGHT: &[Action] = &[
    Action::Do(0, Deed::Start),
    Action::Do(1, Deed::Start),
    Action::Do(0, Deed::Claim),
    Action::Do(0, Deed::Load),
    Action::Do(0, Deed::ReadPlan),
    Action::Do(0, Deed::Cut(0)),
    Action::Crash(0),
    Action::Do(1, Deed::Claim),
    Action::Do(1, Deed::Load),
    Action::Do(1, Deed::ReadPlan),
    Action::Do(1, Deed::Cut(1)),
    Action::Crash(1),
];

fn say(text: &str) {
    // Where standard output is closed nobody reads it.
    let _ = writeln!(stdout(), "{text}");
}

/// Checks all of a model: nothing that must not happen does, and what shows that something happens at all does.
fn holds<M>(case: &str, model: M)
where
    M: Model + Debug + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let checker = model.checker().threads(2).spawn_bfs().join();
    say(&format!("{case}: {} states, {} steps deep", checker.unique_state_count(), checker.max_depth()));
    checker.assert_properties();
}

/// Finds the shortest way to break a model.
fn counterexample<M>(model: M) -> (&'static str, Path<M::State, M::Action>)
where
    M: Model + Debug + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let case = format!("{model:?}");
    let checker = model.checker().threads(1).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let properties = checker.model().properties();
    let is_failure = |name: &str| {
        properties
            .iter()
            .any(|property| property.name == name && property.expectation != Expectation::Sometimes)
    };
    let found = checker.discoveries().into_iter().find(|(name, _)| is_failure(name));
    found.unwrap_or_else(|| panic!("nothing goes wrong in {} states: {case}", checker.unique_state_count()))
}

/// Asserts that a protocol fails, how, and says the shortest way to it.
fn fails(protocol: Protocol, how: &str) {
    let (found, path) = counterexample(protocol);
    say(&format!("not always without {:?}: {found}{}", protocol.without, story::tell(path)));
    assert!(found.contains(how), "{found}");
}

const DOUBLED: &str = "no row is there twice";
const LOST: &str = "no row is missing";

#[test]
fn every_row_is_there_once_however_often_owners_are_replaced() {
    holds("three take-ups, three messages", Protocol { claims: 3, messages: 3, ..Protocol::SMALL });
    holds(
        "two take-ups, four messages, two tables",
        Protocol { claims: 2, messages: 4, tables: 2, ..Protocol::SMALL },
    );
    holds(
        "two more after two whose plans are in flight",
        Protocol { claims: 4, before: TWO_PLANS_IN_FLIGHT, ..Protocol::SMALL },
    );
}

#[test]
fn every_row_is_there_once_when_answers_are_lost() {
    holds(
        "two take-ups, two resends, two tables",
        Protocol { claims: 2, resends: 2, tables: 2, ..Protocol::SMALL },
    );
    holds("three take-ups, one resend", Protocol { claims: 3, resends: 1, messages: 1, ..Protocol::SMALL });
}

#[test]
fn every_row_is_there_once_when_the_server_dies() {
    holds(
        "three take-ups, the server dies once",
        Protocol { claims: 3, kills: 1, messages: 1, ..Protocol::SMALL },
    );
    holds(
        "two take-ups, one resend, the server dies twice",
        Protocol { claims: 2, kills: 2, resends: 1, ..Protocol::SMALL },
    );
    holds(
        "three take-ups, the server swallows rows",
        Protocol { claims: 3, swallows: 1, messages: 1, ..Protocol::SMALL },
    );
    holds(
        "two take-ups, one resend, two tables, the server swallows rows",
        Protocol { claims: 2, swallows: 1, resends: 1, tables: 2, ..Protocol::SMALL },
    );
}

#[test]
fn each_guard_is_needed() {
    for guard in [&[Rule::Mark], &[Rule::Token], &[Rule::Plan], &[Rule::Epoch]] {
        fails(Protocol { without: guard, ..Protocol::SMALL }, DOUBLED);
    }
}

#[test]
fn each_rule_is_needed() {
    for rule in [&[Rule::Window], &[Rule::MarkInFence], &[Rule::HigherPlan]] {
        fails(Protocol { without: rule, ..Protocol::SMALL }, DOUBLED);
    }
    let after_two = Protocol { claims: 4, before: TWO_PLANS_IN_FLIGHT, ..Protocol::SMALL };
    fails(Protocol { without: &[Rule::RecordedRepeat, Rule::PlanInFence], ..after_two }, DOUBLED);
    let killed = Protocol { claims: 2, kills: 1, ..Protocol::SMALL };
    fails(Protocol { without: &[Rule::PlanInFence], ..killed }, DOUBLED);
    let swallowed = Protocol { claims: 2, swallows: 1, ..Protocol::SMALL };
    fails(Protocol { without: &[Rule::SecondLook], ..swallowed }, LOST);
}

#[test]
fn every_event_is_judged_once_and_in_order() {
    holds("events of three messages, three take-ups", Publishing::WHOLE);
}

#[test]
fn an_event_is_jumped_over_where_a_client_gives_up_on_one_or_nobody_waits_for_it() {
    let whole = Publishing::WHOLE;
    for broken in
        [Publishing { is_gapless: false, ..whole }, Publishing { waits_for_receipts: false, ..whole }]
    {
        let (found, path) = counterexample(broken);
        say(&format!("{broken:?}: not always: {found}: {:?}", path.into_actions()));
    }
}

#[test]
fn a_batch_is_taken_once_by_the_set_of_numbers() {
    holds("three batches, five sends", Resends { known: Known::BySet, batches: 3, sends: 5 });
}

#[test]
fn a_late_batch_is_lost_by_the_highest_number_and_a_resend_doubled_by_none() {
    for (known, how) in
        [(Known::ByHighest, "what left the spool is taken"), (Known::NotAtAll, "no batch is taken twice")]
    {
        let (found, path) = counterexample(Resends { known, batches: 2, sends: 3 });
        say(&format!("{known:?}: not always: {found}: {:?}", path.into_actions()));
        assert_eq!(found, how);
    }
}
