//! How Windows finds a domain controller (MS-ADTS, 6.3.1.9 and 6.3.3): a search with the client's name in its filter, and an
//! answer in a layout of its own within the entry.

use wardwatch_proto::v1::Attribute;

use crate::Facts;
use crate::access::ber::{self, OCTET_STRING};
use crate::octets::le16;

/// LOGON_SAM_LOGON_RESPONSE_EX.
const RESPONSE_EX: u16 = 23;

/// Operation, a reserved number, flags, the domain's GUID: names follow.
const NAMES: usize = 24;

/// Names in an answer: forest, domain, host, both in NetBIOS, user, site, the client's site.
const COUNT: usize = 8;

/// Labels of a name, and pointers that are followed for it.
const MOST_LABELS: usize = 32;

/// Tags of filters (RFC 4511, 4.5.1).
const AND: u8 = 0xA0;
const EQUALITY_MATCH: u8 = 0xA3;

/// A client tells its own name as `Host`, beside `NtVer`, which nobody else searches for.
pub(super) fn state_request(content: &[u8], facts: &mut Facts<'_>) {
    let Some(conditions) = ber::element(content, AND) else { return };
    let value = |wanted: &[u8]| {
        let mut matches = ber::elements(conditions).filter(|(tag, _)| *tag == EQUALITY_MATCH).take(16);
        matches.find_map(|(_, condition)| {
            let mut parts = ber::elements(condition);
            let (OCTET_STRING, name) = parts.next()? else { return None };
            let (OCTET_STRING, value) = parts.next()? else { return None };
            name.eq_ignore_ascii_case(wanted).then_some(value)
        })
    };
    if value(b"NtVer").is_some()
        && let Some(host) = value(b"Host").and_then(|host| str::from_utf8(host).ok())
    {
        facts.of_sender(Attribute::HostName, host);
    }
}

/// The controller tells its names and site, and the client's site.
pub(super) fn state_answer(answer: &[u8], facts: &mut Facts<'_>) {
    if le16(answer, 0) != Some(RESPONSE_EX) {
        return;
    }
    let mut at = NAMES;
    let mut names: [Option<String>; COUNT] = Default::default();
    for name in &mut names {
        let Some((text, next)) = read_name(answer, at) else { return };
        *name = text;
        at = next;
    }
    let [_forest, domain, host, _nt_domain, _nt_host, _user, site, clients_site] = names;
    facts.of_sender(Attribute::Role, "domain-controller");
    for (attribute, value) in
        [(Attribute::HostName, host), (Attribute::Domain, domain), (Attribute::DirectorySite, site)]
    {
        if let Some(value) = value {
            facts.of_sender(attribute, &value);
        }
    }
    if let Some(site) = clients_site {
        facts.of_receiver(Attribute::DirectorySite, &site);
    }
}

/// A name in the encoding of DNS (RFC 1035, 4.1.4), with pointers back into this answer, and where the next one begins.
/// A name that is empty or no text is `None` within.
fn read_name(answer: &[u8], start: usize) -> Option<(Option<String>, usize)> {
    let mut labels = Vec::new();
    let (mut at, mut next) = (start, None);
    for _ in 0..MOST_LABELS {
        let length = *answer.get(at)?;
        match length {
            0 => {
                let text = String::from_utf8(labels.join(&b'.')).ok().filter(|text| !text.is_empty());
                return Some((text, next.unwrap_or(at + 1)));
            }
            1..0x40 => {
                let end = at + 1 + usize::from(length);
                labels.push(answer.get(at + 1..end)?);
                at = end;
            }
            0xC0.. => {
                let low = *answer.get(at + 1)?;
                next = next.or(Some(at + 2));
                at = usize::from(length & 0x3F) << 8 | usize::from(low);
            }
            _ => return None,
        }
    }
    None
}
