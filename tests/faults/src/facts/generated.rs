//! Facts of invented devices.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use wardwatch_alerter::judge::Judge;
use wardwatch_inventory::{Inventory, LogMoment, Settings};
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{
    Attribute, Counters, EndReason, Endpoint, Fact, Flow, Observation, Position, Protocol, Subject, subject,
};
use wardwatch_tests::oracle::dice::Dice;

/// 2026-11-22 01:00:00 UTC, in nanoseconds.
const BEGIN: u64 = 1_795_309_200_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// Batches of nothing but flows, between some hundred workstations and a few servers.
pub(super) fn heavy(batches: usize, flows: usize) -> Vec<Vec<Fact>> {
    let mut dice = Dice::new(0x4EA7);
    let mut id = 0;
    let mut batch = || {
        let mut flow = || {
            id += 1;
            let initiator = endpoint(7, dice.below(100) as u8 + 1, 30_000 + dice.below(20_000) as u32);
            let responder = endpoint(8, dice.below(5) as u8 + 1, [104, 443, 2575, 445][dice.below(4)]);
            fact(flow(id, initiator, responder, &mut dice))
        };
        (0..flows).map(|_| flow()).collect()
    };
    (0..batches).map(|_| batch()).collect()
}

/// Two devices that say from the second round on that they are one.
pub(super) const TWINS: [u8; 2] = [31, 32];
/// What they say.
pub(super) const SERIAL_NUMBER_OF_TWINS: &str = "SN-3132";

/// The serial number that some devices say.
pub(super) fn serial_number(device: u8) -> Option<String> {
    (device.is_multiple_of(5)).then(|| format!("SN-{device:04}"))
}

/// The host name that some devices say.
pub(super) fn host_name(device: u8) -> Option<String> {
    (device.is_multiple_of(7)).then(|| format!("ct{device:02}.ward.example"))
}

/// An invented device's MAC address, as people write it.
pub(super) fn mac(device: u8) -> String {
    wardwatch_proto::address::mac_text(&endpoint(1, device, 0).mac)
}

/// Its IP address.
pub(super) fn ip(device: u8) -> String {
    format!("10.1.1.{device}")
}

/// Small batches: in each round every device is heard once, with another version of its software and now and then with a
/// log-in in clear text. Some say a serial number or a host name, and two what makes them one ([`TWINS`]).
pub(super) fn changing(devices: u8, rounds: u64) -> Vec<Vec<Fact>> {
    let mut dice = Dice::new(0xC4A6);
    let mut id = 0;
    let mut batches = Vec::new();
    for round in 0..rounds {
        for device in 1..=devices {
            id += 1;
            let scanner = endpoint(1, device, 40_000);
            let flow = flow(id, scanner.clone(), endpoint(1, 250, 104), &mut dice);
            let at = flow.start;
            let say = |attribute: Attribute, value: String| {
                let subject = Subject {
                    role: subject::Role::Sender.into(),
                    endpoint: Some(scanner.clone()),
                    key: String::new(),
                };
                let observation = Observation {
                    attribute: attribute.into(),
                    value,
                    protocol: Protocol::Dicom.into(),
                    subject: Some(subject),
                    at,
                    flow: id,
                    count: 1,
                    network: String::new(),
                };
                Fact { fact: Some(Stated::Observation(observation)) }
            };
            let mut facts = vec![
                say(Attribute::Manufacturer, "Philips".to_owned()),
                say(Attribute::DicomAeTitle, format!("CT{device:02}")),
                say(Attribute::SoftwareVersion, format!("4.{round}.{device}")),
            ];
            if let Some(number) = serial_number(device) {
                facts.push(say(Attribute::SerialNumber, number));
            }
            if let Some(name) = host_name(device) {
                facts.push(say(Attribute::HostName, name));
            }
            if TWINS.contains(&device) && round > 0 {
                facts.push(say(Attribute::SerialNumber, SERIAL_NUMBER_OF_TWINS.to_owned()));
                facts.push(say(Attribute::HostName, "twin.ward.example".to_owned()));
            }
            if device % 3 == 0 {
                facts.push(say(Attribute::Location, format!("Ward {}", (round + u64::from(device)) % 4)));
            }
            if device % 4 == 0 {
                facts.push(say(Attribute::CleartextCredential, "dicom-user-passcode".to_owned()));
            }
            facts.push(fact(flow));
            batches.push(facts);
        }
    }
    batches
}

/// What becomes known by these batches.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Alerts that are raised, by their ids.
    pub(super) alerts: BTreeSet<String>,
    /// Devices, by their ids.
    pub(super) devices: BTreeSet<String>,
    /// Which of them was the first at an IP address.
    at: BTreeMap<String, String>,
}

impl Told {
    /// The id of an invented device, as long as it is no part of another.
    pub(super) fn device(&self, device: u8) -> Result<String> {
        self.at.get(&ip(device)).cloned().with_context(|| format!("nobody is heard at {}", ip(device)))
    }
}

/// What these batches tell of a site: what the pure parts of enricher and alerter say, which need no engine.
pub(super) fn told(site: &str, batches: &[Vec<Fact>]) -> Result<Told> {
    let knowledge = Arc::new(Knowledge::builtin().context("read the built-in pack")?);
    let mut inventory = Inventory::new(site, knowledge, Settings::default());
    let mut judge = Judge::new(site);
    let mut told = Told::default();
    for (offset, facts) in (0..).zip(batches) {
        let at = LogMoment { incarnation: 1, partition: 0, offset, log_time: 0 };
        let conclusions = inventory.apply("ward-1", facts.iter().cloned(), at);
        for device in conclusions.devices {
            for ip in device.ips {
                told.at.entry(ip).or_insert_with(|| device.id.clone());
            }
            told.devices.insert(device.id);
        }
        for event in conclusions.events {
            let updates = judge.apply(&event, Position::default());
            told.alerts.extend(updates.into_iter().map(|update| update.alert.id));
        }
    }
    Ok(told)
}

fn flow(id: u64, initiator: Endpoint, responder: Endpoint, dice: &mut Dice) -> Flow {
    let mut counted = || {
        let packets = 3 + dice.below(50) as u64;
        Counters {
            packets,
            frame_bytes: packets * 300,
            ip_bytes: packets * 286,
            payload_bytes: packets * 246,
        }
    };
    let (from_initiator, from_responder) = (Some(counted()), Some(counted()));
    let start = BEGIN + id * SECOND / 4;
    Flow {
        id,
        segment: 0,
        community_id: (0..20).map(|byte| (id >> (byte % 8)) as u8 ^ byte).collect(),
        initiator: Some(initiator),
        responder: Some(responder),
        ip_protocol: 6,
        protocol: Protocol::Dicom.into(),
        vlans: vec![30],
        start,
        end: start + SECOND / 2,
        from_initiator,
        from_responder,
        end_reason: EndReason::Finished.into(),
        initiator_guessed: false,
        initiator_tcp_flags: 0x1b,
        responder_tcp_flags: 0x1b,
        tunnels: Vec::new(),
        network: String::new(),
    }
}

fn endpoint(net: u8, host: u8, port: u32) -> Endpoint {
    Endpoint { mac: vec![0x00, 0x09, 0xfb, 0, net, host], ip: vec![10, 1, net, host], port }
}

fn fact(flow: Flow) -> Fact {
    Fact { fact: Some(Stated::Flow(flow)) }
}
