//! The protocol of one partition: owners that take it up, write ranges of it, are killed, stopped or replaced without
//! being told, and a server on which inserts are in flight.
//!
//! Offsets are 0, 1, 2; all messages are in the log from the beginning. Two owners are enough: one that was killed starts
//! anew, and what it has in flight stays. Events are apart, in `events`.

use stateright::{Model, Property};

use super::owner::{Owner, Phase};
use super::server::{Fate, Insert, MOST, Server, Token, has_rows};
use super::steps::{hang_up, land, prune};

/// The protocol of `docs/delivery.md`, or less than that, and how much may happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    /// What is switched off.
    pub(crate) without: &'static [Rule],
    /// Append-only tables.
    pub(crate) tables: usize,
    /// Messages in the log.
    pub(crate) messages: u8,
    /// How often the partition may be taken up.
    pub(crate) claims: u8,
    /// How often an insert may be sent again because its answer did not come.
    pub(crate) resends: u8,
    /// How often the server may be killed or lose power.
    pub(crate) kills: u8,
    /// How often it may be killed just after it has logged a token and before it has stored the rows.
    pub(crate) swallows: u8,
    /// What has happened before anything may.
    pub(crate) before: &'static [Action],
}

/// What the argument rests on: the four guards, and what makes them whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// What is at or below the mark is left out.
    Mark,
    /// The server drops the second of two inserts with one token.
    Token,
    /// Ranges are recorded, and repeated as they were cut.
    Plan,
    /// The server refuses inserts of former owners.
    Epoch,
    /// The window outlasts whatever is in flight.
    Window,
    /// Inserts of a range that is repeated, and resends, are refused where the mark has moved since it was read.
    MarkInFence,
    /// Of two plans that begin at one offset, that of the higher claim counts; else the one that arrived last.
    HigherPlan,
    /// A plan that is repeated is recorded again.
    RecordedRepeat,
    /// Rows are refused where the plan of their range and owner is not recorded, which a power cut may have seen to.
    PlanInFence,
    /// Rows that the server says to hold, after a repeat or a resend, are looked for; so is what was sent, before a resend.
    SecondLook,
}

impl Protocol {
    /// Small enough to be done with in a second.
    pub(crate) const SMALL: Self = Self {
        without: &[],
        tables: 1,
        messages: 2,
        claims: 3,
        resends: 0,
        kills: 0,
        swallows: 0,
        before: &[],
    };

    pub(crate) fn has(&self, rule: Rule) -> bool {
        !self.without.contains(&rule)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) server: Server,
    pub(crate) owners: [Owner; 2],
    pub(crate) claims: u8,
    pub(crate) resends: u8,
    pub(crate) kills: u8,
    pub(crate) swallows: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// An owner does its next step.
    Do(usize, Deed),
    Land(Insert, Fate),
    Crash(usize),
    /// The server is killed; it may have logged a token without its rows.
    Kill(Option<Token>),
    CutPower,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Deed {
    Start,
    Claim,
    Load,
    ReadPlan,
    ReadMarks,
    /// Cuts a range that ends there, and begins to record it.
    Cut(u8),
    Write(usize),
    Resend(usize),
    LookAgain,
    Store,
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        assert!(usize::from(self.messages) <= MOST, "the model's tables have no more room");
        let nothing = State {
            server: Server::default(),
            owners: [Owner::default(); 2],
            claims: self.claims,
            resends: self.resends,
            kills: self.kills,
            swallows: self.swallows,
        };
        let begun = self.before.iter().try_fold(nothing, |state, action| self.next_state(&state, *action));
        vec![begun.expect("what has happened before can happen")]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, owner) in state.owners.iter().enumerate() {
            actions.extend(self.deeds(state, owner).into_iter().map(|deed| Action::Do(number, deed)));
            // A crash after which nobody starts is a stop for ever.
            if owner.phase != Phase::Away && state.claims > 0 {
                actions.push(Action::Crash(number));
            }
        }
        let mut flight = state.server.flight.clone();
        flight.dedup();
        for insert in &flight {
            actions.extend(self.fates(state, insert).into_iter().map(|fate| Action::Land(*insert, fate)));
        }
        if state.kills > 0 {
            actions.extend([Action::Kill(None), Action::CutPower]);
        }
        if state.swallows > 0 {
            actions.extend(flight.iter().filter_map(Insert::token).map(|token| Action::Kill(Some(token))));
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Do(number, deed) => {
                let Owner { claim, phase } = state.owners[number];
                state.owners[number] = match self.step(&mut state, number, claim, phase, deed)? {
                    (_, Phase::Away) => Owner::default(),
                    (claim, phase) => Owner { claim, phase },
                };
            }
            Action::Land(insert, fate) => land(&mut state, insert, fate),
            Action::Crash(number) => state.owners[number] = Owner::default(),
            Action::Kill(swallows) => {
                state.kills -= u8::from(swallows.is_none());
                state.swallows -= u8::from(swallows.is_some());
                state.server.kill(swallows);
                hang_up(&mut state);
            }
            Action::CutPower => {
                state.kills -= 1;
                state.server.cut_power();
                hang_up(&mut state);
            }
        }
        prune(&mut state);
        Some(state)
    }

    /// When all is committed and nothing is in flight, the first two say that every row is there exactly once.
    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no row is there twice", |_, state: &State| {
                state.server.rows.iter().flatten().all(|count| *count <= 1)
            }),
            Property::always("no row is missing below the stored end", |protocol: &Self, state: &State| {
                (0..state.server.end).all(|offset| {
                    (0..protocol.tables)
                        .filter(|table| has_rows(*table, offset))
                        .all(|table| state.server.rows[table][usize::from(offset)] > 0)
                })
            }),
            // So that the others are not true of a model in which nothing happens.
            Property::sometimes("everything is committed", |protocol: &Self, state: &State| {
                state.server.end == protocol.messages && state.server.flight.is_empty()
            }),
        ]
    }
}
