//! One flow's way from unknown bytes to facts: recognition, buffering, skipping, and the end of interest.

use wardwatch_proto::v1::Protocol;

use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress, Statements};
use pending::Pending;

mod pending;

/// Bytes of one direction that the candidates are shown before that direction has nothing more to say.
const PROBE_BYTES: usize = 2048;

/// Bytes of one direction that are kept while the other may still tell what they are.
const UNRECOGNISED_BYTES: usize = 16 * 1024;

/// Bytes of one direction that are kept for a dissector that needs more: the largest message that is read whole.
const BUFFER_BYTES: usize = 256 * 1024;

/// Whether the flow's further bytes are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Yes.
    Keep,
    /// No: reassembly may stop and the memory be given back.
    Lost,
}

/// How a conversation ended, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not ended.
    Going,
    /// No candidate knew it.
    Unrecognised,
    /// The dissector learned what there was.
    Learned,
    /// The bytes broke the protocol, for this reason.
    Broken(&'static str),
    /// Bytes were lost and the dissector could not go on behind the hole.
    Hole,
}

/// A flow's application state.
pub struct Conversation {
    state: State,
    pending: [Pending; 2],
    /// What came last of the direction whose pending bytes the dissector has not seen all of; at most one has such.
    unseen: Option<Box<Input<'static>>>,
}

enum State {
    /// Bit n is set while candidate n may still be the one; one set for each direction.
    Probing {
        candidates: &'static [Candidate],
        possible: [u64; 2],
    },
    Recognised(Box<dyn Dissector>),
    Ended {
        protocol: Protocol,
        outcome: Outcome,
    },
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation")
            .field("protocol", &self.protocol())
            .field("outcome", &self.outcome())
            .finish_non_exhaustive()
    }
}

impl Conversation {
    /// [`Self::held_bytes`] stays below this, whatever comes.
    pub const HELD_BYTES: usize = 2 * BUFFER_BYTES;

    /// A flow of which nothing is known yet, to be looked at by these candidates (64 at most).
    pub fn new(candidates: &'static [Candidate]) -> Self {
        let possible = [every(candidates); 2];
        Self { state: State::Probing { candidates, possible }, pending: Default::default(), unseen: None }
    }

    /// What the flow was recognised as so far.
    pub fn protocol(&self) -> Protocol {
        match &self.state {
            State::Probing { .. } => Protocol::Unspecified,
            State::Recognised(dissector) => dissector.protocol(),
            State::Ended { protocol, .. } => *protocol,
        }
    }

    /// How it ended, if it has.
    pub fn outcome(&self) -> Outcome {
        match &self.state {
            State::Ended { outcome, .. } => *outcome,
            State::Probing { .. } | State::Recognised(_) => Outcome::Going,
        }
    }

    /// Bytes held for later, of both directions.
    pub fn held_bytes(&self) -> usize {
        self.pending.iter().map(|pending| pending.bytes.capacity()).sum()
    }

    /// A whole datagram or link payload: nothing is kept from one to the next but the dissector's own state.
    pub fn datagram(&mut self, input: &Input<'_>, statements: &mut Statements) -> Interest {
        if let State::Probing { candidates, possible } = &mut self.state {
            let found = recognise(candidates, &mut possible[input.direction.index()], input);
            match found {
                Some(candidate) => self.state = State::Recognised((candidate.start)()),
                None if possible.iter().all(|set| *set == 0) => return self.end(Outcome::Unrecognised),
                None => return Interest::Keep,
            }
        }
        let State::Recognised(dissector) = &mut self.state else { return Interest::Lost };
        let mut facts = Facts::new(statements, dissector.protocol(), input);
        match dissector.dissect(input, &mut facts) {
            Progress::Consumed(_) | Progress::NeedMore => Interest::Keep,
            Progress::Done => self.end(Outcome::Learned),
            Progress::Broken(reason) => self.end(Outcome::Broken(reason)),
        }
    }

    /// The next bytes of a TCP direction, in order.
    ///
    /// Bytes behind which a dissector needs more are shown to it again with more, though not for each few of them where they
    /// are many: before the other direction goes on at the latest, and on [`Self::catch_up`].
    pub fn bytes(&mut self, input: &Input<'_>, statements: &mut Statements) -> Interest {
        if self.unseen.as_ref().is_some_and(|last| last.direction != input.direction)
            && self.catch_up(statements) == Interest::Lost
        {
            return Interest::Lost;
        }
        let pending = &mut self.pending[input.direction.index()];
        let skipped = pending.skip.min(input.bytes.len() as u64);
        pending.skip -= skipped;
        let Some(fresh) = input.bytes.get(skipped as usize..).filter(|fresh| !fresh.is_empty()) else {
            return Interest::Keep;
        };
        let input = Input { bytes: fresh, ..*input };
        if matches!(self.state, State::Probing { .. }) {
            return self.probe(input, statements);
        }
        pending.earn(fresh.len());
        if pending.bytes.is_empty() {
            return self.read(&input, statements);
        }
        pending.hold(fresh);
        if !pending.may_be_shown() {
            self.unseen = Some(Box::new(Input { bytes: &[], ..input }));
            return Interest::Keep;
        }
        self.unseen = None;
        let held = std::mem::take(&mut pending.bytes);
        self.read(&Input { bytes: &held, ..input }, statements)
    }

    /// Shows the dissector what it has not seen yet of the bytes that came, to be called from time to time and at the end:
    /// there may be no more to come.
    pub fn catch_up(&mut self, statements: &mut Statements) -> Interest {
        let Some(last) = self.unseen.take() else { return Interest::Keep };
        let held = std::mem::take(&mut self.pending[last.direction.index()].bytes);
        self.read(&Input { bytes: &held, ..*last }, statements)
    }

    /// Bytes of a TCP direction that will never come.
    pub fn gap(&mut self, direction: Direction, missing: u64, statements: &mut Statements) -> Interest {
        if self.catch_up(statements) == Interest::Lost {
            return Interest::Lost;
        }
        let pending = &mut self.pending[direction.index()];
        if pending.skip >= missing {
            pending.skip -= missing;
            return Interest::Keep;
        }
        let unskipped = missing - pending.skip;
        pending.skip = 0;
        pending.bytes = Vec::new();
        match &mut self.state {
            // What comes behind the hole is looked at as if the capture had begun there.
            State::Probing { candidates, possible } => {
                possible[direction.index()] = every(candidates);
                Interest::Keep
            }
            State::Recognised(dissector) => {
                if dissector.gap(direction, unskipped) {
                    Interest::Keep
                } else {
                    self.end(Outcome::Hole)
                }
            }
            State::Ended { .. } => Interest::Lost,
        }
    }

    /// Shows what has come so far to the candidates; on recognition reads it, the other direction's part first if
    /// there is any, since it was there before these bytes.
    fn probe(&mut self, input: Input<'_>, statements: &mut Statements) -> Interest {
        let this = input.direction.index();
        let State::Probing { candidates, possible } = &mut self.state else { return Interest::Lost };
        let mut held = std::mem::take(&mut self.pending[this].bytes);
        let bytes = if held.is_empty() {
            input.bytes
        } else {
            held.extend_from_slice(input.bytes);
            &held
        };
        let shown = Input { bytes, ..input };
        if let Some(candidate) = recognise(candidates, &mut possible[this], &shown) {
            self.state = State::Recognised((candidate.start)());
            let other = std::mem::take(&mut self.pending[1 - this].bytes);
            if !other.is_empty() {
                let earlier = Input {
                    direction: input.direction.reverse(),
                    sender: input.receiver,
                    receiver: input.sender,
                    bytes: &other,
                    ..input
                };
                if self.read(&earlier, statements) == Interest::Lost {
                    return Interest::Lost;
                }
            }
            return self.read(&shown, statements);
        }
        if bytes.len() >= PROBE_BYTES {
            possible[this] = 0;
        }
        if possible.iter().all(|set| *set == 0) || bytes.len() >= UNRECOGNISED_BYTES {
            return self.end(Outcome::Unrecognised);
        }
        // The other direction may still tell; then these bytes will be wanted.
        self.pending[this].bytes = if held.is_empty() { input.bytes.to_vec() } else { held };
        Interest::Keep
    }

    /// Lets the dissector read until it needs more, and keeps what it left.
    fn read(&mut self, input: &Input<'_>, statements: &mut Statements) -> Interest {
        let mut rest = input.bytes;
        while !rest.is_empty() {
            let State::Recognised(dissector) = &mut self.state else { return Interest::Lost };
            let input = Input { bytes: rest, ..*input };
            let mut facts = Facts::new(statements, dissector.protocol(), &input);
            match dissector.dissect(&input, &mut facts) {
                Progress::Consumed(0) | Progress::NeedMore => {
                    if rest.len() >= BUFFER_BYTES {
                        return self.end(Outcome::Broken("message longer than the buffer"));
                    }
                    self.pending[input.direction.index()].bytes = rest.to_vec();
                    return Interest::Keep;
                }
                Progress::Consumed(count) if count > rest.len() => {
                    self.pending[input.direction.index()].skip = (count - rest.len()) as u64;
                    return Interest::Keep;
                }
                Progress::Consumed(count) => rest = rest.get(count..).unwrap_or_default(),
                Progress::Done => return self.end(Outcome::Learned),
                Progress::Broken(reason) => return self.end(Outcome::Broken(reason)),
            }
        }
        Interest::Keep
    }

    fn end(&mut self, outcome: Outcome) -> Interest {
        self.state = State::Ended { protocol: self.protocol(), outcome };
        self.pending = Default::default();
        self.unseen = None;
        Interest::Lost
    }
}

/// The set in which every candidate is possible.
fn every(candidates: &[Candidate]) -> u64 {
    if candidates.len() >= 64 { u64::MAX } else { (1 << candidates.len()) - 1 }
}

/// Asks every candidate that is still possible; clears those for whom it is not.
fn recognise(
    candidates: &'static [Candidate],
    possible: &mut u64,
    input: &Input<'_>,
) -> Option<&'static Candidate> {
    for (index, candidate) in candidates.iter().enumerate().take(64) {
        let bit = 1_u64 << index;
        if *possible & bit == 0 {
            continue;
        }
        match (candidate.probe)(input) {
            Probe::Certain => return Some(candidate),
            Probe::Unsure => {}
            Probe::NotForUs => *possible &= !bit,
        }
    }
    None
}

#[cfg(test)]
mod tests;
