//! What may leave and what may not, attribute by attribute.

use super::*;
use crate::name::{Named as _, attributes};
use proptest::prelude::*;

fn accepted(attribute: Attribute, value: &str) -> Option<String> {
    accept(attribute, value).map(Cow::into_owned)
}

#[test]
fn every_attribute_of_the_contract_has_a_grammar() {
    for attribute in attributes() {
        assert!(grammar(attribute).is_some(), "{}", attribute.name());
    }
    assert_eq!(grammar(Attribute::Unspecified), None);
}

#[test]
fn what_real_devices_send_is_accepted() {
    for (attribute, value) in [
        (Attribute::Manufacturer, "GE MEDICAL SYSTEMS"),
        (Attribute::Manufacturer, "Dräger Medical GmbH & Co. KG"),
        (Attribute::Model, "HiSpeed CT/i"),
        (Attribute::SerialNumber, "-0000200"),
        (Attribute::SerialNumber, "BD123456"),
        (Attribute::SoftwareVersion, "3.1.2.765, 2011-05-03"),
        (Attribute::SoftwareVersion, "V3.51*P25"),
        (Attribute::SoftwareVersion, "453561454581__PRINTERS.06.708__PRINTERS__[2010/06/30]-07:41:13"),
        (Attribute::StationName, "CX50-ECHO1"),
        (Attribute::DicomAeTitle, "MRC26266"),
        (Attribute::DicomImplementationVersion, "OFFIS_DCMTK_367"),
        (Attribute::DicomImplementationUid, "1.2.276.0.7230010.3.0.3.6.7"),
        (Attribute::Hl7Application, "Smiths Medical"),
        (Attribute::DhcpParameterList, "1,3,6,15,31,33,43,44,46,47,119,121,249,252"),
        (Attribute::DhcpVendorClass, "MSFT 5.0"),
        (Attribute::HttpUserAgent, "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0"),
        (Attribute::TlsJa4, "t13d1516h2_8daaf6152771_e5627efa2ab1"),
        (Attribute::CertificateNotAfter, "2031-12-31"),
        (Attribute::CertificateSubject, "*.pumps.example"),
        (Attribute::CertificateIssuer, "DigiCert SHA2 Secure Server CA"),
        (Attribute::ServiceType, "_ipp._tcp"),
        (Attribute::Location, "ICU 2, Room 4"),
        (Attribute::LinkPort, "GigabitEthernet0/13"),
        (Attribute::MudUrl, "https://imright.mud.example.com/.well-known/mud/v1/vomitv2.0"),
        (Attribute::DhcpDuid, "000100011c39cf88080027fe8f95"),
        (
            Attribute::SystemDescription,
            "Cisco IOS Software, C3560 Software (C3560-ADVIPSERVICESK9-M), Version 12.2(44)SE, RELEASE SOFTWARE (fc1)",
        ),
        (Attribute::KnxIndividualAddress, "1.1.250"),
        (Attribute::NiagaraHostId, "Qnx-NPM6-0000-1490-C30C"),
        (Attribute::EndpointUuid, "72313cab-7352-51c9-8373-8b4031a66ec7"),
        (Attribute::WsDiscoveryType, "NetworkVideoTransmitter"),
        (Attribute::PartNumber, "866062"),
        (Attribute::TlsJa4, "q13d0310h3_55b375c5d22e_cd85d2d88918"),
        (Attribute::HttpRealm, "HP LaserJet 4250"),
        (Attribute::DeviceUuid, "01234567-89ab-cdef-0123-456789abcdef"),
        // Industry.
        (Attribute::OrderNumber, "6ES7 315-2EH14-0AB0"),
        (Attribute::DeviceTag, "pc-worx-rt-basic-6d-d3-43"),
        (Attribute::OpcUaApplicationUri, "urn:open62541.server.application"),
        (Attribute::OpcUaProductUri, "http://open62541.org"),
        (Attribute::AmsNetId, "5.13.117.96.1.1"),
        (Attribute::CipVendorId, "1"),
        (Attribute::SerialNumber, "S C-B1U393142011"),
    ] {
        assert_eq!(accepted(attribute, value).as_deref(), Some(value), "{}", attribute.name());
    }
}

#[test]
fn values_are_trimmed_and_folded() {
    assert_eq!(accepted(Attribute::SerialNumber, " \0SN42\t\n\0").as_deref(), Some("SN42"));
    assert_eq!(accepted(Attribute::HostName, "PACS-01.Example.ORG.").as_deref(), Some("pacs-01.example.org"));
    assert_eq!(accepted(Attribute::Model, "\u{202c}X1").as_deref(), Some("X1"));
    assert_eq!(accepted(Attribute::IpAddress, "2001:DB8:0::1").as_deref(), Some("2001:db8::1"));
}

#[test]
fn a_uuid_has_groups_of_fixed_lengths() {
    let uuid = "72313CAB-7352-51C9-8373-8B4031A66EC7";
    assert_eq!(accepted(Attribute::EndpointUuid, uuid), Some(uuid.to_ascii_lowercase()));
    for other in [
        "72313cab735251c983738b4031a66ec7",
        "72313cab-7352-51c9-8373-8b4031a66ec",
        "7352-72313cab-51c9-8373-8b4031a66ec7",
    ] {
        assert_eq!(accepted(Attribute::EndpointUuid, other), None, "{other}");
    }
}

#[test]
fn words_for_nothing_say_nothing() {
    for value in ["", "  ", "UNKNOWN", "N/A", "--------", "000000000", "_NV", "Not connected", "1,0"] {
        assert_eq!(accepted(Attribute::SerialNumber, value), None, "{value:?}");
    }
}

#[test]
fn names_of_people_in_their_carriers_shape_do_not_pass() {
    for attribute in attributes() {
        for value in
            ["DOE^JOHN^^^", "Doe^Jane=ドウ^ジェーン", "PID|1||4711", "a@b.example", "line\nbreak", "x\0y"]
        {
            assert_eq!(accepted(attribute, value), None, "{} {value:?}", attribute.name());
        }
    }
}

#[test]
fn a_url_names_a_host_and_a_path_and_nothing_else() {
    for value in [
        "http://lights.example/x",
        "https://user@lights.example/x",
        "https://lights.example/x?user=7",
        "https://lights.example/x#7",
        "https://lights.example/%4Doe",
        "https:///x",
    ] {
        assert_eq!(accepted(Attribute::MudUrl, value), None, "{value}");
    }
}

#[test]
fn octets_in_hexadecimal_are_whole() {
    assert_eq!(accepted(Attribute::DhcpDuid, "0003AB").as_deref(), Some("0003ab"));
    for value in ["00030", "xy", &"00".repeat(131)] {
        assert_eq!(accepted(Attribute::DhcpDuid, value), None, "{value}");
    }
}

#[test]
fn a_birth_date_is_not_a_version_or_a_role() {
    assert_eq!(accepted(Attribute::Role, "19700101"), None);
    assert_eq!(accepted(Attribute::Manufacturer, "19700101"), None);
    assert_eq!(accepted(Attribute::CalibrationDate, "2021-13-01"), None);
}

#[test]
fn what_stands_before_an_invisible_end_is_an_end_as_well() {
    for value in ["1763-LEC \u{feff}", "\u{200b} 1763-LEC", " \u{ad}\t1763-LEC\0\u{2060}\0"] {
        assert_eq!(accepted(Attribute::Model, value).as_deref(), Some("1763-LEC"), "{value:?}");
    }
    assert_eq!(accepted(Attribute::Model, "n/a\u{feff}"), accepted(Attribute::Model, "n/a"));
}

proptest! {
    #[test]
    fn accepting_twice_is_accepting_once(number in 1_i32..256, value in "\\PC{0,80}") {
        if let Ok(attribute) = Attribute::try_from(number)
            && let Some(once) = accepted(attribute, &value) {
            prop_assert_eq!(accepted(attribute, &once), Some(once));
        }
    }
}
