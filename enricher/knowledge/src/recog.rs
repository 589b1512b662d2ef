//! Recog's fingerprints, read and turned into signatures.
//!
//! Recog is a public collection of patterns over banners and other texts of services; each file, a database, is XML
//! about one kind of text (`fingerprints.xsd`). Every fingerprint carries examples with what they must give, and
//! [`Database::check`] holds each to them. [`convert`](Database::convert) makes a pack of what is about something
//! that Wardwatch's sensors state.

use std::fmt;

mod convert;
mod document;
mod fingerprint;
mod params;
mod pattern;
mod subject;

pub use convert::Converted;
pub use fingerprint::{Fingerprint, Vector};

/// The largest database that is read, in octets.
pub const LARGEST_DATABASE: usize = 16 << 20;

/// The fingerprints of one file, in the order in which they are tried: the first that matches is believed.
#[derive(Debug)]
pub struct Database {
    /// What its texts are, such as `http_header.server`; the name of the file where it does not say.
    pub matches: String,
    /// The protocol of the services; empty where there are several.
    pub protocol: String,
    /// In their order.
    pub fingerprints: Vec<Fingerprint>,
    /// Fingerprints whose patterns cannot be compiled.
    pub refused: Vec<Refused>,
}

/// A fingerprint that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// What it is for.
    pub description: String,
    /// Why it cannot be used.
    pub reason: String,
    /// How many examples it has.
    pub examples: usize,
}

/// A database that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct RecogError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl Database {
    /// Reads the text of one file, whose name (without its ending) stands for what it matches where it does not say.
    ///
    /// # Errors
    /// It is no XML, too large, or not as `fingerprints.xsd` has it.
    pub fn parse(file: &str, text: &str) -> Result<Self, RecogError> {
        document::read(file, text).map(Self::compile)
    }

    fn compile(document: document::Document) -> Self {
        let document::Document { matches, protocol, fingerprints } = document;
        let mut database = Self { matches, protocol, fingerprints: Vec::new(), refused: Vec::new() };
        for raw in fingerprints {
            let (line, description, examples) = (raw.line, raw.description.clone(), raw.examples.len());
            match Fingerprint::compile(raw, &database.protocol) {
                Ok(fingerprint) => database.fingerprints.push(fingerprint),
                Err(reason) => database.refused.push(Refused { line, description, reason, examples }),
            }
        }
        database
    }

    /// Holds every fingerprint to its own examples.
    pub fn check(&self) -> impl Iterator<Item = Vector<'_>> {
        self.fingerprints.iter().flat_map(Fingerprint::check)
    }

    /// How many examples there are, also of what was refused.
    pub fn examples(&self) -> usize {
        let of_refused: usize = self.refused.iter().map(|refused| refused.examples).sum();
        self.fingerprints.iter().map(|fingerprint| fingerprint.examples.len()).sum::<usize>() + of_refused
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.description, self.reason)
    }
}
