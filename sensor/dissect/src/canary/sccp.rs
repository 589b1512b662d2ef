//! Skinny: numbers that are dialled, the names of those who call and are called, texts on displays, users and what follows a
//! telephone's state carry canaries (Cisco; the layouts are those that Wireshark reads).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

/// A message's fields by their octets, behind octets that hold no text; a number has fewer octets than a canary.
type Texts = (u32, usize, &'static [usize]);

/// What a server sends: texts, prompts and notices to show, who calls whom, a number that was dialled, numbers on keys, lines,
/// forwarding, services, and data for an application.
const OF_SERVER: &[Texts] = &[
    (0x99, 0, &[32]),
    (0x112, 4, &[32]),
    (0x114, 4, &[32]),
    (0x120, 8, &[32]),
    (0x8F, 0, &[40, 24, 40, 24, 12, 40, 24, 40, 24]),
    (0x14A, 32, &[24, 24, 24, 24, 40, 40, 40, 40]),
    (0x11D, 0, &[24]),
    (0x91, 4, &[24, 40]),
    (0x92, 4, &[24, 40, 40]),
    (0x90, 12, &[24, 4, 24, 4, 24]),
    (0x12F, 4, &[256, 40]),
    (0x11E, 20, &[100]),
    (0x13F, 28, &[100]),
];

/// What a telephone sends: a number at once, the caller's, that of a call's statistics, and an application's data.
const OF_PHONE: &[Texts] = &[(0x04, 0, &[24]), (0x24, 0, &[24, 24]), (0x23, 0, &[24]), (0x2E, 28, &[100])];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![calls(), registered(None), of_a_person()];
    streams.extend(BREAKERS.map(|shape| registered(Some(shape))));
    streams
}

fn stream(name: &str, mint: Mint, turns: Vec<Turn>, expected: &[(Attribute, &str)]) -> CanaryStream {
    let expected = expected.iter().map(|(attribute, value)| (*attribute, (*value).to_owned())).collect();
    let (name, canaries) = (name.to_owned(), mint.canaries);
    CanaryStream { name, transport: Transport::Tcp, port: 9999, turns, canaries, expected }
}

fn frame(message: u32, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 4).to_le_bytes()[..], &[20, 0, 0, 0], &message.to_le_bytes(), body].concat()
}

fn padded(text: &str, octets: usize) -> Vec<u8> {
    let mut field = text.as_bytes().to_vec();
    field.resize(octets, 0);
    field
}

fn of_texts(mint: &mut Mint, (message, octets, texts): &Texts) -> Vec<u8> {
    let field = |octets: &usize| if *octets < 16 { vec![0; *octets] } else { padded(&mint.token(), *octets) };
    let texts: Vec<u8> = texts.iter().flat_map(field).collect();
    frame(*message, &[vec![0; *octets], texts].concat())
}

/// A registration: name, user, instance, address, kind; newer ones have a load, and the stamp of a configuration.
fn register(mint: &mut Mint, name: &str, load: Option<&str>) -> Vec<u8> {
    let mut body = padded(name, 16);
    body.extend([0, 0, 0, 0, 1, 0, 0, 0, 192, 0, 2, 1, 7, 0, 0, 0, 5, 0, 0, 0]);
    if let Some(load) = load {
        body.resize(92, 0);
        body.extend(padded(load, 32));
        body.extend(padded(&mint.token(), 48));
    }
    frame(0x01, &body)
}

fn alarm(text: &str) -> Vec<u8> {
    frame(0x20, &[&[2, 0, 0, 0][..], &padded(text, 80), &[0; 8]].concat())
}

const PHONE: &str = "SEP001AA289341F";

const OF_NAME: [(Attribute, &str); 2] =
    [(Attribute::HostName, "sep001aa289341f"), (Attribute::MacAddress, "00:1a:a2:89:34:1f")];

const OF_BOTH: [(Attribute, &str); 3] =
    [(Attribute::Role, "sccp-phone"), (Attribute::Role, "sccp-server"), (Attribute::SccpDeviceType, "7")];

/// A telephone that registers without its load, so that all its calls are listened to, until an alarm names it.
fn calls() -> CanaryStream {
    let mut mint = Mint::default();
    let mut turns =
        vec![from_initiator(register(&mut mint, PHONE, None)), from_responder(frame(0x81, &[0; 20]))];
    for _ in 0..2 {
        turns.extend(OF_SERVER.iter().map(|texts| from_responder(of_texts(&mut mint, texts))));
        turns.extend(OF_PHONE.iter().map(|texts| from_initiator(of_texts(&mut mint, texts))));
        turns.push(from_initiator(alarm(&format!("14: {} of {}", mint.token(), mint.token()))));
    }
    turns.push(from_initiator(alarm(&format!("25: Name={PHONE} Load=SCCP41.8-5-2S Last={}", mint.token()))));
    let expected = [&OF_NAME[..], &OF_BOTH, &[(Attribute::FirmwareVersion, "SCCP41.8-5-2S")]].concat();
    stream("sccp calls", mint, turns, &expected)
}

/// A telephone whose name and load are listed, and may be broken.
fn registered(broken: Option<&str>) -> CanaryStream {
    let mut mint = Mint::default();
    // Sixteen octets hold as much of the shape as fits.
    mint.canaries.push("CNRY7".to_owned());
    let name = broken.map_or(PHONE.to_owned(), |shape| format!("SEP{}", shape.replace("{}", "CNRY7")));
    let name: String = name.chars().take(15).collect();
    let [load, of_alarm] =
        [(); 2].map(|()| broken.map_or_else(|| "SCCP41.8-5-2S".to_owned(), |shape| mint.broken(shape)));
    let register = register(&mut mint, &name, Some(&load));
    let turns = vec![
        from_initiator(alarm(&format!("25: Name={name} Load={of_alarm} Last={}", mint.token()))),
        from_initiator(register),
        from_responder(frame(0x81, &[0; 20])),
        from_responder(of_texts(&mut mint, &(0x99, 0, &[32]))),
    ];
    let mut expected = OF_BOTH.to_vec();
    if broken.is_none() {
        expected.extend([&OF_NAME[..], &[(Attribute::FirmwareVersion, "SCCP41.8-5-2S")]].concat());
    }
    let name = broken.map_or_else(|| "sccp registered".to_owned(), |shape| format!("sccp broken, {shape}"));
    stream(&name, mint, turns, &expected)
}

/// A program on a computer, which may have its user's name for its own.
fn of_a_person() -> CanaryStream {
    let mut mint = Mint::default();
    let name = mint.token();
    let turns = vec![
        from_initiator(alarm(&format!("25: Name={name} User={} Load= Last=Initialized", mint.token()))),
        from_initiator(register(&mut mint, &name, None)),
        from_responder(frame(0x81, &[0; 20])),
    ];
    stream("sccp of a person", mint, turns, &OF_BOTH)
}
