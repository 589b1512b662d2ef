//! What goes into `wardwatch.events`: no fence holds it back and no token drops it, so the alerter has to know repeats.
//!
//! Each message gives rise to one event. What of an abandoned task's events lies in its client's queue goes out whenever it
//! likes, between those of the others. A client that is killed takes its queue along.

use std::collections::VecDeque;

use stateright::{Model, Property};

use super::server::Claim;

/// The rules that claim 12 rests on, and how much may happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Publishing {
    /// A client never delivers a message after it gave up on one before it.
    pub(crate) is_gapless: bool,
    /// The memory is stored after the receipts for all events.
    pub(crate) waits_for_receipts: bool,
    pub(crate) messages: u8,
    pub(crate) claims: u8,
}

impl Publishing {
    pub(crate) const WHOLE: Self =
        Self { is_gapless: true, waits_for_receipts: true, messages: 3, claims: 3 };
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The events' sources, as they lie in the partition.
    log: Vec<u8>,
    highest: Claim,
    end: u8,
    /// Memories on their way, by their ends.
    flight: Vec<u8>,
    tasks: [Task; 2],
    claims: u8,
}

/// An owner, or who takes himself for it, and its client's queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Task {
    claim: Claim,
    queue: VecDeque<u8>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Phase {
    #[default]
    Away,
    /// Has loaded the memory, or stored it.
    At(u8),
    /// Waits for the receipts of all events up to there.
    Publishing(u8),
    /// Waits for the answer to the memory.
    Storing(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    TakeUp(usize),
    /// Enqueues the events of a range that ends before this.
    Publish(usize, u8),
    Deliver(usize),
    /// The client gives up on the first message of its queue, and tells.
    GiveUp(usize),
    Store(usize),
    Land(u8),
    /// The task ends, its client lives.
    Abandon(usize),
    Kill(usize),
}

impl Model for Publishing {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State { claims: self.claims, ..State::default() }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, task) in state.tasks.iter().enumerate() {
            match task.phase {
                Phase::Away if state.claims > 0 => actions.push(Action::TakeUp(number)),
                Phase::At(end) => {
                    actions.extend((end + 1..=self.messages).map(|end| Action::Publish(number, end)));
                }
                Phase::Publishing(_) if task.queue.is_empty() || !self.waits_for_receipts => {
                    actions.push(Action::Store(number));
                }
                Phase::Away | Phase::Publishing(_) | Phase::Storing(_) => {}
            }
            if !task.queue.is_empty() {
                actions.push(Action::Deliver(number));
                if !self.is_gapless {
                    actions.push(Action::GiveUp(number));
                }
            }
            if task.phase != Phase::Away {
                actions.push(Action::Abandon(number));
            }
            if task.phase != Phase::Away || !task.queue.is_empty() {
                actions.push(Action::Kill(number));
            }
        }
        actions.extend(state.flight.iter().copied().map(Action::Land));
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        let State { log, highest, end, flight, tasks, claims } = &mut state;
        match action {
            Action::TakeUp(number) => {
                *claims -= 1;
                *highest = Claim { epoch: highest.epoch + 1, owner: number as u8 };
                tasks[number].claim = *highest;
                tasks[number].phase = Phase::At(*end);
            }
            Action::Publish(number, last) => {
                let Phase::At(first) = tasks[number].phase else { return None };
                tasks[number].queue.extend(first..last);
                tasks[number].phase = Phase::Publishing(last);
            }
            Action::Deliver(number) => log.push(tasks[number].queue.pop_front()?),
            Action::GiveUp(number) => {
                tasks[number].queue.pop_front();
                tasks[number].phase = Phase::Away;
            }
            Action::Store(number) => {
                let Phase::Publishing(last) = tasks[number].phase else { return None };
                let passes = tasks[number].claim == *highest;
                tasks[number].phase = if passes { Phase::Storing(last) } else { Phase::Away };
                flight.extend(passes.then_some(last));
                flight.sort_unstable();
            }
            Action::Land(stored) => {
                flight.remove(flight.iter().position(|other| *other == stored)?);
                *end = (*end).max(stored);
                let waits = tasks.iter_mut().find(|task| task.phase == Phase::Storing(stored));
                if let Some(task) = waits {
                    task.phase = Phase::At(stored);
                }
            }
            Action::Abandon(number) => tasks[number].phase = Phase::Away,
            Action::Kill(number) => tasks[number] = Task::default(),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "events are judged in order, each once, none jumped over",
                |_, state: &State| state.judged().into_iter().eq(0..state.judged().len() as u8),
            ),
            Property::always("every event from below the stored end is judged", |_, state: &State| {
                state.judged().len() >= usize::from(state.end)
            }),
            Property::sometimes("an event lies there three times", |_, state: &State| {
                state.log.iter().copied().filter(|event| *event == 0).nth(2).is_some()
            }),
            Property::sometimes("everything is committed", |publishing: &Self, state: &State| {
                state.end == publishing.messages
            }),
        ]
    }
}

impl State {
    /// What the alerter judges: whatever is above the highest that it has heard.
    fn judged(&self) -> Vec<u8> {
        let mut judged: Vec<u8> = Vec::new();
        for event in &self.log {
            if judged.last().is_none_or(|heard| event > heard) {
                judged.push(*event);
            }
        }
        judged
    }
}
