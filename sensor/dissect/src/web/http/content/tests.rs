//! Documents as their standards print them, in answers as servers frame them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::CANDIDATE;
use crate::Direction;
use crate::test_flow::TestFlow;

pub(super) fn flow() -> TestFlow {
    TestFlow::new(&[CANDIDATE])
}

/// An answer with this content type, further lines and body.
pub(super) fn answer(kind: &str, lines: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{lines}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// What an answer's document says, without the role of its sender.
pub(super) fn said(kind: &str, body: &str) -> Vec<String> {
    let said = flow().answer(&answer(kind, "", body.as_bytes())).said();
    said.into_iter().filter(|line| !line.ends_with("http-server")).collect()
}

const DESCRIPTION: &str = r#"<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major></specVersion>
<device><deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType><friendlyName>Jane's lamp</friendlyName>
<manufacturer>Acme Lighting</manufacturer><modelName>Bridge 2015</modelName><modelNumber>BSB002</modelNumber>
<serialNumber>0017881a2b3c</serialNumber><UDN>uuid:2f402f80-da50-11e1-9b23-0017881a2b3c</UDN>
<deviceList><device><deviceType>x</deviceType><manufacturer>Other</manufacturer></device></deviceList></device></root>"#;

const OF_DESCRIPTION: [&str; 4] = [
    "sender 192.0.2.2 manufacturer Acme Lighting",
    "sender 192.0.2.2 model Bridge 2015",
    "sender 192.0.2.2 model_number BSB002",
    "sender 192.0.2.2 serial_number 0017881a2b3c",
];

#[test]
fn a_device_description_is_about_the_root_device_that_answers() {
    assert_eq!(said("text/xml; charset=\"utf-8\"", DESCRIPTION), OF_DESCRIPTION);
    let flow = flow().answer(&answer("text/xml", "", DESCRIPTION.as_bytes()));
    let model = flow.statements.observations.iter().find(|told| told.attribute() == Attribute::Model);
    assert_eq!(model.expect("a model").protocol(), Protocol::Upnp);
}

#[test]
fn what_a_proxy_passes_on_and_what_a_client_sends_is_not_about_them() {
    let statement = br#"{"resourceType":"CapabilityStatement","software":{"name":"Acme"}}"#;
    let relayed = flow().answer(&answer("application/fhir+json", "Via: 1.1 proxy\r\n", statement));
    assert_eq!(relayed.values(Attribute::SoftwareName), [""; 0]);
    let flow = flow()
        .ask(
            &[
                &b"POST / HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: "[..],
                DESCRIPTION.len().to_string().as_bytes(),
                b"\r\n\r\n",
                DESCRIPTION.as_bytes(),
            ]
            .concat(),
        )
        .answer(&answer("text/xml", "Via: 1.1 proxy\r\n", DESCRIPTION.as_bytes()));
    assert_eq!(flow.values(Attribute::Model), [""; 0]);
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(body).expect("memory");
    gzip.finish().expect("memory")
}

/// The same document framed in every way, with another answer behind it where there can be one.
fn framed() -> Vec<Vec<u8>> {
    let document = DESCRIPTION.as_bytes();
    let chunks = |bytes: &[u8]| {
        let mut chunks: Vec<u8> = bytes
            .chunks(100)
            .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
            .collect();
        chunks.extend(b"0\r\n\r\n");
        chunks
    };
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n";
    let behind = answer("text/html", "Server: next/1\r\n", b"<p>");
    vec![
        [answer("text/xml", "", document), behind.clone()].concat(),
        [answer("text/xml", "Content-Encoding: gzip\r\n", &gzip(document)), behind.clone()].concat(),
        [chunked.as_bytes(), b"\r\n", &chunks(document), &behind].concat(),
        [chunked.as_bytes(), b"Content-Encoding: gzip\r\n\r\n", &chunks(&gzip(document)), &behind].concat(),
        [&b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n"[..], document].concat(),
        [
            &b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/xml\r\n\r\n"[..],
            &gzip(document),
        ]
        .concat(),
    ]
}

#[test]
fn a_document_is_read_however_it_is_framed_and_the_next_message_is_found() {
    for (number, stream) in framed().into_iter().enumerate() {
        for size in [1, 7, 500, 10_000] {
            let flow = stream.chunks(size).fold(flow(), TestFlow::answer);
            assert_eq!(flow.values(Attribute::SerialNumber), ["0017881a2b3c"], "{number} by {size}");
            let next: &[&str] = if number < 4 { &["next/1"] } else { &[] };
            assert_eq!(flow.values(Attribute::HttpServer), next, "{number} by {size}");
        }
    }
}

#[test]
fn of_a_long_document_the_beginning_is_read_and_the_rest_is_passed_over() {
    let long = format!("{}<!--{}--></root>", DESCRIPTION.trim_end_matches("</root>"), "x".repeat(300_000));
    let stream =
        [answer("text/xml", "", long.as_bytes()), answer("text/html", "Server: next/1\r\n", b"")].concat();
    let flow = stream.chunks(1460).fold(flow(), TestFlow::answer);
    assert_eq!(flow.values(Attribute::SerialNumber), ["0017881a2b3c"]);
    assert_eq!(flow.values(Attribute::HttpServer), ["next/1"]);
}

/// ISO/IEEE 11073-20701: what a provider answers to Get, with the sections of DPWS 1.1.
const METADATA: &str = r#"<s12:Envelope xmlns:s12="http://www.w3.org/2003/05/soap-envelope"><s12:Header/><s12:Body>
<wsx:Metadata xmlns:wsx="x" xmlns:dpws="y"><wsx:MetadataSection Dialect="ThisModel"><dpws:ThisModel>
<dpws:Manufacturer xml:lang="en">Acme Medical</dpws:Manufacturer><dpws:ModelName>Vent 500</dpws:ModelName>
<dpws:ModelNumber>5.0</dpws:ModelNumber></dpws:ThisModel></wsx:MetadataSection><wsx:MetadataSection Dialect="ThisDevice">
<dpws:ThisDevice><dpws:FriendlyName>Bed 7, Doe</dpws:FriendlyName><dpws:FirmwareVersion>1.2.3</dpws:FirmwareVersion>
<dpws:SerialNumber>ASKL-0042</dpws:SerialNumber></dpws:ThisDevice></wsx:MetadataSection></wsx:Metadata></s12:Body></s12:Envelope>"#;

#[test]
fn a_medical_device_describes_itself_in_soap() {
    assert_eq!(
        said("application/soap+xml; charset=utf-8", METADATA),
        [
            "sender 192.0.2.2 manufacturer Acme Medical",
            "sender 192.0.2.2 model Vent 500",
            "sender 192.0.2.2 model_number 5.0",
            "sender 192.0.2.2 firmware_version 1.2.3",
            "sender 192.0.2.2 serial_number ASKL-0042",
        ]
    );
}

fn mdib(systems: usize) -> String {
    let system = r#"<dom:Mds Handle="mds0"><dom:Type Code="70001"/><dom:ProductionSpecification><dom:SpecType Code="531975"/>
<dom:ProductionSpec>7.8.9</dom:ProductionSpec></dom:ProductionSpecification><dom:MetaData><dom:Udi><dom:DeviceIdentifier>04012345678901
</dom:DeviceIdentifier></dom:Udi><dom:Manufacturer>Acme</dom:Manufacturer><dom:ModelName>Vent 500</dom:ModelName>
<dom:SerialNumber>S-1</dom:SerialNumber><dom:ManufactureDate>2024-05-06T00:00:00</dom:ManufactureDate></dom:MetaData>
<dom:SystemContext><dom:PatientContext Handle="p"><dom:Familyname>Doe</dom:Familyname></dom:PatientContext></dom:SystemContext></dom:Mds>"#;
    format!(
        "<s:Envelope xmlns:s='x'><s:Body><msg:GetMdibResponse><msg:Mdib><dom:MdDescription>{}</dom:MdDescription></msg:Mdib></msg:GetMdibResponse></s:Body></s:Envelope>",
        system.repeat(systems)
    )
}

#[test]
fn of_a_medical_devices_description_only_what_identifies_it_is_stated() {
    assert_eq!(
        said("application/soap+xml", &mdib(1)),
        [
            "sender 192.0.2.2 manufacturer Acme",
            "sender 192.0.2.2 model Vent 500",
            "sender 192.0.2.2 serial_number S-1",
            "sender 192.0.2.2 manufacture_date 2024-05-06",
            "sender 192.0.2.2 udi_di 04012345678901",
            "sender 192.0.2.2 software_version 7.8.9",
        ]
    );
}

#[test]
fn a_gateway_is_none_of_the_devices_behind_it() {
    let of = |serial: &str| {
        [
            "manufacturer Acme".to_owned(),
            "model Vent 500".to_owned(),
            format!("serial_number {serial}"),
            "manufacture_date 2024-05-06".to_owned(),
            "udi_di 04012345678901".to_owned(),
            "software_version 7.8.9".to_owned(),
        ]
        .map(|fact| format!("third 192.0.2.2 serial=Acme|Vent 500|{serial} {fact}"))
    };
    let two = mdib(2).replacen("S-1", "S-2", 1);
    assert_eq!(said("application/soap+xml", &two), [of("S-2"), of("S-1")].concat());
    // Without a number of its own nobody can be told.
    let nameless = mdib(2).replace("<dom:SerialNumber>S-1</dom:SerialNumber>", "");
    assert_eq!(said("application/soap+xml", &nameless), [""; 0]);
}

#[test]
fn a_patients_context_in_clear_is_told_of_and_never_told() {
    let report = |data: &str| {
        format!(
            "<s:Envelope><s:Body><msg:EpisodicContextReport><dom:ContextState><dom:CoreData>{data}</dom:CoreData>\
             </dom:ContextState></msg:EpisodicContextReport></s:Body></s:Envelope>"
        )
    };
    let notify = |data: &str| {
        let body = report(data);
        let head = format!(
            "POST /subscriber HTTP/1.1\r\nContent-Type: application/soap+xml\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        flow().ask(format!("{head}{body}").as_bytes())
    };
    let flow = notify("<dom:Familyname>Doe</dom:Familyname>");
    assert_eq!(
        flow.said(),
        ["sender 192.0.2.1 role http-client", "sender 192.0.2.1 cleartext_patient_data sdc-context"]
    );
    // Without names there is nobody.
    let flow = notify("<dom:Sex>Unspec</dom:Sex><dom:Familyname> </dom:Familyname>");
    assert_eq!(flow.values(Attribute::CleartextPatientData), [""; 0]);
}

#[test]
fn cameras_and_managed_hosts_answer_in_soap_too() {
    let camera = "<SOAP-ENV:Envelope><SOAP-ENV:Body><tds:GetDeviceInformationResponse><tds:Manufacturer>Acme</tds:Manufacturer>\
        <tds:Model>Q1615</tds:Model><tds:FirmwareVersion>5.51.5</tds:FirmwareVersion><tds:SerialNumber>ACCC8E123456</tds:SerialNumber>\
        <tds:HardwareId>730.2</tds:HardwareId></tds:GetDeviceInformationResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>";
    assert_eq!(
        said("application/soap+xml", camera),
        [
            "sender 192.0.2.2 manufacturer Acme",
            "sender 192.0.2.2 model Q1615",
            "sender 192.0.2.2 firmware_version 5.51.5",
            "sender 192.0.2.2 serial_number ACCC8E123456",
            "sender 192.0.2.2 hardware_version 730.2",
        ]
    );
    let host = |version| {
        format!(
            "<s:Envelope><s:Body><wsmid:IdentifyResponse><wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>\
             <wsmid:ProductVersion>OS: {version} SP: 0.0 Stack: 3.0</wsmid:ProductVersion></wsmid:IdentifyResponse></s:Body></s:Envelope>"
        )
    };
    let vendor = "sender 192.0.2.2 software_vendor Microsoft Corporation";
    let system = "sender 192.0.2.2 operating_system_version 10.0.20348";
    assert_eq!(said("application/soap+xml", &host("10.0.20348")), [vendor, system]);
    assert_eq!(said("application/soap+xml", &host("0.0.0")), [vendor]);
}

#[test]
fn cameras_and_printers_answer_in_their_makers_words() {
    let camera = r#"<?xml version="1.0" encoding="UTF-8"?><DeviceInfo version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">
<deviceName>Room of Jane Doe</deviceName><model>DS-2CD2143G0-I</model><serialNumber>DS-2CD2143G0-I20190101AAWRC12345678</serialNumber>
<macAddress>44:19:B6:01:02:03</macAddress><firmwareVersion>V5.5.82</firmwareVersion></DeviceInfo>"#;
    assert_eq!(
        said("application/xml", camera),
        [
            "sender 192.0.2.2 model DS-2CD2143G0-I",
            "sender 192.0.2.2 serial_number DS-2CD2143G0-I20190101AAWRC12345678",
            "sender 192.0.2.2 firmware_version V5.5.82",
            "sender 192.0.2.2 mac_address 44:19:b6:01:02:03",
        ]
    );
    let printer = "<p2:ProductConfigDyn xmlns:p2='x'><dd:Version><dd:Revision>SVN-IPG-LEDM.690</dd:Revision></dd:Version>\
        <p:ProductInformation><dd:Version><dd:Revision>MKM1FN2025AR</dd:Revision></dd:Version><dd:MakeAndModel>HP OfficeJet 8610\
        </dd:MakeAndModel><dd:SerialNumber>CN4B1F20XY</dd:SerialNumber></p:ProductInformation></p2:ProductConfigDyn>";
    assert_eq!(
        said("text/xml", printer),
        [
            "sender 192.0.2.2 model HP OfficeJet 8610",
            "sender 192.0.2.2 serial_number CN4B1F20XY",
            "sender 192.0.2.2 firmware_version MKM1FN2025AR",
        ]
    );
}

#[test]
fn objects_of_dicom_on_the_web_are_patient_data() {
    let kind = "multipart/related; type=\"application/dicom\"; boundary=x";
    let flow = flow()
        .ask(
            format!("POST /studies HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: 2\r\n\r\n--")
                .as_bytes(),
        )
        .answer(&answer("application/dicom+json", "", b"[]"))
        .answer(b"HTTP/1.1 404 Not Found\r\nContent-Type: application/dicom\r\nContent-Length: 1\r\n\r\nx");
    let said = flow.said();
    let told: Vec<&String> = said.iter().filter(|line| line.contains("dicom-object")).collect();
    assert_eq!(
        told,
        [
            "sender 192.0.2.1 cleartext_patient_data dicom-object",
            "sender 192.0.2.2 cleartext_patient_data dicom-object"
        ]
    );
}

#[test]
fn an_executable_is_told_of_whatever_it_is_called() {
    let elf = answer("image/png", "", b"\x7FELF\x02\x01\x01\0and so on");
    let script =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n#!\r\n9\r\n/bin/sh\nx\r\n0\r\n\r\n";
    let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\n\x7FELF\x02\x01\x01\0";
    let stream = [&elf[..], script, missing].concat();
    for size in [1, 3, 1000] {
        let flow = stream.chunks(size).fold(flow(), TestFlow::answer);
        assert_eq!(flow.values(Attribute::ExecutableTransfer), ["elf", "script"], "by {size}");
    }
}

#[test]
fn behind_a_hole_in_a_document_it_goes_on_at_the_next_message() {
    let whole = answer("text/xml", "", DESCRIPTION.as_bytes());
    let (before, behind) = whole.split_at(300);
    let mut flow = flow().answer(before);
    flow.conversation.gap(Direction::FromResponder, 200, &mut flow.statements);
    let flow = flow.answer(behind.get(200..).unwrap_or_default()).answer(&whole);
    assert_eq!(flow.values(Attribute::SerialNumber), ["0017881a2b3c"]);
}

proptest! {
    #[test]
    fn any_document_is_survived_and_only_an_ipp_answer_of_a_printer_is_one(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        kind in prop::sample::select(vec!["text/xml", "application/json", "application/fhir+xml", "application/ipp"]),
        encoding in prop::sample::select(vec!["", "Content-Encoding: gzip\r\n", "Content-Encoding: deflate\r\n"]),
    ) {
        let flow = flow().answer(&answer(kind, encoding, &bytes));
        prop_assert!(flow.values(Attribute::SerialNumber).is_empty());
    }

    #[test]
    fn documents_with_changed_octets_are_survived(
        which in any::<prop::sample::Index>(),
        places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        size in 1_usize..2000,
    ) {
        let documents = [
            framed().concat(),
            answer("application/soap+xml", "", mdib(1).as_bytes()),
            answer("application/fhir+json", "", super::fhir::tests::DEVICE.as_bytes()),
            answer("application/ipp", "", &super::ipp::tests::of_printer()),
        ];
        let mut stream = which.get(&documents).clone();
        for (place, octet) in places {
            let place = place.index(stream.len());
            stream[place] = octet;
        }
        let flow = stream.chunks(size).fold(flow(), TestFlow::answer);
        prop_assert!(flow.statements.observations.len() < 200);
    }
}
