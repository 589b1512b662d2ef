//! Messages of point-of-care devices whose every element carries a canary but the listed ones (CLSI POCT01-A2, B.5).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

/// Messages, and objects with their elements that are not listed.
const MESSAGES: [&str; 10] = [
    "ACK.R01", "DST.R01", "REQ.R01", "OBS.R01", "OBS.R02", "EOT.R01", "DTV.R01", "END.R01", "OPL.R01",
    "KPA.R01",
];
const UNLISTED: [&str; 18] = [
    "PT.patient_id",
    "PT.name",
    "PT.birth_date",
    "PT.gender_cd",
    "PT.location",
    "OPR.operator_id",
    "OPR.name",
    "ACC.password",
    "SVC.observation_dttm",
    "OBS.observation_id",
    "OBS.value",
    "ORD.order_id",
    "ORD.universal_service_id",
    "RGT.lot_number",
    "NTE.text",
    "ACK.note_txt",
    "DEV.device_name",
    "DCP.vendor",
];

/// Listed elements with control values.
const LISTED: [(&str, &str, Attribute); 7] = [
    ("DEV.device_id", "UNIT-7", Attribute::EquipmentId),
    ("DEV.vendor_id", "ACME", Attribute::Manufacturer),
    ("DEV.model_id", "G1", Attribute::Model),
    ("DEV.serial_id", "S9", Attribute::SerialNumber),
    ("DEV.manufacturer_name", "Acme Care", Attribute::Manufacturer),
    ("DEV.hw_version", "1.0", Attribute::HardwareVersion),
    ("DEV.sw_version", "2.1", Attribute::SoftwareVersion),
];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![everything()];
    for (element, ..) in LISTED {
        streams.extend(BREAKERS.into_iter().map(|shape| broken(element, shape)));
    }
    streams
}

/// An element: the value, text and other attributes, and canaries where nothing is listed.
fn element(mint: &mut Mint, name: &str, value: &str) -> String {
    format!("<{name} V=\"{value}\" SN=\"{}\" SV=\"{}\">{}</{name}>", mint.token(), mint.date(), mint.token())
}

fn unlisted(mint: &mut Mint) -> String {
    UNLISTED
        .iter()
        .map(|name| {
            let value = mint.token();
            element(mint, name, &value)
        })
        .collect()
}

fn everything() -> CanaryStream {
    let mut mint = Mint::default();
    let mut document = |root: &str, listed: bool| {
        let mut body = unlisted(&mut mint);
        for (name, value, _) in LISTED.iter().filter(|_| listed) {
            // The name of the maker comes before its code; both are stated only where the other is missing.
            body += &element(&mut mint, name, value);
        }
        if !listed {
            // What is listed in an introduction is not elsewhere.
            for (name, ..) in LISTED {
                let value = mint.token();
                body += &element(&mut mint, name, &value);
            }
        }
        format!("<?xml version=\"1.0\"?><{root}>{body}<!-- {} --></{root}>\n", mint.token())
    };
    let mut turns = vec![from_initiator(document("HEL.R01", true).into_bytes())];
    for root in MESSAGES {
        turns.push(from_initiator(document(root, false).into_bytes()));
        turns.push(from_responder(document(root, false).into_bytes()));
    }
    let mut expected: Vec<_> = LISTED
        .iter()
        .filter(|(name, ..)| *name != "DEV.vendor_id")
        .map(|(_, value, of)| (*of, (*value).to_owned()))
        .collect();
    expected.extend([
        (Attribute::Role, "poct1-device".to_owned()),
        (Attribute::CleartextPatientData, "poct1-message".to_owned()),
        (Attribute::CleartextCredential, "poct1-operator-list".to_owned()),
    ]);
    stream("poct1 everything".to_owned(), mint, turns, expected)
}

fn broken(broken: &str, shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let body: String = LISTED
        .iter()
        .map(|(name, value, _)| {
            let value = if *name == broken { mint.broken(shape) } else { (*value).to_owned() };
            element(&mut mint, name, &value)
        })
        .collect();
    let turns = vec![from_initiator(format!("<HEL.R01>{body}</HEL.R01>").into_bytes())];
    let expected = vec![(Attribute::Role, "poct1-device".to_owned())];
    stream(format!("poct1 {broken} broken, {shape}"), mint, turns, expected)
}

fn stream(name: String, mint: Mint, turns: Vec<Turn>, expected: Vec<(Attribute, String)>) -> CanaryStream {
    CanaryStream { name, transport: Transport::Tcp, port: 3001, turns, canaries: mint.canaries, expected }
}
