//! What was tried, a line of JSON for each run: so that a long series can be interrupted and gone on with, and so that it
//! can be seen which points were hit how often.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::content::Repeats;
use crate::plan::{Plan, Side};
use crate::stage::Log;
use crate::trial::Verdict;

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// What it was made from: `seed 7`, `guard mark`.
    pub run: String,
    /// Which log.
    pub log: Log,
    /// On which side of it things happened.
    pub side: Side,
    /// The build that was under test.
    pub build: String,
    /// Guards that were switched off.
    pub without: Vec<String>,
    /// Who ran and what befell them, in words.
    pub plan: String,
    /// Whether it ended like a run without faults.
    pub passed: bool,
    /// Whether nothing went with a sensor that was killed, so that all could be compared.
    pub is_whole: bool,
    /// What was wrong, if not.
    pub wrong: Option<String>,
    /// How often each point was passed; above 1 the highest power of two of each process, added up.
    pub hits: BTreeMap<String, u64>,
    /// What fired.
    pub fired: Vec<String>,
    /// What came twice, as it may.
    pub repeats: Repeats,
    /// Processes of services, killed or not.
    pub processes: usize,
    /// How long it took, engines and comparison included.
    pub seconds: f64,
}

impl Entry {
    /// From a plan and what came of it.
    pub fn new(run: String, build: String, plan: &Plan, verdict: Verdict) -> Self {
        let Verdict { wrong, report, repeats, is_whole, seconds } = verdict;
        Self {
            run,
            log: plan.log,
            side: plan.side,
            build,
            without: plan.without.iter().cloned().collect(),
            plan: plan.to_string(),
            is_whole,
            passed: wrong.is_none(),
            wrong,
            hits: report.passed.hits,
            fired: report.passed.fired,
            repeats,
            processes: report.processes,
            seconds,
        }
    }
}

/// The file.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Ledger {
    /// Reads what it holds; a file that is not there holds nothing.
    pub fn open(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        };
        // The last line may have been cut off with the program that wrote it.
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let entries = lines.map(serde_json::from_str).collect::<Result<_, _>>();
        let entries = entries.with_context(|| format!("read {}", path.display()))?;
        Ok(Self { path: path.to_owned(), entries })
    }

    /// Whether this run has passed with this build already.
    pub fn has_passed(&self, run: &str, build: &str, plan: &Plan) -> bool {
        let same = |entry: &&Entry| {
            (entry.run.as_str(), entry.log, entry.side, entry.build.as_str())
                == (run, plan.log, plan.side, build)
                && entry.without.iter().eq(&plan.without)
        };
        self.entries.iter().filter(same).any(|entry| entry.passed)
    }

    /// Adds a run.
    pub fn add(&mut self, entry: Entry) -> Result<()> {
        let failed = || format!("write {}", self.path.display());
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).with_context(failed)?;
        }
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path).with_context(failed)?;
        file.write_all(format!("{}\n", serde_json::to_string(&entry)?).as_bytes()).with_context(failed)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Every run.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(run: &str, passed: bool) -> Entry {
        Entry {
            run: run.to_owned(),
            log: Log::Kafka,
            side: Side::After,
            build: "b1".to_owned(),
            without: Vec::new(),
            plan: String::new(),
            passed,
            is_whole: true,
            wrong: None,
            hits: BTreeMap::new(),
            fired: Vec::new(),
            repeats: Repeats::default(),
            processes: 2,
            seconds: 1.0,
        }
    }

    #[test]
    fn a_series_goes_on_where_it_was_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faults/ledger.jsonl");
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.add(entry("seed 1", true)).unwrap();
        ledger.add(entry("seed 2", false)).unwrap();
        // Cut off in the middle of a line.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"run\":\"se").unwrap();
        let ledger = Ledger::open(&path).unwrap();
        let plan = Plan::calm(Log::Kafka, Side::After);
        assert!(ledger.has_passed("seed 1", "b1", &plan));
        assert!(!ledger.has_passed("seed 1", "b2", &plan), "another build has not been tried");
        assert!(!ledger.has_passed("seed 1", "b1", &Plan::calm(Log::Embedded, Side::After)));
        assert!(!ledger.has_passed("seed 1", "b1", &Plan::calm(Log::Kafka, Side::Before)));
        assert!(!ledger.has_passed("seed 2", "b1", &plan), "it failed");
        assert!(!ledger.has_passed("seed 3", "b1", &plan));
    }
}
