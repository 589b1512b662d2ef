//! Batches on their way from the spool into the log, and which of them the enricher takes.
//!
//! A batch that times out may land later; one that landed may be sent again, since its acknowledgement was lost. A crash of the
//! sensor is no step of its own: what the spool has synced is there afterwards, and is sent again.

use std::collections::BTreeSet;

use stateright::{Model, Property};

/// How the enricher knows what it has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// By the set of numbers.
    BySet,
    /// By the highest number.
    ByHighest,
    /// Not at all.
    NotAtAll,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Resends {
    pub(crate) known: Known,
    /// Numbered 1, 2, 3, and so on.
    pub(crate) batches: u8,
    /// How often anything may be sent.
    pub(crate) sends: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    spool: BTreeSet<u8>,
    /// Between the sensor and the log, sorted.
    on_the_way: Vec<u8>,
    log: Vec<u8>,
    acknowledgements: BTreeSet<u8>,
    sends: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Send(u8),
    Lose(u8),
    Land(u8),
    Acknowledge(u8),
    LoseAcknowledgement(u8),
}

impl Model for Resends {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State { spool: (1..=self.batches).collect(), sends: self.sends, ..State::default() }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.sends > 0 {
            actions.extend(state.spool.iter().copied().map(Action::Send));
        }
        let on_the_way: BTreeSet<u8> = state.on_the_way.iter().copied().collect();
        actions.extend(on_the_way.into_iter().flat_map(|batch| [Action::Land(batch), Action::Lose(batch)]));
        let acknowledgements = state.acknowledgements.iter().copied();
        actions.extend(
            acknowledgements
                .flat_map(|batch| [Action::Acknowledge(batch), Action::LoseAcknowledgement(batch)]),
        );
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Send(batch) => {
                state.sends -= 1;
                state.on_the_way.push(batch);
                state.on_the_way.sort_unstable();
            }
            Action::Lose(batch) | Action::Land(batch) => {
                let at = state.on_the_way.iter().position(|other| *other == batch)?;
                state.on_the_way.remove(at);
                if action == Action::Land(batch) {
                    state.log.push(batch);
                    state.acknowledgements.insert(batch);
                }
            }
            Action::Acknowledge(batch) => {
                state.acknowledgements.remove(&batch);
                state.spool.remove(&batch);
            }
            Action::LoseAcknowledgement(batch) => {
                state.acknowledgements.remove(&batch);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no batch is taken twice", |resends: &Self, state: &State| {
                let taken = resends.taken(state);
                taken.iter().collect::<BTreeSet<_>>().len() == taken.len()
            }),
            Property::always("what left the spool is taken", |resends: &Self, state: &State| {
                let taken = resends.taken(state);
                (1..=resends.batches).all(|batch| state.spool.contains(&batch) || taken.contains(&batch))
            }),
            Property::sometimes("a later batch lands first", |_, state: &State| {
                state.log.windows(2).any(|two| two[0] > two[1])
            }),
            Property::sometimes("the spool runs empty", |_, state: &State| state.spool.is_empty()),
        ]
    }
}

impl Resends {
    /// The batches that the enricher takes from the log.
    fn taken(self, state: &State) -> Vec<u8> {
        let mut received = BTreeSet::new();
        let is_new = |batch: &u8| match self.known {
            Known::BySet => received.insert(*batch),
            Known::ByHighest => {
                received.last().is_none_or(|highest| batch > highest) && received.insert(*batch)
            }
            Known::NotAtAll => true,
        };
        state.log.iter().copied().filter(is_new).collect()
    }
}
