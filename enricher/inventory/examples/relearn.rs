//! What loading a knowledge pack costs: how long it takes to conclude every device of a site anew.
//!
//! `cargo run --release -p wardwatch-inventory --example relearn -- DEVICES`

#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::sync::Arc;
use std::time::Instant;

use wardwatch_inventory::{Inventory, LogMoment, Settings};
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Counters, Endpoint, Fact, Flow, Observation, Protocol, Subject};

const PACK: &str = r#"
version = "1"
[[rule]]
id = "ours"
type = "infusion pump"
confidence = 99
because = "it stands in our list"
when = [{ attribute = "model", exact = "X1" }]
example = [{ attribute = "model", value = "X1" }]
"#;

/// What a scanner says of itself, and a flow.
fn facts(number: u32) -> Vec<Fact> {
    let [_, a, b, c] = number.to_be_bytes();
    let end = |a, b, c| Endpoint { mac: vec![2, 0, 0, a, b, c], ip: vec![10, a, b, c], port: 104 };
    let counted = Some(Counters { packets: 3, ..Counters::default() });
    let flow = Flow {
        initiator: Some(end(a, b, c)),
        responder: Some(end(255, 0, 1)),
        from_initiator: counted,
        from_responder: counted,
        protocol: Protocol::Dicom.into(),
        ..Flow::default()
    };
    let said = [
        (Attribute::Manufacturer, "GE MEDICAL SYSTEMS"),
        (Attribute::Model, if number.is_multiple_of(10) { "X1" } else { "X2" }),
        (Attribute::SerialNumber, "42"),
        (Attribute::SoftwareVersion, "1.0"),
        (Attribute::DicomModality, "CT"),
        (Attribute::DicomSopClass, "1.2.840.10008.5.1.4.31"),
        (Attribute::StationName, "CT01"),
        (Attribute::Role, "dicom-storage-scu"),
    ];
    let said = said.map(|(attribute, value)| {
        let subject = Subject { role: Role::Sender.into(), endpoint: Some(end(a, b, c)), key: String::new() };
        Fact {
            fact: Some(Stated::Observation(Observation {
                attribute: attribute.into(),
                value: value.into(),
                protocol: Protocol::Dicom.into(),
                subject: Some(subject),
                ..Observation::default()
            })),
        }
    });
    std::iter::once(Fact { fact: Some(Stated::Flow(flow)) }).chain(said).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: u32 = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let builtin = Arc::new(Knowledge::builtin()?);
    let mut inventory = Inventory::new("north", Arc::clone(&builtin), Settings::default());
    let moment = |offset| LogMoment { incarnation: 1, partition: 0, offset, log_time: 0 };
    for first in (1..=count).step_by(100) {
        let facts = (first..(first + 100).min(count + 1)).flat_map(facts);
        inventory.apply("s1", facts, moment(u64::from(first)));
    }
    inventory.take_changed_state();
    let begun = Instant::now();
    let learned = Arc::new(builtin.over("ours", PACK)?);
    println!("reading the pack: {:?}", begun.elapsed());
    let begun = Instant::now();
    let said = inventory.learn(learned, 0, moment(u64::MAX));
    let took = begun.elapsed();
    let (devices, changes, attributes) = (said.devices.len(), said.changes.len(), said.attributes.len());
    println!("{devices} devices, {changes} changes, {attributes} statements: {took:?}");
    println!("{:.1} us a device", took.as_secs_f64() * 1e6 / f64::from(count.max(1)));
    Ok(())
}
