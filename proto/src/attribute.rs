//! The closed list of what may leave a sensor, each with its grammar.
//!
//! A patient's name can stand in a station name or a serial number field, so every value must fit the grammar of its
//! attribute: an alphabet, a length and a shape that the standard gives it and that names of people, dates of
//! birth and free text do not fit where that can be told. What does not fit is dropped and counted, never cut to fit.
//! The sensor asks [`accept`] before it states anything; the enricher asks again before it believes anything.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::v1::{Attribute, Protocol};

mod grammar;
mod words;

pub use grammar::Grammar;
use grammar::Grammar::{
    AeTitle, CommonName, Date, Decimal, HardwareAddress, Hex, HexString, HostName, HttpsUrl, Identifier,
    IpAddress, Ja4, Label, NumberList, Oid, Product, Text, Token, Uuid, Version, Words,
};
pub use words::{
    AMPLIFIERS, COVERT_CHANNELS, CREDENTIAL_KINDS, EXECUTABLE_KINDS, LOGIN_KINDS, NAS_PORT_TYPES,
    NETWORK_SWEEPS, PATIENT_DATA_KINDS, ROLES, TLS_VERSIONS, WEAK_PROTOCOLS,
};

/// The grammar of an attribute. `ATTRIBUTE_UNSPECIFIED` has none: it is on no list.
#[expect(
    clippy::match_same_arms,
    clippy::too_many_lines,
    reason = "a table, in groups as the contract has them"
)]
pub fn grammar(attribute: Attribute) -> Option<Grammar> {
    Some(match attribute {
        Attribute::Unspecified => return None,
        Attribute::IpAddress | Attribute::AddressConflict => IpAddress,
        Attribute::MacAddress => HardwareAddress { octets: 6 },
        Attribute::Eui64 => HardwareAddress { octets: 8 },
        Attribute::Domain => Label { longest: 255 },
        Attribute::OperatingSystem => Text { longest: 64 },
        Attribute::OperatingSystemVersion => Version { longest: 64 },
        Attribute::HostName | Attribute::HttpHost | Attribute::TlsServerName => HostName,
        Attribute::Manufacturer
        | Attribute::SoftwareVendor
        | Attribute::Model
        | Attribute::SoftwareName
        | Attribute::Institution
        | Attribute::Department
        | Attribute::Location
        | Attribute::Description
        | Attribute::DicomPrivateCreator => Text { longest: 64 },
        Attribute::SerialNumber | Attribute::LotNumber | Attribute::EquipmentId => Identifier { longest: 64 },
        Attribute::HardwareVersion | Attribute::FirmwareVersion | Attribute::SoftwareVersion => {
            Version { longest: 64 }
        }
        Attribute::UdiDi => Identifier { longest: 25 },
        Attribute::DeviceUid | Attribute::DicomImplementationUid | Attribute::DicomSopClass => Oid,
        Attribute::ManufactureDate
        | Attribute::CalibrationDate
        | Attribute::CertificateNotBefore
        | Attribute::CertificateNotAfter => Date,
        Attribute::DeviceTypeCode => Decimal { most: 0xFFFF_FFFF },
        Attribute::Role => Token { of: ROLES },
        Attribute::StationName | Attribute::DicomImplementationVersion => Label { longest: 16 },
        Attribute::DhcpParameterList => NumberList { most: 255, entries: 64 },
        Attribute::DhcpVendorClass => Product { longest: 128 },
        Attribute::ServiceType => Words { separators: "._-", longest: 64 },
        Attribute::HttpServer | Attribute::HttpUserAgent => Product { longest: 256 },
        Attribute::TlsJa4 => Ja4,
        Attribute::TlsVersion => Token { of: TLS_VERSIONS },
        Attribute::CertificateSha256 => Hex { digits: 64 },
        Attribute::CertificateSubject | Attribute::CertificateIssuer => CommonName { longest: 64 },
        Attribute::Hl7Application | Attribute::Hl7Facility | Attribute::BacnetObjectName => {
            Label { longest: 64 }
        }
        Attribute::CertificateSelfSigned => Token { of: &["true"] },
        Attribute::DicomAeTitle => AeTitle,
        Attribute::DicomModality => Words { separators: "", longest: 16 },
        Attribute::Hl7MessageType => Words { separators: "_", longest: 15 },
        Attribute::Hl7Version => Words { separators: ".", longest: 8 },
        Attribute::BacnetInstance => Decimal { most: 4_194_303 },
        Attribute::BacnetVendorId => Decimal { most: 65_535 },
        Attribute::CleartextCredential => Token { of: CREDENTIAL_KINDS },
        Attribute::CleartextPatientData => Token { of: PATIENT_DATA_KINDS },
        Attribute::DefaultCredential => Token { of: CREDENTIAL_KINDS },
        Attribute::FailedLogin => Token { of: LOGIN_KINDS },
        Attribute::WeakProtocol => Token { of: WEAK_PROTOCOLS },
        // Of the families of protocols, in the order of their numbers.
        // Neighbours on the link, and building automation.
        Attribute::LinkPort | Attribute::AttachedPort | Attribute::NiagaraHostId => {
            Identifier { longest: 64 }
        }
        Attribute::SystemDescription => Product { longest: 256 },
        Attribute::LinkVlan => Decimal { most: 4094 },
        Attribute::ChassisId | Attribute::NiagaraStation => Label { longest: 64 },
        Attribute::AssetTag => Identifier { longest: 32 },
        Attribute::MudUrl => HttpsUrl { longest: 253 },
        Attribute::DhcpDuid => HexString { octets: 130 },
        Attribute::Dhcpv6OptionList => NumberList { most: 65_535, entries: 64 },
        Attribute::EnterpriseNumber => Decimal { most: 0xFFFF_FFFF },
        Attribute::KnxIndividualAddress => Words { separators: ".", longest: 9 },
        Attribute::KnxManufacturerId => Decimal { most: 65_535 },
        Attribute::KnxMedium => Token { of: &["tp1", "pl110", "rf", "ip"] },
        Attribute::KnxSecure => Token { of: &["true"] },
        Attribute::NiagaraVm => Product { longest: 128 },
        // Medical.
        Attribute::EndpointUuid => Uuid,
        Attribute::WsDiscoveryType => Words { separators: "._-", longest: 64 },
        Attribute::ConfigurationId => Decimal { most: 65_535 },
        Attribute::PartNumber => Identifier { longest: 64 },
        // The web.
        Attribute::ExecutableTransfer => Token { of: EXECUTABLE_KINDS },
        Attribute::CertificateExpired => Token { of: &["true"] },
        Attribute::HttpRealm => Label { longest: 64 },
        Attribute::DeviceUuid => Uuid,
        Attribute::ModelNumber => Identifier { longest: 64 },
        // Industry.
        Attribute::OrderNumber => Identifier { longest: 64 },
        Attribute::DeviceTag => Label { longest: 240 },
        Attribute::CipVendorId
        | Attribute::CipDeviceType
        | Attribute::CipProductCode
        | Attribute::HartManufacturerId
        | Attribute::HartDeviceType
        | Attribute::ProfinetVendorId
        | Attribute::ProfinetDeviceId
        | Attribute::Iec104CommonAddress => Decimal { most: 65_535 },
        // Those above are broadcasts and for the link's own use (IEEE 1815, 9.2.3).
        Attribute::Dnp3Address => Decimal { most: 65_519 },
        // Of RFC 3986, without what mail addresses and queries need.
        Attribute::OpcUaApplicationUri | Attribute::OpcUaProductUri => {
            Words { separators: ":/.-_#%+&(),", longest: 255 }
        }
        // Numbers joined by dots, without leading zeros.
        Attribute::AmsNetId => Oid,
        // Names, discovery, management.
        Attribute::SysObjectId => Oid,
        Attribute::NtpStratum => Decimal { most: 15 },
        Attribute::NtpVersion => Decimal { most: 7 },
        Attribute::UpnpType => Words { separators: ":._-", longest: 128 },
        Attribute::SlpServiceType => Words { separators: ":._-", longest: 64 },
        Attribute::CoapResourceType | Attribute::CoapInterface => Words { separators: ":._-/#", longest: 64 },
        Attribute::NasPortType => Token { of: NAS_PORT_TYPES },
        Attribute::WlanName => Label { longest: 32 },
        Attribute::WlanBssid => HardwareAddress { octets: 6 },
        Attribute::Amplifier => Token { of: AMPLIFIERS },
        Attribute::CovertChannel => Token { of: COVERT_CHANNELS },
        Attribute::NetworkSweep => Token { of: NETWORK_SWEEPS },
        // Access.
        Attribute::SshHassh | Attribute::SshHasshServer => Hex { digits: 32 },
        Attribute::SshHostKeySha256 => Hex { digits: 64 },
        Attribute::SmbDialect => Token { of: &["NT LM 0.12", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1"] },
        Attribute::DirectorySite => Label { longest: 64 },
        // Voice, video, print, messages.
        Attribute::MqttVersion => Token { of: &["3.1", "3.1.1", "5.0"] },
        Attribute::SccpDeviceType => Decimal { most: 0xFFFF_FFFF },
        Attribute::MqttClientId => Words { separators: "._-:/", longest: 64 },
        // What other systems know.
        Attribute::MaintenanceState | Attribute::Ownership | Attribute::Technician => Text { longest: 64 },
        Attribute::LastMaintenance | Attribute::NextMaintenance | Attribute::WarrantyEnd => Date,
        Attribute::CostCentre | Attribute::Cost | Attribute::Floor | Attribute::Ssid => Label { longest: 32 },
        Attribute::Building
        | Attribute::Room
        | Attribute::VlanName
        | Attribute::SwitchName
        | Attribute::AccessPointName
        | Attribute::WlanControllerName
        | Attribute::WirelessEncryption
        | Attribute::NacGroup
        | Attribute::NacPosture
        | Attribute::NetworkZone
        | Attribute::MdmState
        | Attribute::EdrState
        | Attribute::PatchLevel => Label { longest: 64 },
        Attribute::SwitchPort => Identifier { longest: 64 },
        Attribute::Bssid => HardwareAddress { octets: 6 },
        Attribute::EdrAgentVersion => Version { longest: 64 },
        Attribute::LastUser => Hex { digits: 16 },
    })
}

/// The first attribute that only other systems know.
const FIRST_IMPORTED: i32 = 230;
/// The protocols that stand for other systems' tables.
const TABLES: std::ops::Range<i32> = 140..150;

/// Whether only other systems' tables may state this, and no sensor.
pub fn is_imported(attribute: Attribute) -> bool {
    attribute as i32 >= FIRST_IMPORTED
}

/// Whether this stands for another system whose table is imported, and for nothing on the wire.
pub fn is_table(protocol: Protocol) -> bool {
    TABLES.contains(&(protocol as i32))
}

/// Values that say nothing and that devices send all the same.
const EMPTY_WORDS: &[&str] = &[
    "_nv",
    "unknown",
    "n/a",
    "na",
    "none",
    "null",
    "not connected",
    "1,0",
    "unspecified",
    "undefined",
    "default",
    "-",
];

/// The value in canonical form when it may leave the sensor as this attribute; `None` when it says nothing or breaks
/// the grammar.
///
/// Trims blanks, NULs and control characters from both ends and drops Unicode format characters (a bidirectional
/// mark makes two spellings of one name); folds the case of host names and hexadecimal.
pub fn accept(attribute: Attribute, value: &str) -> Option<Cow<'_, str>> {
    let grammar = grammar(attribute)?;
    let is_margin = |c: char| c.is_whitespace() || c.is_control();
    // A format character may have blanks before it.
    let plain: Cow<'_, str> = if value.chars().any(is_format_character) {
        let visible: String = value.chars().filter(|c| !is_format_character(*c)).collect();
        visible.trim_matches(is_margin).to_owned().into()
    } else {
        value.trim_matches(is_margin).into()
    };
    if plain.is_empty() || says_nothing(&plain) {
        return None;
    }
    match grammar {
        IpAddress => plain.parse::<IpAddr>().ok().map(|address| address.to_string().into()),
        HostName | Hex { .. } | HexString { .. } | HardwareAddress { .. } | Uuid => {
            let folded = plain.trim_end_matches('.').to_ascii_lowercase();
            grammar.matches(&folded).then_some(folded.into())
        }
        _ => grammar.matches(&plain).then_some(plain),
    }
}

/// Whether a value stands for none, such as `n/a`.
pub fn says_nothing(value: &str) -> bool {
    EMPTY_WORDS.iter().any(|known| value.eq_ignore_ascii_case(known))
        || value.len() >= 4 && value.bytes().all(|byte| byte == b'0' || byte == b'-')
}

fn is_format_character(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
