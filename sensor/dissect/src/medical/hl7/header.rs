//! The message header and the segments that describe the sending application (HL7 v2, chapters 2.14.9 MSH, 2.14.13
//! UAC, 2.14.12 SFT).

use wardwatch_proto::v1::Attribute;

use super::segment::{Field, Segment};
use crate::Facts;
use crate::medical::address::{eui64, mac};
use crate::scope::is_unicast;

/// What of the header the rest of the message is read with.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    /// `ORU_R01`; the code alone where there is no event.
    pub(super) kind: String,
    /// The EUI-64 of the sending application.
    pub(super) eui64: Option<String>,
    /// The name of the sending application.
    pub(super) application: String,
    /// The message follows a profile of the IHE Patient Care Device domain: OBX-4 is a containment tree.
    pub(super) is_patient_care_device: bool,
}

/// Profiles of the IHE Patient Care Device domain have identifiers below this one.
const PATIENT_CARE_DEVICE: &str = "1.3.6.1.4.1.19376.1.6";

impl Header {
    /// Reads MSH and states who sends what to whom.
    pub(super) fn read(segment: &Segment<'_>, facts: &mut Facts<'_>) -> Self {
        let [application, facility, to_application, to_facility] =
            [3, 4, 5, 6].map(|number| segment.header_field(number));
        let kind = message_type(&segment.header_field(9));
        let header = Self {
            eui64: is_eui64(&application.component(3)).then(|| eui64(&application.component(2))).flatten(),
            application: application.component(1),
            is_patient_care_device: segment.header_field(21).repetitions().any(|profile| {
                (1..=4).any(|number| profile.component(number).starts_with(PATIENT_CARE_DEVICE))
            }),
            kind,
        };
        let facility = facility.component(1);
        let mac_address = mac(&facility);
        for (attribute, value) in [
            (Attribute::Hl7Application, header.application.as_str()),
            (Attribute::Eui64, header.eui64.as_deref().unwrap_or_default()),
            (Attribute::Hl7Facility, if mac_address.is_some() { "" } else { &facility }),
            (Attribute::MacAddress, mac_address.as_deref().unwrap_or_default()),
            (Attribute::Hl7MessageType, header.kind.as_str()),
            (Attribute::Hl7Version, segment.header_field(12).component(1).as_str()),
            (Attribute::Role, header.role()),
        ] {
            if !value.is_empty() {
                facts.of_sender(attribute, value);
            }
        }
        network_address(&segment.header_field(24), facts);
        for (attribute, field) in
            [(Attribute::Hl7Application, to_application), (Attribute::Hl7Facility, to_facility)]
        {
            if !field.is_empty() {
                facts.of_receiver(attribute, &field.component(1));
            }
        }
        header
    }

    /// Who acknowledges has received; whoever sends anything else is a sender.
    fn role(&self) -> &'static str {
        if self.kind.starts_with("ACK") { "hl7-receiver" } else { "hl7-sender" }
    }
}

/// MSH-9: code and event.
fn message_type(field: &Field<'_>) -> String {
    let [code, event] = [1, 2].map(|number| field.component(number));
    if event.is_empty() { code } else { format!("{code}_{event}") }
}

/// MSH-24, the sender's network address: a hierarchic designator of type MAC, DNS or none.
fn network_address(field: &Field<'_>, facts: &mut Facts<'_>) {
    for value in [field.component(1), field.component(2)] {
        if let Some(address) = mac(&value) {
            facts.of_sender(Attribute::MacAddress, &address);
        } else if value.parse().is_ok_and(is_unicast) {
            facts.of_sender(Attribute::IpAddress, &value);
        } else if field.component(3) == "DNS" && value.contains('.') {
            facts.of_sender(Attribute::HostName, &value);
        }
    }
}

/// SFT: the software that made the message.
pub(super) fn software(segment: &Segment<'_>, facts: &mut Facts<'_>) {
    for (number, attribute) in
        [(1, Attribute::SoftwareVendor), (2, Attribute::SoftwareVersion), (3, Attribute::SoftwareName)]
    {
        let value = segment.field(number).component(1);
        if !value.is_empty() {
            facts.of_sender(attribute, &value);
        }
    }
}

/// Whether a designator's type says that its identifier is an EUI-64.
pub(super) fn is_eui64(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("EUI-64") || kind.eq_ignore_ascii_case("EUI64")
}
