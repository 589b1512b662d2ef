//! Sessions of analysers whose every field and component carries a canary but the sender's (CLSI LIS02-A2, 6 to 13).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

/// Records none of whose fields is listed: patient, order, result, comment, query, manufacturer, scientific,
/// terminator.
const UNLISTED: [&str; 8] = ["P", "O", "R", "C", "Q", "M", "S", "L"];

/// Fields of a record, and which of the header's is the sender.
const FIELDS: usize = 34;
const SENDER: usize = 5;

/// What the sender says of itself, in the order of one maker: control value, attribute.
const LISTED: [(&str, Attribute); 4] = [
    ("XYZ-9", Attribute::Model),
    ("Acme", Attribute::Manufacturer),
    ("2.1", Attribute::SoftwareVersion),
    ("SN0042", Attribute::SerialNumber),
];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![everything()];
    for (broken, _) in LISTED.iter().enumerate() {
        streams.extend(BREAKERS.into_iter().map(|shape| broken_sender(broken, shape)));
    }
    streams
}

fn field(mint: &mut Mint) -> String {
    format!(r"{}^{}\{}^{}", mint.token(), mint.date(), mint.token(), mint.token())
}

/// A record: its type, a number where one belongs, and canaries.
fn record(mint: &mut Mint, kind: &str, sender: &str) -> String {
    let fields: Vec<String> = (2..=FIELDS)
        .map(|number| match (kind, number) {
            ("H", 2) => r"\^&".to_owned(),
            ("H", SENDER) => sender.to_owned(),
            (_, 2) => "1".to_owned(),
            _ => field(mint),
        })
        .collect();
    format!("{kind}|{}\r", fields.join("|"))
}

/// Frames of 240 octets (LIS01-A2, 6.3), whatever the records in them.
fn session(message: &str) -> Vec<u8> {
    let texts: Vec<&[u8]> = message.as_bytes().chunks(240).collect();
    let frames = texts.iter().enumerate().flat_map(|(at, text)| {
        let end = if at + 1 == texts.len() { 0x03 } else { 0x17 };
        let summed = [&[b'0' + (at as u8 + 1) % 8], *text, &[end]].concat();
        let sum = summed.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        [&[0x02][..], &summed, format!("{sum:02X}\r\n").as_bytes()].concat()
    });
    [0x05].into_iter().chain(frames).chain([0x04]).collect()
}

fn everything() -> CanaryStream {
    let mut mint = Mint::default();
    let sender = LISTED.map(|(value, _)| value).join("^");
    let mut message = record(&mut mint, "H", &sender);
    // The first component is the name of a hospital here.
    let site = format!("{}^GeneXpert^4.8", mint.token());
    message += &record(&mut mint, "H", &site);
    for kind in UNLISTED {
        message += &record(&mut mint, kind, "");
    }
    // What stands alone, or beside a birth date, is nobody's model.
    for sender in [mint.token(), format!("{}^{}", mint.token(), mint.token()), field(&mut mint)] {
        message += &record(&mut mint, "H", &sender);
    }
    let turns = vec![from_initiator(session(&message)), from_responder(vec![0x06])];
    let mut expected: Vec<_> = LISTED.iter().map(|(value, of)| (*of, (*value).to_owned())).collect();
    expected.extend([
        (Attribute::Model, "GeneXpert".to_owned()),
        (Attribute::Role, "astm-sender".to_owned()),
        (Attribute::Role, "astm-receiver".to_owned()),
        (Attribute::CleartextPatientData, "astm-record".to_owned()),
        (Attribute::CleartextCredential, "astm-password".to_owned()),
    ]);
    stream("astm everything".to_owned(), mint, turns, expected)
}

/// Delimiters in a value are escaped on the wire (LIS02-A2, 5.4.6), and come back as themselves.
fn escaped(value: &str) -> String {
    value.replace('^', "&S&").replace('|', "&F&")
}

fn broken_sender(broken: usize, shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let parts: Vec<String> = LISTED
        .iter()
        .enumerate()
        .map(|(at, (value, _))| if at == broken { escaped(&mint.broken(shape)) } else { (*value).to_owned() })
        .collect();
    let message = record(&mut mint, "H", &parts.join("^"));
    let expected = vec![(Attribute::Role, "astm-sender".to_owned())];
    let turns = vec![from_initiator(session(&message))];
    stream(format!("astm sender {broken} broken, {shape}"), mint, turns, expected)
}

fn stream(name: String, mint: Mint, turns: Vec<Turn>, expected: Vec<(Attribute, String)>) -> CanaryStream {
    CanaryStream { name, transport: Transport::Tcp, port: 4010, turns, canaries: mint.canaries, expected }
}
