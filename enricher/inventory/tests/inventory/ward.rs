//! A site to try things on, and facts in a short notation.
//!
//! An endpoint is written `mac@ip`, `mac` or `ip`, each with `:port` for a port where that matters to nobody else;
//! MAC addresses are given by their last octets (`a1` is 02:00:00:00:00:a1).

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use wardwatch_inventory::{
    AttributeRecord, Conclusions, DeviceRecord, Inventory, LogMoment, NotImported, Settings, Undecided,
};
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::address;
use wardwatch_proto::v1::event::Event as Kind;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::rule_sameness::Verdict;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{
    Attribute, Counters, Endpoint, Fact, Finding, Flow, ImportTable, Observation, OverrideAttribute,
    Protocol, RuleSameness, Subject,
};

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const DAY: u64 = 86_400 * SECOND;
/// 2025-01-01.
pub(crate) const NEW_YEAR: u64 = 20_089 * DAY;

pub(crate) static KNOWLEDGE: LazyLock<Arc<Knowledge>> =
    LazyLock::new(|| Arc::new(Knowledge::builtin().expect("the built-in pack is sound")));

/// A site under test.
pub(crate) struct Site {
    pub(crate) inventory: Inventory,
    offset: u64,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self { inventory: Inventory::new("north", Arc::clone(&KNOWLEDGE), settings), offset: 0 }
    }

    /// One message from the sensor `s1`.
    pub(crate) fn hears(&mut self, facts: impl IntoIterator<Item = Fact>) -> Conclusions {
        self.hears_from("s1", facts)
    }

    pub(crate) fn hears_from(&mut self, sensor: &str, facts: impl IntoIterator<Item = Fact>) -> Conclusions {
        let at = self.moment();
        self.inventory.apply(sensor, facts, at)
    }

    /// One message from a sensor that stands in a network scope.
    pub(crate) fn hears_in(&mut self, scope: &str, facts: impl IntoIterator<Item = Fact>) -> Conclusions {
        let at = self.moment();
        self.inventory.apply_in(scope, "s1", facts, at)
    }

    /// j.doe overrides a field of a device, or withdraws that by an empty value.
    pub(crate) fn decides(
        &mut self,
        device: &DeviceRecord,
        field: &str,
        value: &str,
    ) -> Result<Conclusions, Undecided> {
        let at = self.moment();
        let wanted = OverrideAttribute {
            device: device.id.clone(),
            field: field.into(),
            value: value.into(),
            note: "seen on site".into(),
        };
        self.inventory.decide(&wanted, "j.doe", NEW_YEAR + DAY, at)
    }

    /// j.doe rules whether two devices are one.
    pub(crate) fn rules(
        &mut self,
        device: &DeviceRecord,
        other: &DeviceRecord,
        verdict: Verdict,
    ) -> Result<Conclusions, Undecided> {
        let at = self.moment();
        let wanted = RuleSameness {
            device: device.id.clone(),
            other: other.id.clone(),
            verdict: verdict.into(),
            note: "seen on site".into(),
        };
        self.inventory.rule(&wanted, "j.doe", NEW_YEAR + DAY, at)
    }

    /// j.doe imports a part of a table.
    pub(crate) fn imports(&mut self, table: &ImportTable) -> Result<Conclusions, NotImported> {
        let at = self.moment();
        self.inventory.import(table, "j.doe", NEW_YEAR + DAY, at)
    }

    pub(crate) fn withdraws_import(&mut self, name: &str) -> Result<Conclusions, NotImported> {
        let at = self.moment();
        self.inventory.withdraw_import(name, NEW_YEAR + DAY, at)
    }

    /// The built-in knowledge with a pack of one file laid over it.
    pub(crate) fn learns(&mut self, pack: &str) -> Conclusions {
        let at = self.moment();
        let knowledge = KNOWLEDGE.over("north", pack).expect("a sound pack");
        self.inventory.learn(Arc::new(knowledge), NEW_YEAR + DAY, at)
    }

    fn moment(&mut self) -> LogMoment {
        let at = LogMoment { incarnation: 1, partition: 33, offset: self.offset, log_time: 0 };
        self.offset += 1;
        at
    }

    pub(crate) fn records(&self) -> Vec<DeviceRecord> {
        self.inventory.devices().map(|device| device.record().clone()).collect()
    }

    /// The only device with this MAC address (by its last octet) or IP address, or of this name.
    pub(crate) fn device(&self, known_as: &str) -> DeviceRecord {
        let mac = address::mac_text(&endpoint(known_as).mac);
        let matching: Vec<DeviceRecord> = self
            .records()
            .into_iter()
            .filter(|record| {
                record.ips.iter().any(|ip| ip == known_as)
                    || !mac.is_empty() && record.macs.contains(&mac)
                    || record.name == known_as
            })
            .collect();
        match <[DeviceRecord; 1]>::try_from(matching) {
            Ok([only]) => only,
            Err(others) => panic!("{} devices are known as {known_as}: {others:#?}", others.len()),
        }
    }

    /// Every device in a line: MAC addresses, addresses, name of the parent.
    pub(crate) fn outline(&self) -> Vec<String> {
        let records = self.records();
        let mut lines: Vec<String> = records
            .iter()
            .map(|record| {
                let macs: Vec<&str> = record.macs.iter().filter_map(|mac| mac.get(15..)).collect();
                let place = if record.parent.is_empty() {
                    record.ips.join(",")
                } else {
                    let parent = records.iter().find(|other| other.id == record.parent);
                    format!(
                        "{} behind {}",
                        record.name,
                        parent.map_or("nobody", |parent| parent.name.as_str())
                    )
                };
                format!("{} {place}", macs.join(",")).trim().to_owned()
            })
            .collect();
        lines.sort();
        lines
    }
}

fn endpoint(text: &str) -> Endpoint {
    let (mac, ip) = match text.split_once('@') {
        Some((mac, ip)) => (mac, ip),
        None if text.parse::<IpAddr>().is_ok() => ("", text),
        None => (text, ""),
    };
    let mac = match mac {
        "" => Vec::new(),
        "broadcast" => vec![0xff; 6],
        "none" => vec![0; 6],
        octet => match u8::from_str_radix(octet, 16) {
            Ok(last) => vec![2, 0, 0, 0, 0, last],
            Err(_) => octet.split(':').filter_map(|part| u8::from_str_radix(part, 16).ok()).collect(),
        },
    };
    let ip = ip.parse().map(address::ip_bytes).unwrap_or_default();
    Endpoint { mac, ip, port: 0 }
}

/// A flow that was answered, at [`NEW_YEAR`].
pub(crate) fn flow(initiator: &str, responder: &str, protocol: Protocol) -> Fact {
    flow_at(NEW_YEAR, initiator, responder, protocol)
}

pub(crate) fn flow_at(at: u64, initiator: &str, responder: &str, protocol: Protocol) -> Fact {
    let some = Counters { packets: 3, frame_bytes: 300, ip_bytes: 250, payload_bytes: 100 };
    let flow = Flow {
        id: 7,
        initiator: Some(endpoint(initiator)),
        responder: Some(endpoint(responder)),
        ip_protocol: 6,
        protocol: protocol.into(),
        start: at,
        end: at + SECOND,
        from_initiator: Some(some),
        from_responder: Some(some),
        ..Flow::default()
    };
    Fact { fact: Some(Stated::Flow(flow)) }
}

/// A flow that nobody answered.
pub(crate) fn unanswered(initiator: &str, responder: &str) -> Fact {
    let mut fact = flow(initiator, responder, Protocol::Unspecified);
    if let Some(Stated::Flow(flow)) = &mut fact.fact {
        flow.from_responder = Some(Counters::default());
    }
    fact
}

pub(crate) fn observation(
    at: u64,
    role: Role,
    end: &str,
    key: &str,
    attribute: Attribute,
    value: &str,
    protocol: Protocol,
) -> Fact {
    let subject = Subject { role: role.into(), endpoint: Some(endpoint(end)), key: key.to_owned() };
    let observation = Observation {
        attribute: attribute.into(),
        value: value.to_owned(),
        protocol: protocol.into(),
        subject: Some(subject),
        at,
        flow: 7,
        count: 1,
        network: String::new(),
    };
    Fact { fact: Some(Stated::Observation(observation)) }
}

/// What a device says of itself.
pub(crate) fn says(end: &str, attribute: Attribute, value: &str, protocol: Protocol) -> Fact {
    observation(NEW_YEAR, Role::Sender, end, "", attribute, value, protocol)
}

/// ARP: this interface has this address.
pub(crate) fn arp_at(at: u64, mac: &str, ip: &str) -> Fact {
    observation(at, Role::Sender, &format!("{mac}@{ip}"), "", Attribute::IpAddress, ip, Protocol::Arp)
}

pub(crate) fn arp(mac: &str, ip: &str) -> Fact {
    arp_at(NEW_YEAR, mac, ip)
}

/// What is said of a third device under a key.
pub(crate) fn tells_of(
    teller: &str,
    key: &str,
    attribute: Attribute,
    value: &str,
    protocol: Protocol,
) -> Fact {
    observation(NEW_YEAR, Role::Third, teller, key, attribute, value, protocol)
}

/// What is said of an address by somebody else.
pub(crate) fn hearsay(end: &str, attribute: Attribute, value: &str, protocol: Protocol) -> Fact {
    observation(NEW_YEAR, Role::Third, end, "", attribute, value, protocol)
}

/// `appeared NAME`, `changed NAME FIELD: BEFORE > AFTER`, `finding NAME VALUE PEER`.
pub(crate) fn events(conclusions: &Conclusions) -> Vec<String> {
    let name = |device: &Option<wardwatch_proto::v1::DeviceSummary>| {
        device.as_ref().map(|device| device.name.clone()).unwrap_or_default()
    };
    let line = |kind: &Kind| match kind {
        Kind::DeviceAppeared(appeared) => format!("appeared {}", name(&appeared.device)),
        Kind::DeviceChanged(changed) => {
            format!(
                "changed {} {}: {} > {}",
                name(&changed.device),
                changed.field,
                changed.before,
                changed.after
            )
        }
        Kind::Finding(Finding { device, peer, value, .. }) => {
            format!("finding {} {value} {}", name(device), name(peer))
        }
        Kind::Command(_) => "command".to_owned(),
    };
    conclusions.events.iter().filter_map(|event| event.event.as_ref()).map(line).collect()
}

/// `attribute value protocol role count`, with `*` for what is shown.
pub(crate) fn attributes(conclusions: &Conclusions, device: &DeviceRecord) -> Vec<String> {
    let line = |record: &AttributeRecord| {
        let shown = if record.chosen { "*" } else { "" };
        format!(
            "{} {} {} {} {}{shown}",
            record.attribute, record.value, record.protocol, record.role, record.count
        )
    };
    conclusions.attributes.iter().filter(|record| *record.device == *device.id).map(line).collect()
}

/// A fact in a line.
pub(crate) fn line(fact: &Fact) -> String {
    let end = |end: &Option<Endpoint>| {
        let end = end.clone().unwrap_or_default();
        format!("{}@{}", address::mac_text(&end.mac), address::ip_text(&end.ip))
    };
    let seconds = |at: u64| at.saturating_sub(NEW_YEAR) / SECOND;
    match &fact.fact {
        Some(Stated::Flow(flow)) => {
            let answered = flow.from_responder.is_some_and(|counters| counters.packets > 0);
            let (initiator, responder) = (end(&flow.initiator), end(&flow.responder));
            format!("{} flow {initiator} {responder} {:?} {answered}", seconds(flow.start), flow.protocol())
        }
        Some(Stated::Observation(said)) => {
            let subject = said.subject.clone().unwrap_or_default();
            let (role, about, key) = (subject.role(), end(&subject.endpoint), subject.key);
            let (attribute, value, protocol) = (said.attribute(), &said.value, said.protocol());
            format!("{} {role:?} {about} {key} {attribute:?} {value} {protocol:?}", seconds(said.at))
        }
        None => String::new(),
    }
}
