//! What other monitors of networks log of a capture, the sensor states too: whose field, and what it says.
//!
//! They speak of less than the sensor does, so that one direction is compared: what they say. Where the sensor does not
//! state it, `exceptions/logs.toml` has the reason why.

#![forbid(unsafe_code)]

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use anyhow::Result;
use wardwatch_proto::attribute;
use wardwatch_tests::oracle::agreement::Agreement;
use wardwatch_tests::oracle::corpus::{self, Capture};
use wardwatch_tests::oracle::exceptions::Exceptions;
use wardwatch_tests::oracle::statement::{self, Statement};
use wardwatch_tests::oracle::suricata::unless_suricata;
use wardwatch_tests::oracle::{stated, suricata, zeek};
use wardwatch_tests::skip;

/// The share of all readings in which the sensor must agree, exceptions counted as differences.
const LEAST: f64 = 0.99;

/// What exceptions call a value that no attribute's grammar lets out of a sensor.
const WITHHELD: &str = "withheld by the grammar";

#[test]
fn what_zeek_logs_is_stated() -> Result<()> {
    let test = "sensor_agrees_on_logs::what_zeek_logs_is_stated";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let captures = corpus::captures(&data)?;
    let compared = corpus::each(&captures, |capture| {
        let facts = stated::facts(&capture.path)?;
        let flows = stated::flows(&facts)?;
        let seen: HashSet<IpAddr> =
            flows.iter().flat_map(|flow| flow.conversation.ends).map(|end| end.ip()).collect();
        let theirs = zeek::fields::statements(&data, capture, |device| seen.contains(&device))?;
        Ok((theirs, statement::of_sensor(&facts)))
    })?;
    judge("fields that Zeek logs", "zeek", &captures, &compared)
}

#[test]
fn what_suricata_tells_is_stated() -> Result<()> {
    let test = "sensor_agrees_on_logs::what_suricata_tells_is_stated";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let Some(suricata) = unless_suricata(test) else { return Ok(()) };
    let mut captures = corpus::captures(&data)?;
    captures.extend(corpus::own()?);
    let compared = corpus::each(&captures, |capture| {
        let theirs = suricata::fields::statements(&suricata.events(&capture.path)?)?;
        Ok((theirs, statement::of_sensor(&stated::facts(&capture.path)?)))
    })?;
    judge("fields that Suricata tells", "suricata", &captures, &compared)
}

/// What an oracle says of a capture, and what the sensor states.
type Compared = (BTreeSet<Statement>, BTreeSet<Statement>);

/// Whether the sensor says it, of the device or of one that it speaks for: logs do not tell apart who is behind an address.
fn is_stated(said: &Statement, ours: &BTreeSet<Statement>) -> bool {
    let of_whom = format!("{} ", said.subject);
    ours.contains(said)
        || ours.iter().any(|ours| {
            ours.field == said.field && ours.value == said.value && ours.subject.starts_with(&of_whom)
        })
}

fn judge(title: &str, oracle: &str, captures: &[Capture], compared: &[Compared]) -> Result<()> {
    let mut agreement = Agreement::new(title, Exceptions::read("logs.toml", oracle)?);
    for (capture, (theirs, ours)) in captures.iter().zip(compared) {
        for said in theirs {
            let class = said.field.name();
            if is_stated(said, ours) {
                agreement.agrees(&class);
                continue;
            }
            let item = format!("{class} {} {}", said.subject, said.value);
            let is_withheld = attribute::accept(said.field.attribute, &said.value).is_none();
            let rule = is_withheld.then_some(WITHHELD);
            agreement.differs(&class, &capture.id, &item, rule, "not stated");
        }
    }
    agreement.print();
    let mut faults = agreement.faults();
    if agreement.share() < LEAST {
        faults.push(format!("{:.2} % of all agree", agreement.share() * 100.0));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}
