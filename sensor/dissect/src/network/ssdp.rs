//! SSDP, by which UPnP devices announce themselves and are searched for (UPnP Device Architecture 2.0, 1): HTTP's start line
//! and header fields in single datagrams, on any port.
//!
//! Announcements and answers say what their sender is: its UUID, kinds of device and service, and products. Who searches says
//! which software it is. Never stated: where the description stands (LOCATION), nor what is searched for. Where the
//! description stands at another address the sender speaks for that device, and nothing is said of either.

use std::net::IpAddr;

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// SSDP on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Ssdp, probe, start: || Box::new(Ssdp) };

/// Lines of one message that are read.
const MOST_LINES: usize = 64;

fn probe(input: &Input<'_>) -> Probe {
    if message(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Search,
    /// An announcement, or an answer to a search.
    Presence,
    /// The device takes its leave.
    Leave,
}

/// The fields that matter.
#[derive(Debug, Default)]
struct Message<'a> {
    /// What is announced, or found: `NT` or `ST`.
    target: Option<&'a str>,
    /// Unique service name: the device's UUID, and what is announced.
    name: Option<&'a str>,
    /// `NTS`: alive, update or byebye.
    state: Option<&'a str>,
    server: Option<&'a str>,
    user_agent: Option<&'a str>,
    location: Option<&'a str>,
}

fn message(bytes: &[u8]) -> Option<(Kind, Message<'_>)> {
    // The message is all that the datagram holds; a datagram that was cut within a letter is still one.
    let text = bytes.utf8_chunks().next()?.valid();
    let mut lines = text.lines();
    let start = lines.next()?;
    let begins = |known: &str| start.get(..known.len()).is_some_and(|head| head.eq_ignore_ascii_case(known));
    let kind = if begins("M-SEARCH * HTTP/1.") {
        Kind::Search
    } else if begins("NOTIFY * HTTP/1.") || begins("HTTP/1.1 200") || begins("HTTP/1.0 200") {
        Kind::Presence
    } else {
        return None;
    };
    let mut message = Message::default();
    for line in lines.take(MOST_LINES).take_while(|line| !line.is_empty()) {
        // What is no field is passed over: devices write all sorts of things here.
        if let Some((name, value)) = line.split_once(':') {
            message.take(name.trim(), value.trim());
        }
    }
    match kind {
        Kind::Search => message.target.map(|_| (kind, message)),
        _ if message.name.is_none() || message.target.is_none() => None,
        _ if message.state.is_some_and(|state| state.eq_ignore_ascii_case("ssdp:byebye")) => {
            Some((Kind::Leave, message))
        }
        _ => Some((kind, message)),
    }
}

impl<'a> Message<'a> {
    fn take(&mut self, name: &str, value: &'a str) {
        let is = |known: &[&str]| known.iter().any(|known| name.eq_ignore_ascii_case(known));
        let field = if is(&["NT", "ST"]) {
            &mut self.target
        } else if is(&["USN"]) {
            &mut self.name
        } else if is(&["NTS"]) {
            &mut self.state
        } else if is(&["SERVER"]) {
            &mut self.server
        } else if is(&["USER-AGENT"]) {
            &mut self.user_agent
        } else if is(&["LOCATION", "AL"]) {
            &mut self.location
        } else {
            return;
        };
        field.get_or_insert(value);
    }

    /// Whether the description of the device stands at another address than the sender's.
    fn is_of_another(&self, sender: Option<IpAddr>) -> bool {
        let described = self.location.and_then(address);
        described.zip(sender).is_some_and(|(at, sender)| at != sender && at.is_ipv4() == sender.is_ipv4())
    }

    fn state(&self, facts: &mut Facts<'_>) {
        facts.of_sender(Attribute::Role, "upnp-device");
        if let Some(server) = self.server {
            facts.of_sender(Attribute::HttpServer, server);
        }
        // `uuid:` and the device, `::` and what is announced of it.
        let name = self.name.unwrap_or_default();
        let (device, announced) = name.split_once("::").unwrap_or((name, ""));
        if let Some(uuid) = device.strip_prefix("uuid:") {
            facts.of_sender(Attribute::DeviceUuid, uuid);
        }
        let kinds = [announced, self.target.unwrap_or_default()];
        if let Some(kind) = kinds.into_iter().find(|kind| kind.starts_with("urn:")) {
            facts.of_sender(Attribute::UpnpType, kind);
        }
    }
}

/// The address in a URI, when it is one: `http://10.0.0.7:8060/`.
fn address(uri: &str) -> Option<IpAddr> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split('/').next()?;
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?.parse().ok(),
        None => authority.split(':').next()?.parse().ok(),
    }
}

struct Ssdp;

impl Dissector for Ssdp {
    fn protocol(&self) -> Protocol {
        Protocol::Ssdp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        match message(input.bytes) {
            Some((Kind::Search, message)) => {
                facts.of_sender(Attribute::Role, "upnp-control-point");
                if let Some(agent) = message.user_agent.or(message.server) {
                    facts.of_sender(Attribute::HttpUserAgent, agent);
                }
            }
            Some((Kind::Presence, message)) if !message.is_of_another(input.sender.ip) => {
                message.state(facts);
            }
            _ => {}
        }
        Progress::Consumed(input.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{FromInitiator, FromResponder};
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    const CANDIDATES: &[Candidate] = &[CANDIDATE];

    /// As in the Device Architecture, 1.2.2 and 1.3.3, with `at` as the address of the description.
    fn notify(at: &str, state: &str) -> String {
        format!(
            "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age = 1800\r\n\
             LOCATION: http://{at}/secret.xml\r\nNT: urn:schemas-upnp-org:device:MediaRenderer:1\r\nNTS: {state}\r\n\
             SERVER: Linux/4.9 UPnP/1.0 Display/2.1\r\n\
             USN: uuid:2FAC1234-31F8-11B4-A222-08002B34C003::urn:schemas-upnp-org:device:MediaRenderer:1\r\n\r\n"
        )
    }

    fn said(text: &str) -> Vec<String> {
        TestFlow::new(CANDIDATES).datagram(FromInitiator, text.as_bytes()).said()
    }

    #[test]
    fn a_device_announces_what_it_is() {
        assert_eq!(
            said(&notify("192.0.2.1:80", "ssdp:alive")),
            [
                "sender 192.0.2.1 role upnp-device",
                "sender 192.0.2.1 http_server Linux/4.9 UPnP/1.0 Display/2.1",
                "sender 192.0.2.1 device_uuid 2fac1234-31f8-11b4-a222-08002b34c003",
                "sender 192.0.2.1 upnp_type urn:schemas-upnp-org:device:MediaRenderer:1",
            ]
        );
    }

    #[test]
    fn who_leaves_and_who_speaks_for_another_says_nothing() {
        assert!(said(&notify("192.0.2.1:80", "ssdp:byebye")).is_empty());
        assert!(said(&notify("192.0.2.9:80", "ssdp:alive")).is_empty());
        assert_eq!(said(&notify("[fe80::1]:80", "ssdp:alive")).len(), 4);
    }

    #[test]
    fn an_answer_to_a_search_is_about_its_sender_and_what_was_searched_for_is_not_told() {
        let search = "M-SEARCH * HTTP/1.1\r\nHost:239.255.255.250:1900\r\nST:ssdp:all\r\nMan:\"ssdp:discover\"\r\n\
                      USER-AGENT: Windows/10.0 UPnP/1.1 Finder/3\r\n\r\n";
        let answer = "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:2fac1234-31f8-11b4-a222-08002b34c003::upnp:rootdevice\r\n";
        let flow = TestFlow::new(CANDIDATES)
            .datagram(FromInitiator, search.as_bytes())
            .datagram(FromResponder, answer.as_bytes());
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role upnp-control-point",
                "sender 192.0.2.1 http_user_agent Windows/10.0 UPnP/1.1 Finder/3",
                "sender 192.0.2.2 role upnp-device",
                "sender 192.0.2.2 device_uuid 2fac1234-31f8-11b4-a222-08002b34c003",
            ]
        );
    }

    #[test]
    fn other_text_in_datagrams_is_not_this_protocol() {
        for other in
            ["NOTIFY sip:a@b SIP/2.0\r\n\r\n", "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n", "M-SEARCH", ""]
        {
            assert!(said(other).is_empty(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn mutated_messages_neither_panic_nor_tell_where_the_description_is(
            at in any::<prop::sample::Index>(), octet in any::<u8>(),
        ) {
            let whole = notify("192.0.2.1:80", "ssdp:alive");
            let mut bytes = whole.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = octet;
            let flow = TestFlow::new(CANDIDATES)
                .datagram(FromInitiator, whole.as_bytes())
                .datagram(FromInitiator, &bytes);
            let said = format!("{:?}", flow.statements);
            prop_assert!(!said.contains("secret"), "{said}");
        }
    }
}
