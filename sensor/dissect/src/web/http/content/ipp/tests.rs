//! Answers as RFC 8010 encodes them.

use wardwatch_proto::v1::Attribute;

use super::super::tests::{answer, flow};

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
    let body = of_printer();
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

/// An answer with a job and a printer.
pub(in super::super) fn of_printer() -> Vec<u8> {
    ipp(&[OPERATION, JOB, (4, PRINTER)])
}
