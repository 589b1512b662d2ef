//! The sensor calls a flow what other tools call it, where they recognised it by content and both know the protocol.
//!
//! Of each tool's flows at least 97 % have the same name; each of the others is in `exceptions/protocols.toml` with the
//! reason.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::Protocol;
use wardwatch_tests::oracle::agreement::Agreement;
use wardwatch_tests::oracle::conversation::{Conversation, Labelled};
use wardwatch_tests::oracle::corpus::{self, Capture};
use wardwatch_tests::oracle::exceptions::Exceptions;
use wardwatch_tests::oracle::suricata::unless_suricata;
use wardwatch_tests::oracle::{ndpi, stated, suricata, zeek};
use wardwatch_tests::skip;

/// The share of a tool's flows that must have the same name.
const LEAST: f64 = 0.97;

/// One flow of a tool's, and what the sensor calls it where that is something else.
struct Compared {
    item: String,
    name: String,
    difference: Option<String>,
}

#[test]
fn ndpi_names_the_same_protocols() -> Result<()> {
    let test = "sensor_agrees_on_protocols::ndpi_names_the_same_protocols";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let captures = corpus::captures(&data)?;
    let compared = corpus::each(&captures, |capture| {
        labelled(&capture.path, ndpi::flows(&data, capture)?, ndpi::labels)
    })?;
    judge("flows that nDPI recognises by content", "ndpi", &captures, compared)
}

#[test]
fn suricata_names_the_same_protocols() -> Result<()> {
    let test = "sensor_agrees_on_protocols::suricata_names_the_same_protocols";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let Some(suricata) = unless_suricata(test) else { return Ok(()) };
    let mut captures = corpus::captures(&data)?;
    captures.extend(corpus::own()?);
    let compared = corpus::each(&captures, |capture| {
        let theirs = suricata::flows(&suricata.events(&capture.path)?)?;
        labelled(&capture.path, theirs, suricata::labels)
    })?;
    judge("flows that Suricata recognises", "suricata", &captures, compared)
}

#[test]
fn zeek_names_the_same_protocols() -> Result<()> {
    let test = "sensor_agrees_on_protocols::zeek_names_the_same_protocols";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let captures = corpus::captures(&data)?;
    let compared = corpus::each(&captures, |capture| {
        let theirs = zeek::services(&data, capture)?;
        if theirs.is_empty() {
            return Ok(Vec::new());
        }
        let flows = stated::flows(&stated::facts(&capture.path)?)?;
        let compared = theirs.into_iter().filter_map(|service| {
            let ours: Vec<Protocol> =
                flows.iter().filter(|flow| service.is_in(flow)).map(|flow| flow.protocol).collect();
            let agrees = ours.iter().any(|label| service.is_called(*label));
            // A test may have made its logs of several captures.
            (!ours.is_empty()).then(|| Compared {
                item: service.to_string(),
                name: Vec::from_iter(service.names).join(","),
                difference: (!agrees).then(|| names(&ours)),
            })
        });
        Ok(compared.collect())
    })?;
    judge("connections whose protocol Zeek logs", "zeek", &captures, compared)
}

/// Flows that a tool recognised against the sensor's between the same ends.
fn labelled(
    capture: &Path,
    theirs: Vec<Labelled>,
    labels: fn(&str) -> Option<&'static [Protocol]>,
) -> Result<Vec<Compared>> {
    if theirs.is_empty() {
        return Ok(Vec::new());
    }
    let mut ours = BTreeMap::<Conversation, Vec<Protocol>>::new();
    for flow in stated::flows(&stated::facts(capture)?)? {
        ours.entry(flow.conversation).or_default().push(flow.protocol);
    }
    let known = theirs.into_iter().filter_map(|flow| Some((labels(&flow.name)?, flow)));
    let compared = known.map(|(labels, flow)| {
        let ours = ours.get(&flow.conversation).map(Vec::as_slice).unwrap_or_default();
        let differs = !ours.iter().any(|label| labels.contains(label));
        Compared {
            item: flow.conversation.to_string(),
            name: flow.name,
            difference: differs.then(|| names(ours)),
        }
    });
    Ok(compared.collect())
}

fn names(protocols: &[Protocol]) -> String {
    let names: Vec<&str> = protocols.iter().map(|protocol| protocol.name()).collect();
    names.join(", ")
}

fn judge(title: &str, oracle: &str, captures: &[Capture], compared: Vec<Vec<Compared>>) -> Result<()> {
    let mut agreement = Agreement::new(title, Exceptions::read("protocols.toml", oracle)?);
    for (capture, compared) in captures.iter().zip(compared) {
        for Compared { item, name, difference } in compared {
            let class = name.split(['.', ',']).next().unwrap_or_default();
            match difference {
                None => agreement.agrees(class),
                Some(ours) => {
                    let difference = format!("{oracle} says {name}, the sensor {ours:?}");
                    agreement.differs(class, &capture.id, &item, None, &difference);
                }
            }
        }
    }
    agreement.print();
    let faults = agreement.faults();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(agreement.share() >= LEAST, "{:.2} % agree", agreement.share() * 100.0);
    Ok(())
}
