//! Documents that HTTP carries, with canaries in every element that says nothing about a device: FHIR (R4), UPnP
//! descriptions (Device Architecture 2.0, 2.3), SOAP of medical devices (ISO/IEEE 11073-10207), makers' own, and IPP
//! (RFC 8011).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

/// Listed elements of a FHIR Device: name, control value, attribute.
const DEVICE: [(&str, &str, Attribute); 4] = [
    ("manufacturer", "Acme Medical", Attribute::Manufacturer),
    ("modelNumber", "Pump 7", Attribute::Model),
    ("serialNumber", "SN-4711", Attribute::SerialNumber),
    ("lotNumber", "L-7", Attribute::LotNumber),
];

/// Elements of a Device and of other resources that are nobody's business.
const ELEMENTS: [&str; 14] = [
    "id",
    "implicitRules",
    "language",
    "distinctIdentifier",
    "expirationDate",
    "partNumber",
    "url",
    "status",
    "birthDate",
    "gender",
    "family",
    "given",
    "telecom",
    "deceasedDateTime",
];

const DESCRIPTION: [(&str, &str, Attribute); 4] = [
    ("manufacturer", "Acme Lighting", Attribute::Manufacturer),
    ("modelName", "Bridge 7", Attribute::Model),
    ("modelNumber", "BSB002", Attribute::ModelNumber),
    ("serialNumber", "0017881a2b3c", Attribute::SerialNumber),
];

/// Elements of a description that its owner fills, or that lead elsewhere.
const OF_OWNER: [&str; 7] =
    ["friendlyName", "UDN", "UPC", "presentationURL", "modelDescription", "modelURL", "roomName"];

const CAMERA: [(&str, &str, Attribute); 3] = [
    ("model", "DS-2CD2143", Attribute::Model),
    ("serialNumber", "DS-2CD2143-42", Attribute::SerialNumber),
    ("firmwareVersion", "V5.5.82", Attribute::FirmwareVersion),
];

/// Elements of a camera's description that its owner fills.
const OF_CAMERA: [&str; 5] =
    ["deviceName", "deviceID", "deviceDescription", "deviceLocation", "systemContact"];

const META_DATA: [(&str, &str, Attribute); 3] = [
    ("Manufacturer", "Acme Medical", Attribute::Manufacturer),
    ("ModelName", "Vent 500", Attribute::Model),
    ("SerialNumber", "ASKL-0042", Attribute::SerialNumber),
];

/// Elements of a medical device's state and contexts (BICEPS, CoreData and others).
const OF_CONTEXT: [&str; 10] = [
    "Givenname",
    "Middlename",
    "Familyname",
    "Birthname",
    "DateOfBirth",
    "Height",
    "Identification",
    "Name",
    "OperatorDetails",
    "RequestedStringValue",
];

const PRINTER: [(&str, &str, Attribute); 3] = [
    ("printer-make-and-model", "Acme Laser 7", Attribute::Model),
    ("printer-firmware-string-version", "2.71", Attribute::FirmwareVersion),
    ("printer-uuid", "01234567-89ab-cdef-0123-456789abcdef", Attribute::DeviceUuid),
];

/// Attributes of printers and jobs that name people, places on the network and what is printed.
const OF_JOB: [&str; 9] = [
    "job-name",
    "job-originating-user-name",
    "document-name",
    "requesting-user-name",
    "printer-info",
    "printer-name",
    "printer-more-info",
    "printer-state-message",
    "printer-uri-supported",
];

type Listed = [(&'static str, &'static str, Attribute)];

pub(super) fn streams() -> Vec<CanaryStream> {
    let kinds: [(&str, &Listed, Build); 6] = [
        ("fhir json", &DEVICE, fhir_json),
        ("fhir xml", &DEVICE, fhir_xml),
        ("upnp", &DESCRIPTION, upnp),
        ("camera", &CAMERA, camera),
        ("soap", &META_DATA, soap),
        ("ipp", &PRINTER, ipp),
    ];
    let mut streams = Vec::new();
    for (name, listed, build) in kinds {
        streams.push(stream(name, listed, None, build));
        for (broken, ..) in listed {
            for shape in BREAKERS {
                streams.push(stream(name, listed, Some((broken, shape)), build));
            }
        }
    }
    streams
}

/// Makes the media type and body of an answer with these listed values.
type Build = fn(&mut Mint, &[(&str, String)]) -> (&'static str, Vec<u8>);

fn stream(name: &str, listed: &Listed, broken: Option<(&str, &str)>, build: Build) -> CanaryStream {
    let mut mint = Mint::default();
    let values: Vec<(&str, String)> = listed
        .iter()
        .map(|(of, control, _)| match broken {
            Some((element, shape)) if element == *of => (*of, mint.broken(shape)),
            _ => (*of, (*control).to_owned()),
        })
        .collect();
    let (kind, body) = build(&mut mint, &values);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
    // Without its serial number a third device is nobody, and nothing is stated of it.
    let is_nobody = matches!(broken, Some(("serialNumber", _))) && name.starts_with("fhir");
    let expected = if is_nobody {
        vec![(Attribute::Role, "http-server".to_owned())]
    } else {
        let intact = listed.iter().filter(|(of, ..)| broken.is_none_or(|(element, _)| element != *of));
        intact.map(|(_, control, attribute)| (*attribute, (*control).to_owned())).collect()
    };
    let turns: Vec<Turn> = vec![
        from_initiator(b"GET / HTTP/1.1\r\nAccept: */*\r\n\r\n".to_vec()),
        from_responder([head.as_bytes(), &body].concat()),
    ];
    let name = match broken {
        Some((element, shape)) => format!("{name} {element} broken, {shape}"),
        None => format!("{name} everything"),
    };
    CanaryStream { name, transport: Transport::Tcp, port: 80, turns, canaries: mint.canaries, expected }
}

fn fhir_json(mint: &mut Mint, values: &[(&str, String)]) -> (&'static str, Vec<u8>) {
    let mut members = |listed: &[(&str, String)]| {
        let listed = listed.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect::<Vec<_>>();
        let others = ELEMENTS.map(|name| format!(r#""{name}":"{}""#, mint.token())).join(",");
        let nested = format!(
            r#""text":{{"div":"<div>{}</div>"}},"identifier":[{{"value":"{}"}}],"note":[{{"text":"{}"}}],"patient":{{"reference":"Patient/{}"}},"name":[{{"family":"{}"}}],"deviceName":[{{"name":"{}","type":"user-friendly-name"}}],"managingOrganization":{{"display":"{}"}}"#,
            mint.token(),
            mint.token(),
            mint.token(),
            mint.token(),
            mint.token(),
            mint.token(),
            mint.token(),
        );
        [listed.join(","), others, nested]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(",")
    };
    let device = members(values);
    let patient = members(&[]);
    let body = format!(
        r#"{{"resourceType":"Bundle","entry":[{{"resource":{{"resourceType":"Device",{device}}}}},{{"resource":{{"resourceType":"Patient",{patient}}}}}]}}"#
    );
    ("application/fhir+json", body.into_bytes())
}

fn fhir_xml(mint: &mut Mint, values: &[(&str, String)]) -> (&'static str, Vec<u8>) {
    let listed = values.iter().map(|(name, value)| format!(r#"<{name} value="{value}"/>"#));
    let listed = listed.collect::<Vec<_>>().concat();
    let mut others = || ELEMENTS.map(|name| format!(r#"<{name} value="{}"/>"#, mint.token())).concat();
    let (of_device, of_patient) = (others(), others());
    let body = format!(
        r#"<Bundle xmlns="http://hl7.org/fhir"><entry><resource><Device>{listed}{of_device}</Device></resource></entry><entry><resource><Patient>{of_patient}</Patient></resource></entry></Bundle>"#
    );
    ("application/fhir+xml", body.into_bytes())
}

fn elements(values: &[(&str, String)]) -> String {
    values.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect::<Vec<_>>().concat()
}

fn tokens(mint: &mut Mint, names: &[&'static str]) -> Vec<(&'static str, String)> {
    names.iter().map(|name| (*name, mint.token())).collect()
}

fn upnp(mint: &mut Mint, values: &[(&str, String)]) -> (&'static str, Vec<u8>) {
    let others = elements(&tokens(mint, &OF_OWNER));
    let inner = elements(&tokens(mint, &["friendlyName", "manufacturer", "modelName", "serialNumber"]));
    let body = format!(
        "<root><URLBase>{}</URLBase><device><deviceType>urn:x</deviceType>{}{others}<deviceList><device>{inner}</device></deviceList></device></root>",
        mint.token(),
        elements(values),
    );
    ("text/xml", body.into_bytes())
}

fn camera(mint: &mut Mint, values: &[(&str, String)]) -> (&'static str, Vec<u8>) {
    let others = elements(&tokens(mint, &OF_CAMERA));
    let body = format!("<DeviceInfo>{}{others}</DeviceInfo>", elements(values));
    ("application/xml", body.into_bytes())
}

fn soap(mint: &mut Mint, values: &[(&str, String)]) -> (&'static str, Vec<u8>) {
    let context = elements(&tokens(mint, &OF_CONTEXT));
    let header = elements(&tokens(mint, &["Action", "MessageID", "From", "Security"]));
    let body = format!(
        "<Envelope><Header>{header}</Header><Body><GetMdibResponse><Mdib><MdDescription><Mds><MetaData>{}</MetaData><SystemContext>{context}</SystemContext></Mds></MdDescription><MdState><State><CoreData>{context}</CoreData></State></MdState></Mdib></GetMdibResponse></Body></Envelope>",
        elements(values),
    );
    ("application/soap+xml", body.into_bytes())
}

fn ipp(mint: &mut Mint, values: &[(&str, String)]) -> (&'static str, Vec<u8>) {
    let sized = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    let mut body = vec![2, 0, 0, 0, 0, 0, 0, 1, 1];
    let mut add = |values: &[(&str, String)], delimiter: u8| {
        for (name, value) in values {
            body.push(0x42);
            body.extend(sized(name));
            body.extend(sized(value));
        }
        body.push(delimiter);
    };
    // The operation's group, a job's, the printer's, the end.
    add(&tokens(mint, &OF_JOB), 2);
    add(&tokens(mint, &OF_JOB), 4);
    let mut printer: Vec<(&str, String)> = tokens(mint, &OF_JOB);
    printer.extend(values.iter().cloned());
    add(&printer, 3);
    body.extend(mint.token().into_bytes());
    ("application/ipp", body)
}
