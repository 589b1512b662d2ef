//! Questions to a server about itself: control messages (RFC 9327), and the private mode in which ntpd lists its clients.

use wardwatch_proto::v1::Attribute;

use crate::octets::{be16, part};

/// An answer, and no error.
const RESPONSE: u8 = 0x80;
const ERROR: u8 = 0x40;
const READ_VARIABLES: u8 = 2;

/// The list of recent clients, in its old and in its new form, and the octets for one of them (ntpd's `ntp_request.h`).
const LISTS: [u8; 2] = [20, 42];
const LONGEST_ITEM: usize = 128;

/// A question about variables or states (RFC 9327, 2).
pub(super) fn is_question(bytes: &[u8]) -> bool {
    let [first, operation, ..] = bytes else { return false };
    first & 0xC0 == 0 && (1..=4).contains(&(first >> 3 & 7)) && operation & 0xE0 == 0 && bytes.len() >= 12
}

/// The variables of the system in an answer (RFC 9327, 3.3), as text.
pub(super) fn answer(bytes: &[u8]) -> Option<&str> {
    let [first, operation, ..] = bytes else { return None };
    let is_answer =
        first & 0xC0 == 0 && operation & (RESPONSE | ERROR) == RESPONSE && operation & 0x1F == READ_VARIABLES;
    // The system is association zero.
    let of_system = be16(bytes, 6)? == 0;
    let variables = str::from_utf8(part(bytes, 12, usize::from(be16(bytes, 10)?))?).ok()?;
    (is_answer && of_system && variables.contains('=')).then_some(variables)
}

/// An answer with at least one client in it.
pub(super) fn lists_clients(bytes: &[u8]) -> bool {
    let [first, _, implementation, request, ..] = bytes else { return false };
    let (Some(items), Some(size)) = (be16(bytes, 4), be16(bytes, 6)) else { return false };
    // Above the number of items stands an error, and nothing above their size.
    let (count, size) = (usize::from(items), usize::from(size));
    let is_list =
        first & (RESPONSE | 7) == RESPONSE | 7 && matches!(implementation, 2 | 3) && LISTS.contains(request);
    is_list
        && (1..=100).contains(&count)
        && (8..=LONGEST_ITEM).contains(&size)
        && bytes.len() == 8 + count * size
}

/// Software and system (RFC 9327, 3.3 and appendix A): `version="ntpd 4.2.8p10@1.3728-o ..."`, `system="Linux/4.9.0"`.
pub(super) fn facts(variables: &str) -> Vec<(Attribute, &str)> {
    let mut facts = Vec::new();
    if let Some((name, version)) = value(variables, "version").and_then(|version| version.split_once(' ')) {
        facts.push((Attribute::SoftwareName, name));
        facts.push((Attribute::SoftwareVersion, version.split(['@', ' ']).next().unwrap_or_default()));
    }
    if let Some(system) = value(variables, "system") {
        let (name, version) = system.split_once('/').unwrap_or((system, ""));
        facts.push((Attribute::OperatingSystem, name));
        facts.push((Attribute::OperatingSystemVersion, version));
    }
    facts
}

/// The text of a variable, without its quotes.
fn value<'a>(variables: &'a str, name: &str) -> Option<&'a str> {
    let assigned = variables.split([',', '\r', '\n']).filter_map(|assigned| assigned.trim().split_once('='));
    let (_, value) = assigned.into_iter().find(|(known, _)| *known == name)?;
    Some(value.trim_matches('"'))
}
