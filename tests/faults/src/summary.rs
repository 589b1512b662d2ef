//! What a ledger holds, for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use wardwatch_fault_suite::ledger::Entry;
use wardwatch_faults::POINTS;

/// A table of the points, and what was not reached.
pub(crate) fn of(entries: &[Entry]) -> String {
    let mut hits: BTreeMap<&str, u64> = BTreeMap::new();
    let mut fired: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for entry in entries {
        for (point, count) in &entry.hits {
            *hits.entry(point).or_default() += count;
        }
        for fault in &entry.fired {
            let Some((place, action)) = fault.split_once('=') else { continue };
            let point = place.split_once('@').map_or(place, |(point, _)| point);
            let action = action.split_once(':').map_or(action, |(action, _)| action);
            *fired.entry(point).or_default().entry(action).or_default() += 1;
        }
    }
    let mut text =
        String::from("| point | passed (at least) | killed | stopped | stalled |\n|---|--:|--:|--:|--:|\n");
    let count = |point: &str, action: &str| {
        fired.get(point).and_then(|of| of.get(action)).copied().unwrap_or_default()
    };
    for (point, passed) in &hits {
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "| `{point}` | {passed} | {} | {} | {} |",
            count(point, "kill"),
            count(point, "stop"),
            count(point, "stall")
        );
    }
    let of_a_point = |point: &&str, known: &BTreeSet<&str>| {
        known.iter().any(|name| *name == *point || (point.ends_with(':') && name.starts_with(*point)))
    };
    let known: BTreeSet<&str> = fired.keys().copied().collect();
    let never: Vec<&str> = POINTS.iter().filter(|point| !of_a_point(point, &known)).copied().collect();
    let (with, without): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| entry.without.is_empty());
    let passed = with.iter().filter(|entry| entry.passed).count();
    let seconds: Vec<f64> = entries.iter().map(|entry| entry.seconds).collect();
    let longest = seconds.iter().copied().fold(0.0, f64::max);
    let _ = writeln!(
        text,
        "\n{} runs, {passed} passed; {} faults fired at points; {} processes; {:.1} s on average, {longest:.1} s at most",
        with.len(),
        entries.iter().map(|entry| entry.fired.len()).sum::<usize>(),
        entries.iter().map(|entry| entry.processes).sum::<usize>(),
        seconds.iter().sum::<f64>() / (seconds.len().max(1) as f64),
    );
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "{} runs with a guard switched off, of which {} failed, as they have to",
        without.len(),
        without.iter().filter(|entry| !entry.passed).count()
    );
    if !never.is_empty() {
        let _ = writeln!(text, "NEVER FIRED: {}", never.join(", "));
    }
    text
}
