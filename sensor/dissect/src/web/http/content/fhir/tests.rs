//! Resources with the elements that HL7 FHIR defines for them.

use super::super::tests::{flow, said};

/// FHIR R4, Device: after the example `f001` with the elements of the resource's definition.
pub(in super::super) const DEVICE: &str = r#"{"resourceType":"Device","id":"4711","text":{"status":"generated","div":"<div>Doe</div>"},
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
fn a_model_has_a_name_from_its_maker_and_a_number() {
    let device = r#"{"resourceType":"Device","serialNumber":"7","modelNumber":"PN-1",
        "deviceName":[{"name":"Doe","type":"patient-reported-name"},{"name":"Pump P","type":"model-name"}]}"#;
    assert_eq!(
        said("application/fhir+json", device),
        [
            "third 192.0.2.2 serial=|Pump P|7 model Pump P",
            "third 192.0.2.2 serial=|Pump P|7 model_number PN-1",
            "third 192.0.2.2 serial=|Pump P|7 serial_number 7",
        ]
    );
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
