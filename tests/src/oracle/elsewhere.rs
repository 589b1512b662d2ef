//! Whether a protocol is found by what it says alone: on ports that mean nothing, and where its beginning was missed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use wardwatch_dissect::{IP, LINK};
use wardwatch_proto::v1::{Fact, Protocol, fact};

use super::altered::{Missing, joined_late, on_other_ports};
use super::conversation::Conversation;
use super::stated::{self, Framed};
use super::statement::{self, Statement};

/// IANA's number of TCP.
const TCP: u32 = 6;

/// What the sensor makes of a capture as it is, and as it would be elsewhere: joined late on other ports.
#[derive(Debug)]
pub struct Elsewhere {
    as_captured: Reading,
    on_other_ports: Reading,
    without_handshake: Reading,
    without_first_exchange: Reading,
}

/// What the sensor makes of some frames.
#[derive(Debug)]
struct Reading {
    statements: BTreeSet<Statement>,
    /// Where each protocol was found: none where it has no flow.
    found: BTreeMap<Protocol, BTreeSet<Conversation>>,
    /// Conversations in which there was an exchange: on TCP of both sides.
    spoken: BTreeSet<Conversation>,
}

impl Elsewhere {
    /// Reads a capture file in each way.
    pub fn read(capture: &Path) -> Result<Self> {
        let frames = stated::frames(capture)?;
        let elsewhere = on_other_ports(&frames);
        Ok(Self {
            as_captured: Reading::of(&frames)?,
            on_other_ports: Reading::of(&elsewhere)?,
            without_handshake: Reading::of(&joined_late(&elsewhere, Missing::Handshake))?,
            without_first_exchange: Reading::of(&joined_late(&elsewhere, Missing::FirstExchange))?,
        })
    }

    /// What the sensor states of the capture as it is.
    pub fn statements(&self) -> &BTreeSet<Statement> {
        &self.as_captured.statements
    }

    /// The protocols that were found in the capture as it is.
    pub fn protocols(&self) -> impl Iterator<Item = Protocol> {
        self.as_captured.found.keys().copied()
    }

    /// What is left of a protocol elsewhere, and of statements in it that others confirm.
    pub fn trial(&self, protocol: Protocol, confirmed: &[&Statement]) -> Trial {
        let outcome = |reading: &Reading| Outcome {
            stated: confirmed.iter().filter(|said| reading.statements.contains(**said)).count(),
            is_recognised: reading.found.contains_key(&protocol),
        };
        let late = &self.without_first_exchange;
        let places = self.on_other_ports.found.get(&protocol);
        Trial {
            tried: 1,
            confirmed: confirmed.len(),
            on_other_ports: outcome(&self.on_other_ports),
            without_handshake: outcome(&self.without_handshake),
            without_first_exchange: outcome(late),
            is_more_said: places.is_some_and(|places| !places.is_disjoint(&late.spoken)),
        }
    }
}

impl Reading {
    fn of(frames: &[Framed]) -> Result<Self> {
        let (facts, _) = stated::of_frames(frames);
        let places: BTreeMap<u64, Conversation> =
            facts.iter().filter_map(conversation).collect::<Result<_>>()?;
        let mut found = BTreeMap::<Protocol, BTreeSet<Conversation>>::new();
        let mut note = |protocol, flow| {
            if protocol != Protocol::Unspecified {
                found.entry(protocol).or_default().extend(places.get(&flow).cloned());
            }
        };
        let mut spoken = BTreeSet::new();
        for fact in &facts {
            match &fact.fact {
                Some(fact::Fact::Flow(flow)) => {
                    note(flow.protocol(), flow.id);
                    let sent = [flow.from_initiator, flow.from_responder];
                    let mut spoke =
                        sent.map(|counters| counters.unwrap_or_default().payload_bytes > 0).into_iter();
                    // On TCP one side alone may be in the middle of what it said first.
                    let is_exchange =
                        if flow.ip_protocol == TCP { spoke.all(|said| said) } else { spoke.any(|said| said) };
                    if is_exchange {
                        spoken.extend(places.get(&flow.id).cloned());
                    }
                }
                Some(fact::Fact::Observation(said)) => note(said.protocol(), said.flow),
                _ => {}
            }
        }
        Ok(Self { statements: statement::of_sensor(&facts), found, spoken })
    }
}

fn conversation(fact: &Fact) -> Option<Result<(u64, Conversation)>> {
    let Some(fact::Fact::Flow(flow)) = &fact.fact else { return None };
    Some(stated::conversation(flow).map(|conversation| (flow.id, conversation)))
}

/// What is left of a protocol elsewhere, in one capture or in several.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trial {
    /// In how many captures.
    tried: u32,
    confirmed: usize,
    on_other_ports: Outcome,
    without_handshake: Outcome,
    without_first_exchange: Outcome,
    /// Whether there is another exchange behind the first.
    is_more_said: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Outcome {
    /// How many of the confirmed statements are still made.
    stated: usize,
    is_recognised: bool,
}

impl Trial {
    /// Adds what is left in another capture.
    pub fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.confirmed += other.confirmed;
        self.on_other_ports.add(other.on_other_ports);
        self.without_handshake.add(other.without_handshake);
        self.without_first_exchange.add(other.without_first_exchange);
        self.is_more_said |= other.is_more_said;
    }
}

/// How a protocol fares where its beginning was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// A confirmed statement still comes.
    Stated,
    /// It is found.
    Recognised,
    /// There is but one exchange, and it is found if the handshake alone is missing.
    NothingLeft,
    /// It is found only if no more than the handshake is missing.
    Opening,
    /// It is not found.
    No,
}

impl Trial {
    /// Whether the protocol was met at all.
    pub fn is_tried(&self) -> bool {
        self.tried > 0
    }

    /// Whether a confirmed statement comes on other ports as well.
    pub fn is_stated_on_other_ports(&self) -> bool {
        self.on_other_ports.stated > 0
    }

    /// In words: on other ports.
    pub fn on_another_port(&self) -> String {
        match self.on_other_ports {
            Outcome { stated: 0, is_recognised: true } => "recognised".into(),
            Outcome { stated: 0, is_recognised: false } => "no".into(),
            Outcome { stated, .. } if stated == self.confirmed => "yes".into(),
            Outcome { stated, .. } => format!("yes, {stated} of {}", self.confirmed),
        }
    }

    /// Where the beginning was missed.
    pub fn joined(&self) -> Joined {
        match self.without_first_exchange {
            Outcome { stated: 1.., .. } => Joined::Stated,
            Outcome { is_recognised: true, .. } => Joined::Recognised,
            Outcome { .. } if !self.without_handshake.is_recognised => Joined::No,
            Outcome { .. } if self.is_more_said => Joined::Opening,
            Outcome { .. } => Joined::NothingLeft,
        }
    }
}

impl Joined {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stated => "yes",
            Self::Recognised => "recognised",
            Self::NothingLeft => "one exchange",
            Self::Opening => "opening",
            Self::No => "no",
        }
    }
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.stated += other.stated;
        self.is_recognised |= other.is_recognised;
    }
}

/// Whether a protocol is carried without ports.
pub fn has_no_port(protocol: Protocol) -> bool {
    LINK.iter().chain(IP).any(|candidate| candidate.protocol == protocol)
}
