//! What the program does.

use std::collections::BTreeSet;
use std::io::{self, Write as _};

use anyhow::Result;
use wardwatch_fault_suite::facts::FactsLog;
use wardwatch_fault_suite::guards::{Named, directed};
use wardwatch_fault_suite::ledger::{Entry, Ledger};
use wardwatch_fault_suite::plan::{Plan, Side};
use wardwatch_fault_suite::stage::Log;
use wardwatch_fault_suite::{reference, subject, trial};

use crate::{Arguments, summary};

/// The seeds that are run when none are named, as in the continuous integration.
const SEEDS: std::ops::Range<u64> = 0..20;

/// Whether all went as it should.
pub(crate) async fn run(arguments: Arguments) -> Result<bool> {
    let path = match &arguments.ledger {
        Some(path) => path.clone(),
        None => reference::folder()?.join("ledger.jsonl"),
    };
    let mut suite = Suite { ledger: Ledger::open(&path)?, build: subject::build_id()?, keep: arguments.keep };
    let without: Vec<Named> = arguments.without.clone();
    if arguments.summary {
        say(&summary::of(suite.ledger.entries()));
        return Ok(true);
    }
    if arguments.guards {
        return suite.guards(&Named::ALL, true).await;
    }
    if let (None, None, false) = (&arguments.seed, &arguments.seeds, without.is_empty()) {
        return suite.guards(&without, false).await;
    }
    let seeds = arguments.seed.map_or(arguments.seeds.clone().unwrap_or(SEEDS), |seed| seed..seed + 1);
    let is_series = arguments.seed.is_none();
    suite.seeds(seeds, arguments.bus, arguments.side, &without, is_series).await
}

struct Suite {
    ledger: Ledger,
    build: String,
    keep: bool,
}

impl Suite {
    async fn seeds(
        &mut self,
        seeds: std::ops::Range<u64>,
        bus: Option<Log>,
        side: Option<Side>,
        without: &[Named],
        is_series: bool,
    ) -> Result<bool> {
        let (ward, none) = (FactsLog::ward()?, FactsLog::default());
        let names: Vec<String> = without.iter().map(|guard| guard.name().to_owned()).collect();
        let mut failed = Vec::new();
        for seed in seeds {
            let run = format!("seed {seed}");
            let plan = Plan { without: names.iter().cloned().collect(), ..Plan::of_seed(seed, bus, side) };
            let facts = if plan.side == Side::After { &ward } else { &none };
            if is_series && self.ledger.has_passed(&run, &self.build, &plan) {
                continue;
            }
            if !self.one(run.clone(), facts, &plan).await? {
                failed.push(run);
            }
        }
        if is_series {
            say(&summary::of(self.ledger.entries()));
        }
        if !failed.is_empty() {
            say(&format!("failed: {}", failed.join(", ")));
        }
        Ok(failed.is_empty())
    }

    /// Runs what each guard is for without it, and with it where that is asked. True when each run ends as it has to.
    async fn guards(&mut self, guards: &[Named], with: bool) -> Result<bool> {
        let facts = FactsLog::heavy();
        let mut is_well = true;
        for guard in guards {
            let plan = directed(*guard);
            let run = format!("guard {}", guard.name());
            if with && !self.one(run.clone(), &facts, &plan).await? {
                say(&format!("{run}: fails although the guard is on"));
                is_well = false;
            }
            let without = BTreeSet::from([guard.name().to_owned()]);
            let passed = self.one(format!("{run}, switched off"), &facts, &Plan { without, ..plan }).await?;
            if passed && with {
                say(&format!("{run}: nobody notices that it is off"));
            }
            // Asked for by itself it is a run that has to fail, and does.
            is_well &= if with { !passed } else { passed };
        }
        Ok(is_well)
    }

    /// Runs one, and writes it down.
    async fn one(&mut self, run: String, facts: &FactsLog, plan: &Plan) -> Result<bool> {
        say(&format!("{run} on {:?}, faults {:?} it\n{}", plan.log, plan.side, indented(&plan.to_string())));
        let verdict = trial::held(facts, plan, self.keep).await?;
        let passed = verdict.wrong.is_none();
        let outcome = verdict.wrong.as_deref().map_or("ends like a run without faults".to_owned(), |wrong| {
            format!("does not end like a run without faults:\n{}", indented(wrong))
        });
        say(&format!("  fired: {}", verdict.report.passed.fired.join(", ")));
        say(&format!("{run}: {outcome} ({:.1} s)", verdict.seconds));
        self.ledger.add(Entry::new(run, self.build.clone(), plan, verdict))?;
        Ok(passed)
    }
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

/// To standard output, whether or not it is still there.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}
