//! The root entry (RFC 4512, 5.1; RFC 3045; MS-ADTS, 3.1.1.3.2): an entry without a name, in which a server tells of itself.

use wardwatch_proto::v1::Attribute;

use super::netlogon;
use crate::Facts;
use crate::access::ber::{self, Begun, OCTET_STRING, SEQUENCE, SET};

/// Active Directory, as a domain controller and not as a directory of its own.
const ACTIVE_DIRECTORY: &[u8] = b"1.2.840.113556.1.4.800";

/// Attributes that are read of one entry.
const MOST_ATTRIBUTES: usize = 128;

/// Values that are looked at in one attribute.
const MOST_VALUES: usize = 64;

/// Whether the entry has no name, as far as it has come.
pub(super) fn may_be(content: &[u8]) -> bool {
    match ber::header(content) {
        Begun::Is(name) => name.tag == OCTET_STRING && name.content == 0,
        Begun::Partial => true,
        Begun::Not => false,
    }
}

/// States what an entry's attributes tell of the server.
pub(super) fn state(content: &[u8], facts: &mut Facts<'_>) {
    let mut fields = ber::elements(content);
    let (Some((OCTET_STRING, [])), Some((SEQUENCE, attributes))) = (fields.next(), fields.next()) else {
        return;
    };
    for (_, attribute) in ber::elements(attributes).take(MOST_ATTRIBUTES) {
        let mut parts = ber::elements(attribute);
        let (Some((OCTET_STRING, name)), Some((SET, values))) = (parts.next(), parts.next()) else {
            continue;
        };
        let values = || ber::elements(values).take(MOST_VALUES).map(|(_, value)| value);
        let text = || values().next().and_then(|value| str::from_utf8(value).ok()).unwrap_or_default();
        match name.to_ascii_lowercase().as_slice() {
            b"dnshostname" => facts.of_sender(Attribute::HostName, text()),
            b"defaultnamingcontext" => {
                if let Some(domain) = domain(text()) {
                    facts.of_sender(Attribute::Domain, &domain);
                }
            }
            b"vendorname" => facts.of_sender(Attribute::SoftwareVendor, text()),
            b"vendorversion" => facts.of_sender(Attribute::SoftwareVersion, text()),
            b"supportedcapabilities" if values().any(|value| value == ACTIVE_DIRECTORY) => {
                facts.of_sender(Attribute::Role, "domain-controller");
                facts.of_sender(Attribute::SoftwareName, "Active Directory");
            }
            b"netlogon" => {
                if let Some(answer) = values().next() {
                    netlogon::state_answer(answer, facts);
                }
            }
            _ => {}
        }
    }
}

/// `clinic.example` of `DC=clinic,DC=example` (RFC 2247).
fn domain(name: &str) -> Option<String> {
    let label = |part: &str| {
        let (kind, label) = part.trim().split_once('=')?;
        kind.eq_ignore_ascii_case("DC").then(|| label.to_owned())
    };
    let labels: Option<Vec<String>> = name.split(',').map(label).collect();
    labels.map(|labels| labels.join("."))
}
