//! What devices say that tells their kind, and what of it is a name.

use wardwatch_proto::address::mac_text;
use wardwatch_proto::v1::Attribute;

/// Whether names count: words that makers and owners chose, as against numbers of standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Names {
    /// Behaviour alone.
    Withheld,
    /// Models, versions, host names, services, and the names of servers too.
    Used,
}

/// What is said in numbers and words of standards, whoever made the device.
const IN_NUMBERS: &[Attribute] = &[
    Attribute::Role,
    Attribute::DhcpParameterList,
    Attribute::Dhcpv6OptionList,
    Attribute::TlsJa4,
    Attribute::TlsVersion,
    Attribute::WeakProtocol,
    Attribute::NtpVersion,
    Attribute::MqttVersion,
    Attribute::SmbDialect,
    Attribute::SshHassh,
    Attribute::SshHasshServer,
    Attribute::DicomSopClass,
    Attribute::Hl7MessageType,
    Attribute::Hl7Version,
];

/// What names the maker, the product or its software. None of it is one device's alone: no serial number, no UUID, no
/// address.
const IN_NAMES: &[Attribute] = &[
    Attribute::Manufacturer,
    Attribute::Model,
    Attribute::ModelNumber,
    Attribute::HardwareVersion,
    Attribute::FirmwareVersion,
    Attribute::SoftwareVersion,
    Attribute::SoftwareName,
    Attribute::SoftwareVendor,
    Attribute::OperatingSystem,
    Attribute::OperatingSystemVersion,
    Attribute::HostName,
    Attribute::DhcpVendorClass,
    Attribute::ServiceType,
    Attribute::UpnpType,
    Attribute::SlpServiceType,
    Attribute::WsDiscoveryType,
    Attribute::CoapResourceType,
    Attribute::HttpServer,
    Attribute::HttpUserAgent,
    Attribute::HttpRealm,
    Attribute::SysObjectId,
    Attribute::DicomImplementationUid,
    Attribute::Hl7Application,
];

/// Names of those that the device talks to, by what was said in its own flows.
const OF_PEERS: &[Attribute] = &[
    Attribute::HttpHost,
    Attribute::TlsServerName,
    Attribute::CertificateSubject,
    Attribute::CertificateIssuer,
];

/// The fewest hexadecimal digits in a row that are taken for part of a MAC address.
const DIGITS: usize = 4;

/// What a device's own words are.
pub(super) fn of_device(attribute: Attribute) -> Option<Names> {
    if IN_NUMBERS.contains(&attribute) {
        Some(Names::Withheld)
    } else if IN_NAMES.contains(&attribute) {
        Some(Names::Used)
    } else {
        None
    }
}

/// Whether it names a peer.
pub(super) fn is_of_peer(attribute: Attribute) -> bool {
    OF_PEERS.contains(&attribute)
}

/// In lower case, with `*` for every part of the device's MAC address: makers put it into host names.
pub(super) fn without_mac(value: &str, mac: [u8; 6]) -> String {
    let digits = mac_text(&mac).replace(':', "");
    let mut value = value.to_ascii_lowercase();
    for length in (DIGITS..=digits.len()).rev() {
        for start in 0..=digits.len() - length {
            if let Some(part) = digits.get(start..start + length)
                && value.contains(part)
            {
                value = value.replace(part, "*");
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_mac_address_are_taken_out() {
        let mac = [0x20, 0xf8, 0x5e, 0xca, 0x91, 0x52];
        assert_eq!(without_mac("GainSpanCA9152", mac), "gainspan*");
        assert_eq!(without_mac("tv-20F85ECA9152.local", mac), "tv-*.local");
        assert_eq!(without_mac("dsp-w215", mac), "dsp-w215");
    }

    #[test]
    fn addresses_and_serial_numbers_are_not_of_a_kind() {
        use Attribute::{DeviceUuid, DhcpDuid, Eui64, IpAddress, MacAddress, MqttClientId, SerialNumber};
        for attribute in [DeviceUuid, DhcpDuid, Eui64, IpAddress, MacAddress, MqttClientId, SerialNumber] {
            assert_eq!(of_device(attribute), None, "{attribute:?}");
            assert!(!is_of_peer(attribute), "{attribute:?}");
        }
        assert_eq!(of_device(Attribute::UpnpType), Some(Names::Used));
        assert_eq!(of_device(Attribute::TlsJa4), Some(Names::Withheld));
    }
}
