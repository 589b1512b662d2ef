//! What fuzzing needs of this crate: each candidate by itself under a name, and conversations as bytes.
//!
//! The fuzz target in `sensor/dissect/fuzz` reads a [`Recording`] and shows it to the one candidate that it was told;
//! the sensor's example `fuzz-seeds` writes recordings of captures and of made-up streams.

use std::fmt;
use std::str::FromStr;

use wardwatch_proto::name::Named;
use wardwatch_proto::v1::Protocol;

use crate::{Candidate, IP, LINK, TCP, UDP};

mod recording;

pub use recording::{Recording, Row, What};

/// A table of candidates, by what carries them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// [`TCP`]: bytes in order.
    Tcp,
    /// [`UDP`]: datagrams of a flow.
    Udp,
    /// [`IP`]: one packet, one look.
    Ip,
    /// [`LINK`]: one frame, one look.
    Link,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tcp, Self::Udp, Self::Ip, Self::Link];

    /// The word in a target's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Ip => "ip",
            Self::Link => "link",
        }
    }

    /// Who is in it.
    pub const fn candidates(self) -> &'static [Candidate] {
        match self {
            Self::Tcp => TCP,
            Self::Udp => UDP,
            Self::Ip => IP,
            Self::Link => LINK,
        }
    }
}

/// One candidate of one table; its name is `tcp/dicom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    table: Table,
    place: usize,
}

impl Target {
    /// Every candidate there is, table by table.
    pub fn all() -> impl Iterator<Item = Self> {
        Table::ALL
            .into_iter()
            .flat_map(|table| (0..table.candidates().len()).map(move |place| Self { table, place }))
    }

    /// What carries it.
    pub const fn table(self) -> Table {
        self.table
    }

    /// What its flows are recognised as.
    pub fn protocol(self) -> Protocol {
        self.alone().first().map_or(Protocol::Unspecified, |candidate| candidate.protocol)
    }

    /// A table that holds nobody else.
    pub fn alone(self) -> &'static [Candidate] {
        self.table.candidates().get(self.place..=self.place).unwrap_or_default()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.table.name(), self.protocol().name())
    }
}

/// No candidate has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchTarget(String);

impl fmt::Display for NoSuchTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Target::all().map(|target| target.to_string()).collect();
        write!(f, "no candidate is called {:?}; there are {}", self.0, names.join(", "))
    }
}

impl std::error::Error for NoSuchTarget {}

impl FromStr for Target {
    type Err = NoSuchTarget;

    fn from_str(name: &str) -> Result<Self, NoSuchTarget> {
        Self::all().find(|target| target.to_string() == name).ok_or_else(|| NoSuchTarget(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_candidate_has_a_name_of_its_own() {
        for target in Target::all() {
            assert_eq!(target.to_string().parse(), Ok(target), "{target}");
            assert_eq!(target.alone().len(), 1);
        }
        let tables = [TCP, UDP, IP, LINK];
        assert_eq!(Target::all().count(), tables.iter().map(|table| table.len()).sum::<usize>());
    }

    #[test]
    fn a_name_that_nobody_has_is_refused_with_those_that_there_are() {
        let refused = "tcp/snmp".parse::<Target>().unwrap_err().to_string();
        assert!(refused.contains("tcp/dicom"), "{refused}");
    }
}
