//! Answers of infusion pumps' servers whose every key carries a canary but the listed ones (B. Braun I0022).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

/// Keys of patients, nurses, therapies and barcodes, and one that is on no list.
const UNLISTED: [&str; 14] = [
    "PATID",
    "PATIDBADGE",
    "PATIDDRUG",
    "PATW",
    "PATH",
    "PATAGE",
    "PATSEX",
    "NURSEID",
    "FMBANY",
    "INDRUG",
    "INRATE",
    "INVTBI",
    "DSSTATUS",
    "XYZ",
];

/// Listed keys with control values, the serial number last: its pump is stated when it is known.
const LISTED: [(&str, &str, Attribute); 2] =
    [("GNMODEL", "688F030006", Attribute::Model), ("INSERNUM", "36248", Attribute::SerialNumber)];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![everything()];
    for (key, ..) in LISTED {
        streams.extend(BREAKERS.into_iter().map(|shape| broken(key, shape)));
    }
    streams
}

/// A message whose length and sum count the text before stuffing.
fn message(bed: &str, information: &str) -> Vec<u8> {
    let content = format!("{bed}/1/1>{information}");
    let summed = format!("\u{1}{:05}\u{2}{content}\u{3}", content.len() + 15);
    let sum = summed.bytes().map(u32::from).sum::<u32>() % 65_536;
    let stuffed: String = content
        .chars()
        .map(|letter| match letter {
            'D' => "EX".to_owned(),
            'd' => "ex".to_owned(),
            'E' | 'e' => format!("{letter}{letter}"),
            _ => letter.to_string(),
        })
        .collect();
    format!("\u{1}{:05}\u{2}{stuffed}\u{3}{sum:05}\u{4}", content.len() + 15).into_bytes()
}

fn everything() -> CanaryStream {
    let mut mint = Mint::default();
    let mut rows: Vec<String> = Vec::new();
    for address in ["50100", "50111", "5012A"] {
        rows.extend(UNLISTED.iter().map(|key| format!("12,{address},{key},{}", mint.token())));
    }
    rows.extend(LISTED.iter().map(|(key, value, _)| format!("12,50111,{key},{value}")));
    // What identifies a pump does not at the server's own address, nor an identifier of another number.
    rows.push(format!("12,50100,INSERNUM,{}", mint.token()));
    rows.push(format!("12,50111,INNR,{}", mint.token()));
    let turns = vec![
        from_initiator(message("1", &format!("ADMIN:{}", mint.token()))),
        from_responder(message("W4B12", &rows.join("\u{1e}"))),
    ];
    let mut expected: Vec<_> = LISTED.iter().map(|(_, value, of)| (*of, (*value).to_owned())).collect();
    expected.extend([
        (Attribute::Location, "W4B12".to_owned()),
        (Attribute::Role, "bcc-client".to_owned()),
        (Attribute::Role, "bcc-server".to_owned()),
        (Attribute::CleartextPatientData, "bcc-message".to_owned()),
    ]);
    stream("bcc everything".to_owned(), mint, turns, expected)
}

fn broken(broken: &str, shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let row = |(key, value, _): &(&str, &str, Attribute)| {
        let value = if *key == broken { mint.broken(shape) } else { (*value).to_owned() };
        format!("12,50111,{key},{value}")
    };
    let rows: Vec<String> = LISTED.iter().map(row).collect();
    let turns = vec![from_responder(message("W4B12", &rows.join("\u{1e}")))];
    let expected = vec![(Attribute::Role, "bcc-server".to_owned())];
    stream(format!("bcc {broken} broken, {shape}"), mint, turns, expected)
}

fn stream(name: String, mint: Mint, turns: Vec<Turn>, expected: Vec<(Attribute, String)>) -> CanaryStream {
    CanaryStream { name, transport: Transport::Tcp, port: 4001, turns, canaries: mint.canaries, expected }
}
