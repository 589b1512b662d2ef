//! Kinds of devices are told by what the sensor states of their first minutes, the MAC address withheld.
//!
//! On the 368 set-up captures of the IoT Sentinel data set; `cargo xtask bench behaviour` prints all of it, and
//! `docs/accuracy.md` has the figures.

#![forbid(unsafe_code)]

use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use wardwatch_knowledge::Names;
use wardwatch_tests::behaviour::answers::Answers;
use wardwatch_tests::behaviour::archive::{self, Labelled};
use wardwatch_tests::behaviour::trial::{ALIKE, SAME, Trial};
use wardwatch_tests::skip;

/// Where the archive is in the test data.
const ARCHIVE: &str = "captures/iot/iot_sentinel_dev.tar.zst";

/// The archive, read once for all tests.
static CAPTURES: LazyLock<Result<Vec<Labelled>, String>> = LazyLock::new(|| {
    let data = skip::unless_test_data("sensor_knows_devices").ok_or("there is no test data")?;
    archive::read(&data.join(ARCHIVE)).map_err(|error| format!("{error:#}"))
});

/// `None` where the archive is not there: `test` is skipped.
fn trial(test: &str, names: Names) -> Result<Option<Trial>> {
    let test = format!("sensor_knows_devices::{test}");
    let Some(data) = skip::unless_test_data(&test) else { return Ok(None) };
    if !data.join(ARCHIVE).is_file() {
        skip::skip(&test, format!("needs {ARCHIVE} in {}", data.display()));
        return Ok(None);
    }
    let captures = CAPTURES.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
    let same =
        SAME.iter().map(|text| text.parse()).collect::<Result<Vec<_>>>().context("devices of a kind")?;
    let alike =
        ALIKE.iter().map(|text| text.parse()).collect::<Result<Vec<_>>>().context("kinds of a group")?;
    Ok(Some(Trial::new(captures, names, &same, &alike)))
}

#[track_caller]
fn at_least(what: &str, share: f64, least: f64) {
    assert!(share >= least, "{what}: {share:.3} is less than {least}");
}

fn judge(answers: &Answers, groups: &[Vec<String>], least: f64) {
    at_least("accuracy", answers.accuracy(), least);
    at_least("macro F1", answers.macro_f1(), least);
    at_least("accuracy, near-identical kinds merged", answers.merged(groups).accuracy(), 0.98);
    at_least("macro F1, near-identical kinds merged", answers.merged(groups).macro_f1(), 0.98);
}

#[test]
fn by_behaviour_alone() -> Result<()> {
    let Some(trial) = trial("by_behaviour_alone", Names::Withheld)? else { return Ok(()) };
    assert_eq!((trial.captures(), trial.kinds().len()), (368, 24));
    judge(&trial.folds()?, trial.groups(), 0.92);
    Ok(())
}

#[test]
fn by_behaviour_and_names() -> Result<()> {
    let Some(trial) = trial("by_behaviour_and_names", Names::Used)? else { return Ok(()) };
    judge(&trial.folds()?, trial.groups(), 0.93);
    Ok(())
}

#[test]
fn what_was_never_seen_is_unknown() -> Result<()> {
    let Some(trial) = trial("what_was_never_seen_is_unknown", Names::Withheld)? else { return Ok(()) };
    at_least("known devices that are known", 1.0 - trial.folds()?.unknown(), 0.90);
    at_least("strangers that are unknown", trial.strange_groups()?.unknown(), 0.95);
    Ok(())
}
