//! Responses of ventilators and anaesthesia machines that carry canaries in every code but the identification
//! (Medibus 4.03).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, from_responder};

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![answers("medibus everything".to_owned(), Mint::default(), "Evita 2")];
    for shape in BREAKERS {
        let mut mint = Mint::default();
        let name = mint.broken(shape);
        streams.push(answers(format!("medibus name broken, {shape}"), mint, &name));
    }
    streams
}

fn frame(text: &str) -> Vec<u8> {
    let sum = text.bytes().fold(0_u8, u8::wrapping_add);
    format!("{text}{sum:02X}\r").into_bytes()
}

/// Every response there is, the identification with this name among them.
fn answers(name: String, mut mint: Mint, device: &str) -> CanaryStream {
    let mut bytes = Vec::new();
    for code in (0x21_u8..0x60).map(char::from) {
        let data = if code == '\x52' { format!("8200'{device}'01.10:03.00") } else { mint.token() };
        bytes.extend(frame(&format!("\u{1}{code}{data}")));
    }
    let mut expected = vec![(Attribute::Role, "gateway".to_owned())];
    if device == "Evita 2" {
        expected.push((Attribute::Model, device.to_owned()));
        expected.push((Attribute::SoftwareVersion, "01.10".to_owned()));
    }
    let turns = vec![from_responder(bytes)];
    CanaryStream { name, transport: Transport::Tcp, port: 4001, turns, canaries: mint.canaries, expected }
}
