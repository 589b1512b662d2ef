//! Pages over TAP and ESPA 4.4.4, whose texts hold rooms and people's names.

use wardwatch_proto::v1::Attribute;

use super::{CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

pub(super) fn streams() -> Vec<CanaryStream> {
    vec![tap(), espa()]
}

fn tap() -> CanaryStream {
    let mut mint = Mint::default();
    // A password has six characters at most.
    mint.canaries.push("CNRY77".to_owned());
    let mut turns = vec![
        from_initiator(b"\r".to_vec()),
        from_responder(b"ID=".to_vec()),
        from_initiator(b"\x1bPG1CNRY77\r".to_vec()),
        from_responder(format!("110 {}\r\x06\r\x1b[p\r", mint.token()).into_bytes()),
    ];
    for _ in 0..3 {
        let page = format!("\u{2}{}\rRoom 7 {}\r{}\r\u{3}1;5\r", mint.token(), mint.token(), mint.date());
        turns.push(from_initiator(page.into_bytes()));
        turns.push(from_responder(format!("{}\r\u{6}\r", mint.token()).into_bytes()));
    }
    let expected = vec![
        (Attribute::Role, "tap-client".to_owned()),
        (Attribute::Role, "tap-server".to_owned()),
        (Attribute::CleartextCredential, "tap-password".to_owned()),
    ];
    stream("tap everything", mint, turns, expected)
}

fn espa() -> CanaryStream {
    let mut mint = Mint::default();
    let mut turns = vec![from_responder(b"1\x052\x05".to_vec())];
    for header in 1..=4 {
        let records: Vec<String> =
            (1..=9).map(|identifier| format!("{identifier}\u{1f}{}", mint.token())).collect();
        let block = format!("{header}\u{2}{}\u{3}", records.join("\u{1e}"));
        let check = block.bytes().fold(0, |check, byte| check ^ byte);
        turns.push(from_initiator([&[1][..], block.as_bytes(), &[check]].concat()));
    }
    stream("espa everything", mint, turns, vec![(Attribute::Role, "espa-station".to_owned())])
}

fn stream(name: &str, mint: Mint, turns: Vec<Turn>, expected: Vec<(Attribute, String)>) -> CanaryStream {
    let name = name.to_owned();
    CanaryStream { name, transport: Transport::Tcp, port: 4001, turns, canaries: mint.canaries, expected }
}
