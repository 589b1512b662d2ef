//! The inventory says what devices are: category, type, manufacturer, model, serial number and versions, against what is
//! known of them independently ([`wardwatch_tests::oracle::devices`]).
//!
//! **Met.** Of what is expected in a set of devices, a share must be stated. Each miss stands in `exceptions/devices.toml`
//! with the reason why; types that the taxonomy does not have may be excepted for a capture at once.
//!
//! **Sure.** Nothing wrong may be stated with confidence, and nothing about a device of which nobody can know what it is,
//! unless an exception says why; today none does.

#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::Result;
use wardwatch_tests::oracle::agreement::Agreement;
use wardwatch_tests::oracle::corpus;
use wardwatch_tests::oracle::devices::expected::Field;
use wardwatch_tests::oracle::devices::score::Score;
use wardwatch_tests::oracle::devices::{self, Case, Set};
use wardwatch_tests::oracle::exceptions::Exceptions;
use wardwatch_tests::skip;

/// The share of the expected types that must be stated, in each set.
const LEAST_TYPES: [(Set, f64); 3] = [(Set::FirstLab, 0.90), (Set::SecondLab, 0.90), (Set::Captures, 0.90)];

/// The share of the expected manufacturers, models, serial numbers and versions that must be stated, in each set. The aim is
/// 0.95; what is left stands in exceptions/devices.toml.
const LEAST_SAID: [(Set, f64); 3] = [(Set::FirstLab, 0.92), (Set::SecondLab, 0.95), (Set::Captures, 0.92)];

/// What a device says of itself in its own words, or by a number that stands for them.
const SAID: [Field; 4] = [Field::Manufacturer, Field::Model, Field::SerialNumber, Field::Version];

/// Exceptions name all types that the taxonomy does not have so.
const NO_SUCH_TYPE: &str = "the taxonomy has no such type";

#[test]
fn devices_of_the_lab_are_what_they_are() -> Result<()> {
    judge("devices of the lab", "lab", &devices::hospitals()?, &[Set::FirstLab, Set::SecondLab])
}

#[test]
fn devices_in_the_captures_of_others_are_what_they_are() -> Result<()> {
    let test = "inventory_is_right::devices_in_the_captures_of_others_are_what_they_are";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let cases = devices::captures(&corpus::captures(&data)?)?;
    judge("devices in captures", "captures", &cases, &[Set::Captures])
}

/// Exceptions of misses are those of the oracle `of`, and those of what is wrong and sure of `of` and "sure".
fn judge(title: &str, of: &str, cases: &[Case], sets: &[Set]) -> Result<()> {
    let mut met = Agreement::new(title, Exceptions::read("devices.toml", of)?);
    let sure = format!("{of}, sure");
    let mut right =
        Agreement::new(format!("{title}: stated for sure"), Exceptions::read("devices.toml", &sure)?);
    let mut misses = String::new();
    for case in cases {
        for judgement in &case.judgements {
            for (field, judged) in &judgement.fields {
                let (name, device) = (field.name(), &judgement.device);
                let difference = if judgement.is_found {
                    let (wanted, stated, confidence) = (&judged.wanted, &judged.stated, judged.confidence);
                    format!("{:?}: {wanted}, and stated is {stated:?} ({confidence} %)", judged.verdict)
                } else {
                    format!("{}, and there is no such device", judged.wanted)
                };
                if judged.is_expected && judged.is_met() {
                    met.agrees(name);
                } else if judged.is_expected {
                    let rule = judged.is_beyond_taxonomy.then_some(NO_SUCH_TYPE);
                    met.differs(name, &case.id, &format!("{name} {device}"), rule, &difference);
                }
                if judged.is_surely_wrong() {
                    let item = format!("{name} {device} {}", judged.stated);
                    right.differs(name, &case.id, &item, None, &difference);
                } else if judged.is_sure() {
                    right.agrees(name);
                }
                if judged.is_surely_wrong() || (judged.is_expected && !judged.is_met()) {
                    let _ = writeln!(misses, "{}: {name} {device}: {difference}", case.id);
                }
            }
        }
    }
    let score = Score::of(cases);
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "{misses}\n{}", score.table());
    met.print();
    right.print();
    let mut faults = [met.faults(), right.faults()].concat();
    for set in sets {
        faults.extend(too_low(&score, *set, "types", &[Field::Type], &LEAST_TYPES));
        faults.extend(too_low(&score, *set, "what devices say", &SAID, &LEAST_SAID));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// What is wrong with the share of these fields that is met in a set, if it is less than it must be.
fn too_low(score: &Score, set: Set, what: &str, fields: &[Field], least: &[(Set, f64)]) -> Option<String> {
    let tallies = fields.iter().map(|field| score.tally(set, *field));
    let (met, expected) =
        tallies.fold((0, 0), |(met, expected), tally| (met + tally.met(), expected + tally.expected));
    let least = least.iter().find(|(of, _)| *of == set).map_or(1.0, |(_, least)| *least);
    let share = if expected == 0 { 0.0 } else { met as f64 / expected as f64 };
    let name = set.name();
    (share < least).then(|| {
        format!(
            "{name}: {met} of {expected} {what} are met, {:.1} %: at least {:.1} %",
            share * 100.0,
            least * 100.0
        )
    })
}
