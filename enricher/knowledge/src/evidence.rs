//! What rules are held against: everything that is known of one device at one time.

use std::fmt::Write as _;
use std::ops::Range;

use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

/// What a rule may ask about: an attribute that was stated on the wire, or something concluded from such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// As a sensor stated it.
    Stated(Attribute),
    /// The manufacturer's canonical name.
    Maker,
    /// The one category that the manufacturer makes devices of.
    MakerMakes,
    /// The canonical name of whom the MAC address is registered to.
    MacMaker,
    /// The one category that whom the MAC address is registered to makes devices of.
    MacMakes,
    /// The device's category, once concluded.
    Category,
}

impl Field {
    /// The word under which rules ask for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stated(attribute) => attribute.name(),
            Self::Maker => "maker",
            Self::MakerMakes => "maker_makes",
            Self::MacMaker => "mac_maker",
            Self::MacMakes => "mac_makes",
            Self::Category => "category",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let concluded = [Self::Maker, Self::MakerMakes, Self::MacMaker, Self::MacMakes, Self::Category];
        concluded
            .into_iter()
            .find(|field| field.name() == name)
            .or_else(|| Attribute::from_name(name).map(Self::Stated))
    }
}

/// One value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said<'a> {
    /// What it is about.
    pub field: Field,
    /// In canonical form.
    pub value: &'a str,
    /// Where it was read; unspecified for what was concluded.
    pub protocol: Protocol,
    /// Who said it.
    pub told_by: Role,
    /// Event time, nanoseconds since the Unix epoch.
    pub last_seen: u64,
}

/// A kind of conversation that the device was seen in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spoken {
    /// As recognised by content; unspecified where nothing was.
    pub protocol: Protocol,
    /// Whether the device opened it.
    pub initiated: bool,
    /// Whether the other end was outside the site.
    pub internet: bool,
    /// Event time, nanoseconds since the Unix epoch.
    pub last_seen: u64,
}

/// Everything that is known of one device.
#[derive(Clone, Debug, Default)]
pub struct Evidence<'a> {
    said: Vec<Said<'a>>,
    /// Each field that something was said about, and where that begins; in order.
    begins: Vec<(Field, usize)>,
    spoken: Vec<Spoken>,
    newest: u64,
}

/// What made a condition hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Support {
    at: At,
    others: usize,
}

#[derive(Clone, Copy, Debug)]
enum At {
    Said(usize),
    Spoken(usize),
}

impl<'a> Evidence<'a> {
    /// `newest` is the device's last sighting, from which the age of evidence is counted.
    pub fn new(mut said: Vec<Said<'a>>, mut spoken: Vec<Spoken>, newest: u64) -> Self {
        // Most of it comes in order, which a stable sort makes use of.
        said.sort();
        spoken.sort_unstable();
        let mut evidence = Self { said, begins: Vec::new(), spoken, newest };
        evidence.find_beginnings();
        evidence
    }

    fn find_beginnings(&mut self) {
        self.begins.clear();
        for (at, said) in self.said.iter().enumerate() {
            if self.begins.last().is_none_or(|(field, _)| *field != said.field) {
                self.begins.push((said.field, at));
            }
        }
    }

    /// Adds what was concluded from the rest.
    pub fn add(&mut self, said: Said<'a>) {
        let at = self.said.partition_point(|known| *known < said);
        self.said.insert(at, said);
        self.find_beginnings();
    }

    /// What was said about a field, in the order of values.
    pub fn about(&self, field: Field) -> &[Said<'a>] {
        self.range(field).and_then(|range| self.said.get(range)).unwrap_or_default()
    }

    /// Where that stands.
    fn range(&self, field: Field) -> Option<Range<usize>> {
        // There are a few dozen at most, and comparing for equality is cheap.
        let at = self.begins.iter().position(|(known, _)| *known == field)?;
        let (_, start) = self.begins.get(at)?;
        let end = self.begins.get(at + 1).map_or(self.said.len(), |(_, next)| *next);
        Some(*start..end)
    }

    /// Everything that was said, in the order of fields and values.
    pub(crate) fn said(&self) -> &[Said<'a>] {
        &self.said
    }

    /// Every kind of conversation, in the order of protocols.
    pub(crate) fn spoken(&self) -> &[Spoken] {
        &self.spoken
    }

    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// The first of `matching`, provided that there are `at_least` distinct values among them.
    pub(crate) fn find_said(
        &self,
        field: Field,
        at_least: usize,
        matching: impl Fn(&Said<'a>) -> bool,
    ) -> Option<Support> {
        let range = self.range(field)?;
        let start = range.start;
        let (mut first, mut distinct, mut previous) = (None, 0, None);
        for (offset, said) in self.said.get(range)?.iter().enumerate() {
            if matching(said) {
                first.get_or_insert(start + offset);
                distinct += usize::from(previous != Some(said.value));
                previous = Some(said.value);
            }
        }
        let at = first.filter(|_| distinct >= at_least.max(1))?;
        Some(Support { at: At::Said(at), others: distinct - 1 })
    }

    pub(crate) fn find_spoken(&self, matching: impl Fn(&Spoken) -> bool) -> Option<Support> {
        let first = self.spoken.iter().position(&matching)?;
        let count = self.spoken.iter().filter(|spoken| matching(spoken)).count();
        Some(Support { at: At::Spoken(first), others: count - 1 })
    }

    /// The support in words, such as `dicom_modality CT (dicom)`.
    pub(crate) fn describe(&self, support: Support) -> String {
        let mut text = match support.at {
            At::Said(index) => self.said.get(index).map(Said::words),
            At::Spoken(index) => self.spoken.get(index).map(describe_spoken),
        }
        .unwrap_or_default();
        if support.others > 0 {
            let _ = write!(text, " and {} more", support.others);
        }
        text
    }
}

impl Said<'_> {
    /// In words, such as `dicom_modality CT (dicom)`; says so where it was not the device itself that said it.
    pub fn words(&self) -> String {
        let protocol = self.protocol.name();
        if protocol.is_empty() {
            return [self.field.name(), " ", self.value].concat();
        }
        let end = match self.told_by {
            Role::Peer => ", said by its peer)",
            Role::Third => ", said by another device)",
            Role::Unspecified | Role::Sender => ")",
        };
        [self.field.name(), " ", self.value, " (", protocol, end].concat()
    }
}

fn describe_spoken(spoken: &Spoken) -> String {
    let what = match spoken.protocol.name() {
        "" => "a conversation",
        protocol => protocol,
    };
    let with = if spoken.internet { "an address outside the site" } else { "a device of the site" };
    let direction = if spoken.initiated { "to" } else { "from" };
    format!("{what} {direction} {with}")
}
