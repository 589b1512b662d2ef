//! Documents as their standards print them, in answers as servers frame them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::CANDIDATE;
use crate::test_flow::TestFlow;

fn flow() -> TestFlow {
    TestFlow::new(&[CANDIDATE])
}

/// An answer with this content type, further lines and body.
fn answer(kind: &str, lines: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{lines}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// What an answer's document says, without the role of its sender.
fn said(kind: &str, body: &str) -> Vec<String> {
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
    "sender 192.0.2.2 model BSB002",
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
    // "5.0" has no letter, which a model has.
    assert_eq!(
        said("application/soap+xml; charset=utf-8", METADATA),
        [
            "sender 192.0.2.2 manufacturer Acme Medical",
            "sender 192.0.2.2 model Vent 500",
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
    // A gateway to several is none of them.
    assert_eq!(said("application/soap+xml", &mdib(2)), [""; 0]);
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

/// FHIR R4, Device: after the example `f001` with the elements of the resource's definition.
const DEVICE: &str = r#"{"resourceType":"Device","id":"4711","text":{"status":"generated","div":"<div>Doe</div>"},
"udiCarrier":[{"deviceIdentifier":"04012345678901","carrierHRF":"(01)04012345678901(10)L7(21)SN-42"}],
"manufacturer":"Acme","lotNumber":"L7","manufactureDate":"2023-02-03T10:00:00Z","modelNumber":"P 7",
"deviceName":[{"name":"Jane's pump","type":"user-friendly-name"}],
"type":{"coding":[{"system":"http://snomed.info/sct","code":"1"},{"system":"urn:iso:std:iso:11073:10101","code":"69985"}]},
"version":[{"type":{"text":"Firmware"},"value":"2.1"},{"value":"9.0"}],"patient":{"reference":"Patient/7"},"note":[{"text":"Doe"}]}"#;

const OF_DEVICE: [&str; 9] = [
    "manufacturer Acme",
    "model P 7",
    "serial_number SN-42",
    "udi_di 04012345678901",
    "lot_number L7",
    "manufacture_date 2023-02-03",
    "firmware_version 2.1",
    "software_version 9.0",
    "device_type_code 69985",
];

/// Of the third device with this serial number, told by this address.
fn third(teller: &str, facts: &[&str]) -> Vec<String> {
    facts.iter().map(|fact| format!("third {teller} serial=Acme|P 7|SN-42 {fact}")).collect()
}

#[test]
fn a_resource_describes_a_third_device_and_nobody_else() {
    let mut expected = third("192.0.2.2", &OF_DEVICE);
    expected.push("sender 192.0.2.2 cleartext_patient_data fhir-resource".to_owned());
    for kind in ["application/fhir+json; fhirVersion=4.0", "application/json", "application/json+fhir"] {
        assert_eq!(said(kind, DEVICE), expected, "{kind}");
    }
    // Sent to a server, and in a bundle.
    let bundle = format!(r#"{{"resourceType":"Bundle","entry":[{{"resource":{DEVICE}}}]}}"#);
    let request = format!(
        "PUT /Device/1 HTTP/1.1\r\nContent-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n{bundle}",
        bundle.len()
    );
    let said = flow().ask(request.as_bytes()).said();
    assert_eq!(said.get(1..10).unwrap_or_default(), third("192.0.2.1", &OF_DEVICE));
}

#[test]
fn a_resource_in_xml_is_the_same() {
    let device = r#"<Device xmlns="http://hl7.org/fhir"><id value="4711"/><manufacturer value="Acme"/>
<serialNumber value="SN-42"/><modelNumber value="P 7"/><version><value value="9.0"/></version></Device>"#;
    let expected = third(
        "192.0.2.2",
        &["manufacturer Acme", "model P 7", "serial_number SN-42", "software_version 9.0"],
    );
    assert_eq!(said("application/fhir+xml", device), expected);
    assert_eq!(said("application/xml", device), expected);
    let bundle = format!(
        "<Bundle xmlns=\"http://hl7.org/fhir\"><entry><resource>{device}</resource></entry></Bundle>"
    );
    assert_eq!(said("application/fhir+xml", &bundle), expected);
}

#[test]
fn a_server_names_its_software() {
    let statement = r#"{"resourceType":"CapabilityStatement","publisher":"Jane Doe","fhirVersion":"4.0.1",
        "software":{"name":"Acme FHIR Server","version":"6.8.0"},"implementation":{"description":"of Jane Doe"}}"#;
    assert_eq!(
        said("application/fhir+json", statement),
        [
            "sender 192.0.2.2 role fhir-server",
            "sender 192.0.2.2 software_name Acme FHIR Server",
            "sender 192.0.2.2 software_version 6.8.0",
        ]
    );
}

#[test]
fn patients_in_clear_are_told_of_and_never_told() {
    let kind = "application/fhir+json";
    let told = ["sender 192.0.2.2 cleartext_patient_data fhir-resource"];
    for patient in [
        r#"{"resourceType":"Patient","name":[{"family":"Doe"}]}"#,
        r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"1"}}]}"#,
        r#"{"resourceType":"Observation","subject":{"reference":"http://fhir.example/Patient/1"}}"#,
        r#"{"resourceType":"Observation","contained":[{"resourceType":"Patient"}]}"#,
        // Cut off behind its beginning: the length is that of what was sent.
        r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","name":[{"fam"#,
    ] {
        assert_eq!(said(kind, patient), told, "{patient}");
    }
    for other in [
        r#"{"resourceType":"Observation","subject":{"reference":"Device/1"}}"#,
        r#"{"resourceType":"OperationOutcome"}"#,
        r#"{"name":"Doe"}"#,
        "[]",
        "",
    ] {
        assert_eq!(said(kind, other), [""; 0], "{other}");
    }
    // Other people's JSON is none of FHIR's.
    assert_eq!(said("application/json", r#"{"patient":{"reference":"Patient/1"}}"#), [""; 0]);
}

/// RFC 8010, 3.1: an answer with these groups of named values.
fn ipp(groups: &[(u8, &[(&str, &str)])]) -> Vec<u8> {
    let mut bytes = vec![1, 1, 0, 0, 0, 0, 0, 1];
    let sized = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    for (tag, values) in groups {
        bytes.push(*tag);
        for (name, value) in *values {
            bytes.push(0x41);
            bytes.extend(sized(name));
            bytes.extend(sized(value));
        }
    }
    bytes.push(3);
    bytes.extend(b"document data");
    bytes
}

const PRINTER: &[(&str, &str)] = &[
    ("printer-make-and-model", "Acme Laser 7"),
    ("printer-location", "Ward 3"),
    ("printer-device-id", "MFG:Acme;CMD:PCL,PS;MDL:Laser 7 Series;SN:VNB3R1;"),
    ("printer-firmware-string-version", "2.71"),
    ("", "another"),
    ("printer-uuid", "urn:uuid:01234567-89AB-cdef-0123-456789abcdef"),
    ("printer-info", "Jane's printer"),
];

const OF_PRINTER: [&str; 6] = [
    "manufacturer Acme",
    "model Laser 7 Series",
    "serial_number VNB3R1",
    "firmware_version 2.71",
    "location Ward 3",
    "device_uuid 01234567-89ab-cdef-0123-456789abcdef",
];

const OPERATION: (u8, &[(&str, &str)]) = (1, &[("attributes-charset", "utf-8")]);
const JOB: (u8, &[(&str, &str)]) = (2, &[("job-name", "Doe"), ("printer-location", "not a printer's")]);

#[test]
fn a_printer_describes_itself_and_its_jobs_are_nobodys_business() {
    let body = ipp(&[OPERATION, JOB, (4, PRINTER)]);
    let flow = flow().answer(&answer("application/ipp", "", &body));
    let expected: Vec<String> = std::iter::once("role ipp-printer")
        .chain(OF_PRINTER)
        .map(|fact| format!("sender 192.0.2.2 {fact}"))
        .collect();
    assert_eq!(flow.said().get(1..).unwrap_or_default(), expected);
}

#[test]
fn a_spooler_tells_of_third_devices_where_they_can_be_told_apart() {
    let groups = [OPERATION, (4, PRINTER), (4, &[("printer-make-and-model", "Acme Ink 1")])];
    let expected: Vec<String> = OF_PRINTER
        .iter()
        .map(|fact| format!("third 192.0.2.2 serial=Acme|Laser 7 Series|VNB3R1 {fact}"))
        .collect();
    for (server, groups) in [("", &groups[..]), ("Server: CUPS/2.4 IPP/2.1\r\n", &groups[..2])] {
        let flow = flow().answer(&answer("application/ipp", server, &ipp(groups)));
        let said: Vec<String> = flow.said().into_iter().filter(|line| line.starts_with("third")).collect();
        assert_eq!(said, expected);
        assert_eq!(flow.values(Attribute::Role), ["http-server"]);
    }
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
            answer("application/fhir+json", "", DEVICE.as_bytes()),
            answer("application/ipp", "", &ipp(&[OPERATION, JOB, (4, PRINTER)])),
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
