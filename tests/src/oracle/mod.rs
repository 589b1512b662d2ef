//! What independent tools say of a capture, and what the sensor states about it, in one form so that they can be held
//! against each other.
//!
//! - [`corpus`]: the captures, and how to look at each of them in parallel
//! - [`tshark`], [`openssl`], [`suricata`], [`zeek`], [`ndpi`], [`ja4`]: the oracles; the first three are asked when the test
//!   runs, what the others say stands beside the captures
//! - [`configured`]: what the software in the lab was configured to say, an oracle for the captures of it
//! - [`conversation`], [`statement`]: flows and readings of fields in one form for all
//! - [`stated`]: the sensor's facts about a capture file, from the library and not from a running program
//! - [`identities`]: who devices say they are, from all of these
//! - [`devices`]: what devices are, against what the inventory concludes
//! - [`program`]: the sensor's program as people run it
//! - [`protocols_page`]: `docs/protocols.md`, made of these comparisons
//! - [`altered`], [`elsewhere`]: what is left of it on other ports, and where the beginning was missed
//! - [`dice`]: what looks random and is the same in every run
//! - [`agreement`]: how many of an oracle's statements the sensor makes as well, and the exceptions with their reasons

pub mod agreement;
pub mod altered;
pub mod configured;
pub mod conversation;
pub mod corpus;
pub mod devices;
pub mod dice;
pub mod elsewhere;
pub mod exceptions;
pub mod identities;
pub mod ja4;
pub mod ndpi;
pub mod openssl;
pub mod program;
pub mod protocols_page;
pub mod stated;
pub mod statement;
pub mod suricata;
pub mod tshark;
pub mod zeek;

use std::fmt::Write as _;

/// Octets in hexadecimal, as fingerprints are written.
fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut digits, octet| {
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}
