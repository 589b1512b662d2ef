//! The seeds of every target, within bounds, and their files.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use wardwatch_dissect::fuzzing::{Recording, Table, Target};
use wardwatch_dissect::{Conversation, Outcome, Statements};
use wardwatch_proto::v1::Protocol;

/// The longest seed, in bytes.
pub(crate) const LONGEST: usize = 64 << 10;

/// Seeds of one target.
const MOST: usize = 300;

/// Seeds of one target from one source, so that no capture crowds out the others.
const MOST_OF_ONE: usize = 20;

/// What seeds' files are called; the fuzzer calls what it finds otherwise.
const PREFIX: &str = "seed-";

/// Seeds by target.
pub(crate) struct Corpus {
    targets: BTreeMap<String, Seeds>,
}

#[derive(Default)]
struct Seeds {
    all: Vec<Vec<u8>>,
    known: HashSet<Vec<u8>>,
    of_this_source: usize,
}

impl Corpus {
    /// Of every candidate, none yet.
    pub(crate) fn new() -> Self {
        Self { targets: Target::all().map(|target| (target.to_string(), Seeds::default())).collect() }
    }

    /// What comes now is from another source than what came before.
    pub(crate) fn begin_source(&mut self) {
        for seeds in self.targets.values_mut() {
            seeds.of_this_source = 0;
        }
    }

    /// Takes a seed, unless there are enough.
    pub(crate) fn take(&mut self, target: &str, seed: Vec<u8>) {
        let seeds = self.targets.entry(target.to_owned()).or_default();
        if seeds.wants_more() && seed.len() <= LONGEST && seeds.known.insert(seed.clone()) {
            seeds.of_this_source += 1;
            seeds.all.push(seed);
        }
    }

    /// Takes a conversation for each candidate of its table that knows it, and what passed on TCP also for those of UDP:
    /// some protocols look the same on both, and captures have them on one only.
    pub(crate) fn take_recording(&mut self, table: Table, recording: &Recording) {
        let is_asked = |target: &Target| {
            target.table() == table
                || (table == Table::Tcp && target.table() == Table::Udp && is_on_both(*target))
        };
        for target in Target::all().filter(is_asked) {
            let name = target.to_string();
            let wants_more = self.targets.get(&name).is_none_or(Seeds::wants_more);
            if wants_more && is_known(target, recording) {
                self.take(&name, recording.encode());
            }
        }
    }

    /// Writes a folder for each target in place of the seeds that are there, and says how many each has.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<Vec<(&str, usize)>> {
        for (target, seeds) in &self.targets {
            let folder = folder.join(target);
            fs::create_dir_all(&folder)?;
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                    fs::remove_file(entry.path())?;
                }
            }
            for (number, seed) in seeds.all.iter().enumerate() {
                fs::write(folder.join(format!("{PREFIX}{number:03}")), seed)?;
            }
        }
        Ok(self.targets.iter().map(|(target, seeds)| (target.as_str(), seeds.all.len())).collect())
    }
}

impl Seeds {
    fn wants_more(&self) -> bool {
        self.all.len() < MOST && self.of_this_source < MOST_OF_ONE
    }
}

/// Whether a candidate's protocol is looked for on TCP as well as on UDP.
fn is_on_both(target: Target) -> bool {
    [Table::Tcp, Table::Udp]
        .into_iter()
        .all(|table| table.candidates().iter().any(|candidate| candidate.protocol == target.protocol()))
}

/// Whether the candidate, asked alone, recognises it.
fn is_known(target: Target, recording: &Recording) -> bool {
    let mut conversation = Conversation::new(target.alone());
    let mut statements = Statements::default();
    for numbered in recording.rows.iter().enumerate() {
        if matches!(target.table(), Table::Ip | Table::Link) {
            conversation = Conversation::new(target.alone());
        }
        recording.show(numbered, target.table(), &mut conversation, &mut statements);
        if conversation.protocol() != Protocol::Unspecified {
            return true;
        }
        if conversation.outcome() != Outcome::Going && target.table() == Table::Tcp {
            return false;
        }
    }
    false
}
