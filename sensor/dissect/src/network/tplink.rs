//! TP-Link's Smart Home Protocol over UDP: plugs, lamps and cameras tell what they are, in JSON under a cipher without a key.
//!
//! No standard; every octet is combined with the one before it, the first with 171. Stated of the answer to `get_sysinfo`: model,
//! versions and hardware address. Never: the name that its owner gave it, and where it stands (`latitude_i`).

use serde_json::Value;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::scope::hardware_address;
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// TP-Link's protocol on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::TplinkShp, probe, start: || Box::new(Tplink) };

const FIRST: u8 = 171;

/// Keys of the answer, and what they say.
const KEYS: &[(&str, Attribute)] = &[
    ("model", Attribute::Model),
    ("dev_name", Attribute::Description),
    ("hw_ver", Attribute::HardwareVersion),
    ("sw_ver", Attribute::FirmwareVersion),
];

/// The octets in clear.
fn deciphered(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let before = std::iter::once(&FIRST).chain(bytes);
    bytes.iter().zip(before).map(|(octet, before)| octet ^ before)
}

fn probe(input: &Input<'_>) -> Probe {
    // An object whose first key is one of the modules that there are.
    let begins = |start: &str| deciphered(input.bytes).take(start.len()).eq(start.bytes());
    let known = [
        "{\"system\":",
        "{\"emeter\":",
        "{\"smartlife.iot",
        "{\"cnCloud\":",
        "{\"netif\":",
        "{\"schedule\":",
        "{\"context\":",
    ];
    if known.iter().any(|start| begins(start)) { Probe::Certain } else { Probe::NotForUs }
}

struct Tplink;

impl Dissector for Tplink {
    fn protocol(&self) -> Protocol {
        Protocol::TplinkShp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let clear: Vec<u8> = deciphered(input.bytes).collect();
        let told: Value = serde_json::from_slice(&clear).unwrap_or_default();
        if let Some(told) = told.pointer("/system/get_sysinfo").and_then(Value::as_object) {
            let text = |key: &str| told.get(key).and_then(Value::as_str);
            for (key, attribute) in KEYS {
                if let Some(value) = text(key) {
                    facts.of_sender(*attribute, value);
                }
            }
            if let Some(mac) = text("mac").or_else(|| text("mic_mac")).and_then(address) {
                facts.of_sender(Attribute::MacAddress, &mac);
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

/// With colons, or without.
fn address(text: &str) -> Option<String> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    let octet = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let octets: Option<Vec<u8>> = pairs.iter().map(octet).collect();
    octets.filter(|_| rest.is_empty()).and_then(|octets| hardware_address(&octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{FromInitiator, FromResponder};
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    fn ciphered(text: &str) -> Vec<u8> {
        let step = |key: &mut u8, octet: u8| {
            *key ^= octet;
            Some(*key)
        };
        text.bytes().scan(FIRST, step).collect()
    }

    const ANSWER: &str = r#"{"system":{"get_sysinfo":{"sw_ver":"1.5.4 Build 180815 Rel.121440","hw_ver":"2.0","model":"HS110(EU)",
        "mac":"B0:BE:76:01:02:03","dev_name":"Smart Wi-Fi Plug","alias":"Jane","latitude_i":520000}}}"#;

    #[test]
    fn the_octets_of_a_real_request_are_deciphered() {
        let request = [
            0xD0, 0xF2, 0x81, 0xF8, 0x8B, 0xFF, 0x9A, 0xF7, 0xD5, 0xEF, 0x94, 0xB6, 0xD1, 0xB4, 0xC0, 0x9F,
            0xEC, 0x95, 0xE6, 0x8F, 0xE1, 0x87, 0xE8, 0xCA, 0xF0, 0x8B, 0xF6, 0x8B, 0xF6,
        ];
        assert_eq!(ciphered(r#"{"system":{"get_sysinfo":{}}}"#), request);
        let flow = TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, &request);
        assert_eq!(flow.conversation.protocol(), Protocol::TplinkShp);
        assert!(flow.said().is_empty());
    }

    #[test]
    fn a_device_tells_what_it_is_and_not_what_its_owner_calls_it() {
        assert_eq!(
            TestFlow::new(&[CANDIDATE]).datagram(FromResponder, &ciphered(ANSWER)).said(),
            [
                "sender 192.0.2.2 model HS110(EU)",
                "sender 192.0.2.2 description Smart Wi-Fi Plug",
                "sender 192.0.2.2 hardware_version 2.0",
                "sender 192.0.2.2 firmware_version 1.5.4 Build 180815 Rel.121440",
                "sender 192.0.2.2 mac_address b0:be:76:01:02:03",
            ]
        );
    }

    proptest! {
        #[test]
        fn mutated_answers_do_not_panic_nor_tell_the_owners_name(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
            let mut bytes = ciphered(ANSWER);
            let at = at.index(bytes.len());
            bytes[at] = octet;
            let flow = TestFlow::new(&[CANDIDATE]).datagram(FromResponder, &ciphered(ANSWER)).datagram(FromResponder, &bytes);
            let said = format!("{:?}", flow.statements);
            prop_assert!(!said.contains("Jane"), "{said}");
        }
    }
}
