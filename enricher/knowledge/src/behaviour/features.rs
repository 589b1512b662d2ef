//! From a device's habits to statements that hold or do not.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::Attribute;

use super::habits::{Habits, Sketch};
use super::kind::Kind;
use super::said::{self, Names};

/// Attributes of which it tells something that they are said at all.
const ANNOUNCED: [Attribute; 2] = [Attribute::UpnpType, Attribute::ServiceType];

/// The features of a device: each a short text, in order, without repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    texts: Vec<Box<str>>,
}

impl Features {
    /// Of a device's first minutes.
    pub fn of(habits: &Habits, names: Names) -> Self {
        let until = habits.until();
        let mut flows: Vec<&Sketch> = habits.flows.iter().filter(|flow| flow.start <= until).collect();
        flows.sort_by_key(|flow| (flow.start, flow.id));
        let mut texts = BTreeSet::new();
        for flow in &flows {
            of_flow(flow, &mut texts);
        }
        of_all(&flows, &mut texts);
        of_words(habits, &flows, names, &mut texts);
        Self { texts: texts.into_iter().map(String::into_boxed_str).collect() }
    }

    /// The texts, in their order.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether nothing is known of the device.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

impl<T: Into<Box<str>>> FromIterator<T> for Features {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let texts: BTreeSet<Box<str>> = texts.into_iter().map(Into::into).collect();
        Self { texts: texts.into_iter().collect() }
    }
}

/// What one flow shows. How much the device got is left out: that is its servers' behaviour.
fn of_flow(flow: &Sketch, texts: &mut BTreeSet<String>) {
    let Sketch { kind, octets, shared_port, .. } = flow;
    texts.insert(format!("does {kind}"));
    texts.insert(format!("sends {kind}: {octets} octets"));
    texts.insert(format!("sends {kind}: about {} octets", rounded(*octets)));
    if let Some(port) = shared_port {
        texts.insert(format!("has port {port} at both ends"));
    }
}

/// How many flows there are of each kind, and in which order kinds come.
fn of_all(flows: &[&Sketch], texts: &mut BTreeSet<String>) {
    let mut times: BTreeMap<Kind, u32> = BTreeMap::new();
    let mut order = Vec::new();
    for flow in flows {
        let count = times.entry(flow.kind).or_default();
        if *count == 0 {
            order.push(flow.kind);
        }
        *count += 1;
    }
    for (kind, count) in &times {
        let least = 1_u32 << count.ilog2();
        texts.insert(format!("does {kind}: {least} to {} times", 2 * least - 1));
    }
    for pair in order.windows(2) {
        if let [first, next] = pair {
            texts.insert(format!("first {first}, then {next}"));
        }
    }
}

/// What the device says, and whom it talks to.
fn of_words(habits: &Habits, flows: &[&Sketch], names: Names, texts: &mut BTreeSet<String>) {
    for (attribute, value) in &habits.said {
        if ANNOUNCED.contains(attribute) {
            texts.insert(format!("says {}", attribute.name()));
        }
        if names == Names::Used || said::of_device(*attribute) == Some(Names::Withheld) {
            texts.insert(format!("says {} {value}", attribute.name()));
        }
    }
    if names == Names::Withheld {
        return;
    }
    let opened: BTreeSet<u64> = flows.iter().filter(|flow| flow.kind.is_opened).map(|flow| flow.id).collect();
    let of_opened = habits.overheard.iter().filter(|(flow, ..)| opened.contains(flow));
    for (_, attribute, value) in of_opened.filter(|(.., value)| !is_address(value)) {
        texts.insert(format!("meets {} {value}", attribute.name()));
    }
}

/// Whether a server is named by its address, with or without a port.
fn is_address(value: &str) -> bool {
    let bare = value.rsplit_once(':').map_or(value, |(host, _)| host);
    [value, bare].iter().any(|text| text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok())
}

/// Down to three binary digits.
fn rounded(octets: u64) -> u64 {
    match octets.checked_ilog2() {
        Some(log) if log > 2 => octets >> (log - 2) << (log - 2),
        _ => octets,
    }
}

#[cfg(test)]
mod tests {
    use wardwatch_proto::v1::subject::Role;
    use wardwatch_proto::v1::{Counters, Endpoint, Flow, Observation, Protocol, Subject};

    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0xab, 0xcd];

    fn habits() -> Habits {
        let mut habits = Habits::new(MAC);
        let end = |mac: [u8; 6], ip, port| Some(Endpoint { mac: mac.into(), ip: Vec::from(ip), port });
        for (id, port, to, protocol) in
            [(1, 53, [10, 0, 0, 1], Protocol::Dns), (2, 443, [9, 9, 9, 9], Protocol::Tls)]
        {
            habits.flow(&Flow {
                id,
                start: id,
                ip_protocol: 17,
                protocol: protocol.into(),
                initiator: end(MAC, [10, 0, 0, 7], 50_000),
                responder: end([2, 0, 0, 0, 0, 1], to, port),
                from_initiator: Some(Counters { packets: 1, payload_bytes: 33, ..Counters::default() }),
                ..Flow::default()
            });
        }
        for (attribute, value, mac, flow) in [
            (Attribute::TlsServerName, "cloud.example", [2, 0, 0, 0, 0, 1], 2),
            (Attribute::TlsServerName, "9.9.9.9", [2, 0, 0, 0, 0, 1], 2),
            (Attribute::TlsServerName, "other.example", [2, 0, 0, 0, 0, 1], 3),
            (Attribute::UpnpType, "urn:acme:device:pump:1", MAC, 0),
            (Attribute::NtpVersion, "3", MAC, 0),
        ] {
            let endpoint = Some(Endpoint { mac: mac.into(), ..Endpoint::default() });
            habits.observation(&Observation {
                attribute: attribute.into(),
                value: value.to_owned(),
                subject: Some(Subject { role: Role::Sender.into(), endpoint, ..Subject::default() }),
                flow,
                ..Observation::default()
            });
        }
        habits
    }

    #[test]
    fn behaviour_alone_has_no_names() {
        let features = Features::of(&habits(), Names::Withheld);
        assert_eq!(
            features.texts().collect::<Vec<_>>(),
            [
                "does dns/udp to site :53",
                "does dns/udp to site :53: 1 to 1 times",
                "does tls/udp to internet :443",
                "does tls/udp to internet :443: 1 to 1 times",
                "first dns/udp to site :53, then tls/udp to internet :443",
                "says ntp_version 3",
                "says upnp_type",
                "sends dns/udp to site :53: 33 octets",
                "sends dns/udp to site :53: about 32 octets",
                "sends tls/udp to internet :443: 33 octets",
                "sends tls/udp to internet :443: about 32 octets",
            ]
        );
    }

    #[test]
    fn names_are_the_devices_own_and_those_of_servers_in_its_flows() {
        let (alone, named) = (Features::of(&habits(), Names::Withheld), Features::of(&habits(), Names::Used));
        let more: Vec<_> = named.texts().filter(|text| !alone.texts().any(|known| known == *text)).collect();
        assert_eq!(more, ["meets tls_server_name cloud.example", "says upnp_type urn:acme:device:pump:1"]);
    }

    #[test]
    fn sizes_are_rounded_down_to_three_binary_digits() {
        assert_eq!([0, 7, 9, 33, 227, 4499].map(rounded), [0, 7, 8, 32, 224, 4096]);
    }
}
