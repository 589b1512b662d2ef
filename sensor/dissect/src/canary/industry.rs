//! Protocols of controllers, meters and field devices, whose payload, names and passwords are canaries. Layouts are written
//! once more by the standards; see the dissectors' modules for which.

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

mod opc_ua;

/// A text that is listed: its number in the protocol, a control value, the attribute.
type Listed = (u8, &'static str, Attribute);

pub(super) fn streams() -> Vec<CanaryStream> {
    let families: [(&str, &[Listed], Make); 3] = [
        ("modbus identification", MODBUS, modbus),
        ("s7comm components", S7COMM, s7comm),
        ("dnp3 attributes", DNP3, dnp3),
    ];
    let mut streams = vec![ads(), ads_discovery(), dlms(), ethernet_ip()];
    for (name, listed, make) in families {
        streams.push(texts(name, listed, make, None));
        for (number, ..) in listed {
            streams.extend(BREAKERS.map(|shape| texts(name, listed, make, Some((*number, shape)))));
        }
    }
    streams.extend(opc_ua::streams());
    streams
}

/// Turns that carry texts by their numbers, and whatever else the protocol has, in canaries.
type Make = fn(&mut Mint, &dyn Fn(&mut Mint, u8) -> String) -> Vec<Turn>;

/// A stream with control values in the listed fields, but for one that is broken in this shape.
fn texts(name: &str, listed: &[Listed], make: Make, broken: Option<(u8, &str)>) -> CanaryStream {
    let mut mint = Mint::default();
    let turns =
        make(&mut mint, &|mint, number| match (broken, listed.iter().find(|(of, ..)| *of == number)) {
            (Some((of, shape)), _) if of == number => mint.broken(shape),
            (_, Some((_, value, _))) => (*value).to_owned(),
            (_, None) => mint.token(),
        });
    let expected = listed
        .iter()
        .filter(|(of, ..)| broken.is_none_or(|(number, _)| number != *of))
        .map(|(_, value, attribute)| (*attribute, (*value).to_owned()))
        .collect();
    let name = match broken {
        Some((number, shape)) => format!("{name}, {number} broken, {shape}"),
        None => name.to_owned(),
    };
    stream(name, Transport::Tcp, 7, mint, turns, expected)
}

fn stream(
    name: String,
    transport: Transport,
    port: u16,
    mint: Mint,
    turns: Vec<Turn>,
    expected: Vec<(Attribute, String)>,
) -> CanaryStream {
    CanaryStream { name, transport, port, turns, canaries: mint.canaries, expected }
}

fn role(name: &str) -> (Attribute, String) {
    (Attribute::Role, name.to_owned())
}

const MODBUS: &[Listed] = &[
    (0, "Acme Controls", Attribute::Manufacturer),
    (1, "AC-900", Attribute::Model),
    (2, "V2.11", Attribute::FirmwareVersion),
    (4, "Energy meter", Attribute::Description),
    (5, "Acme Meter 90", Attribute::Model),
];

fn modbus(mint: &mut Mint, text: &dyn Fn(&mut Mint, u8) -> String) -> Vec<Turn> {
    let message = |pdu: &[u8]| [&[0, 1, 0, 0][..], &(pdu.len() as u16 + 1).to_be_bytes(), &[0], pdu].concat();
    // The basic, regular and a maker's own objects.
    let numbers = [0_u8, 1, 2, 3, 4, 5, 6, 0x80, 0x81];
    let mut objects = Vec::new();
    for number in numbers {
        let value = text(mint, number);
        objects.extend([&[number, value.len() as u8][..], value.as_bytes()].concat());
    }
    let head = [0x2B, 0x0E, 3, 0x83, 0, 0, numbers.len() as u8];
    // Registers that hold a text are read and written.
    let registers = format!("{} ", mint.token());
    let count = registers.len() as u8;
    let read = [&[3, count][..], registers.as_bytes()].concat();
    let write = [&[16, 0, 1, 0, count / 2, count][..], registers.as_bytes()].concat();
    vec![
        from_initiator(message(&[0x2B, 0x0E, 3, 0])),
        from_responder(message(&[&head[..], &objects].concat())),
        from_responder(message(&read)),
        from_initiator(message(&write)),
    ]
}

const S7COMM: &[Listed] = &[
    (1, "Station 7", Attribute::Description),
    (2, "PLC_7", Attribute::DeviceTag),
    (5, "S C-X4U421302009", Attribute::SerialNumber),
    (7, "CPU 315-2 PN/DP", Attribute::Model),
    (11, "Plant room 2", Attribute::Location),
];

fn s7comm(mint: &mut Mint, text: &dyn Fn(&mut Mint, u8) -> String) -> Vec<Turn> {
    let packet = |kind: u8, parameters: &[u8], data: &[u8]| {
        let lengths = [parameters.len(), data.len()].map(|length| (length as u16).to_be_bytes()).concat();
        let message = [&[0x32, kind, 0, 0, 0, 1][..], &lengths, parameters, data].concat();
        [&[3, 0][..], &(message.len() as u16 + 7).to_be_bytes(), &[2, 0xF0, 0x80], &message].concat()
    };
    let mut list = vec![0, 0x1C, 0, 0, 0, 34, 0, 11];
    for index in 1..=11 {
        let mut record = [&[0, index][..], text(mint, index).as_bytes()].concat();
        record.resize(34, 0);
        list.extend(record);
    }
    let answer = [&[0xFF, 9][..], &(list.len() as u16).to_be_bytes(), &list].concat();
    let written = [&[0, 4, 0, 104][..], mint.token().as_bytes()].concat();
    let password = [&[0xFF, 9, 0, 13][..], mint.token().as_bytes()].concat();
    vec![
        from_initiator(packet(1, &[5, 1, 0x12, 0x0A, 0x10, 2, 0, 13, 0, 1, 0x84, 0, 0, 0], &written)),
        from_initiator(packet(7, &[0, 1, 0x12, 4, 0x11, 0x45, 1, 0], &password)),
        from_responder(packet(7, &[0, 1, 0x12, 8, 0x12, 0x84, 1, 1, 0, 0, 0, 0], &answer)),
    ]
}

const DNP3: &[Listed] = &[
    (242, "4.2.1", Attribute::SoftwareVersion),
    (243, "B2", Attribute::HardwareVersion),
    (245, "Plant room 2", Attribute::Location),
    (246, "E-17", Attribute::EquipmentId),
    (247, "Feeder 3", Attribute::DeviceTag),
    (248, "SN-0042", Attribute::SerialNumber),
    (250, "R-900", Attribute::Model),
    (252, "Acme Relays", Attribute::Manufacturer),
];

fn dnp3(mint: &mut Mint, text: &dyn Fn(&mut Mint, u8) -> String) -> Vec<Turn> {
    let frame = |control: u8, application: &[u8]| {
        let data = [&[0xC0, 0xC0][..], application].concat();
        let header = [5, 0x64, data.len() as u8 + 5, control, 5, 0, 5, 0];
        std::iter::once(&header[..])
            .chain(data.chunks(16))
            .flat_map(|block| [block, &dnp3_check(block).to_le_bytes()].concat())
            .collect::<Vec<u8>>()
    };
    let mut turns = Vec::new();
    for variation in 211..=252 {
        let value = text(mint, variation);
        let object =
            [&[0x81, 0, 0, 0, variation, 0, 0, 0, 1, value.len() as u8][..], value.as_bytes()].concat();
        turns.push(from_responder(frame(0x44, &object)));
    }
    // A file's user and password, and a string that a point holds, each in a block of its own, so that no check is within.
    let [user, password, value] = [mint.token(), mint.token(), mint.token()];
    let file =
        [&[0x1D, 70, 2, 0x5B, 1, 32, 0][..], &[0; 7], user.as_bytes(), &[0; 3], password.as_bytes()].concat();
    turns.push(from_initiator(frame(0xC4, &file)));
    let point = [&[0x81, 0, 0, 110, 19, 0, 1, 1][..], &[0; 6], value.as_bytes()].concat();
    turns.push(from_responder(frame(0x44, &point)));
    turns
}

/// The check of IEEE 1815, 9.2.4.3.
fn dnp3_check(block: &[u8]) -> u16 {
    let bits = block.iter().flat_map(|octet| (0..8).map(move |bit| u16::from(octet >> bit & 1)));
    !bits.fold(0, |sum, bit| sum >> 1 ^ if (sum & 1) == bit { 0 } else { 0xA6BC })
}

/// An AMS message between two systems.
fn ams(command: u16, flags: u16, data: &[u8]) -> Vec<u8> {
    [
        &[0, 0][..],
        &(data.len() as u32 + 32).to_le_bytes(),
        &[10, 0, 0, 1, 1, 1, 0x10, 0x27, 10, 0, 0, 2, 1, 1, 0x10, 0x27],
        &[command.to_le_bytes(), flags.to_le_bytes()].concat(),
        &(data.len() as u32).to_le_bytes(),
        &[0; 8],
        data,
    ]
    .concat()
}

fn ads() -> CanaryStream {
    let mut mint = Mint::default();
    let write = [&[0; 12][..], mint.token().as_bytes()].concat();
    let read = [&[0, 0, 0, 0, 13, 0, 0, 0][..], mint.token().as_bytes()].concat();
    let info = [&[0, 0, 0, 0, 3, 1, 0xB8, 0x0F][..], b"TwinCAT System\0\0"].concat();
    let turns = vec![
        from_initiator(ams(3, 4, &write)),
        from_responder(ams(2, 5, &read)),
        from_responder(ams(1, 5, &info)),
    ];
    let expected = vec![
        role("ads-writer"),
        (Attribute::SoftwareName, "TwinCAT System".to_owned()),
        (Attribute::SoftwareVersion, "3.1.4024".to_owned()),
    ];
    stream("ads".to_owned(), Transport::Tcp, 48_898, mint, turns, expected)
}

fn ads_discovery() -> CanaryStream {
    let mut mint = Mint::default();
    let datagram = |service: u32, tags: &[(u16, String)]| {
        let mut bytes = [&[3, 0x66, 0x14, 0x71, 0, 0, 0, 0][..], &service.to_le_bytes()].concat();
        bytes.extend([10, 0, 0, 2, 1, 1, 0x10, 0x27]);
        bytes.extend((tags.len() as u32).to_le_bytes());
        for (tag, value) in tags {
            bytes.extend([tag.to_le_bytes(), (value.len() as u16 + 1).to_le_bytes()].concat());
            bytes.extend([value.as_bytes(), &[0]].concat());
        }
        bytes
    };
    let route: Vec<_> = [12, 7, 13, 2, 5].map(|tag| (tag, mint.token())).into();
    let told = [(5, "cx-1a2b3c".to_owned()), (18, mint.token()), (9, mint.token())];
    let turns = vec![from_initiator(datagram(6, &route)), from_responder(datagram(0x8000_0001, &told))];
    let expected = vec![
        (Attribute::CleartextCredential, "ads-route".to_owned()),
        (Attribute::HostName, "cx-1a2b3c".to_owned()),
    ];
    stream("ads discovery".to_owned(), Transport::Udp, 48_899, mint, turns, expected)
}

fn dlms() -> CanaryStream {
    let mut mint = Mint::default();
    let wrapper =
        |apdu: &[u8]| [&[0, 1, 0, 0x10, 0, 1][..], &(apdu.len() as u16).to_be_bytes(), apdu].concat();
    let password = mint.token();
    let elements = [
        &[0xA1, 9, 6, 7, 0x60, 0x85, 0x74, 5, 8, 1, 1, 0x8A, 2, 7, 0x80][..],
        &[0x8B, 7, 0x60, 0x85, 0x74, 5, 8, 2, 1],
        &[0xAC, password.len() as u8 + 2, 0x80, password.len() as u8],
        password.as_bytes(),
    ]
    .concat();
    let association = [&[0x60, elements.len() as u8][..], &elements].concat();
    let text = mint.token();
    let answer = [&[0xC4, 1, 0xC1, 0, 9, text.len() as u8][..], text.as_bytes()].concat();
    let turns = vec![from_initiator(wrapper(&association)), from_responder(wrapper(&answer))];
    let expected = vec![role("dlms-server"), (Attribute::CleartextCredential, "dlms-lls".to_owned())];
    stream("dlms".to_owned(), Transport::Tcp, 4059, mint, turns, expected)
}

/// Tags are read and written by their names; an answer to the Identity object holds control values.
fn ethernet_ip() -> CanaryStream {
    let mut mint = Mint::default();
    let packet = |context: u8, message: &[u8]| {
        let length = message.len() as u16;
        let head = [&[0, 0, 0, 0, 10, 0, 2, 0, 0, 0, 0, 0, 0xB2, 0][..], &length.to_le_bytes()].concat();
        [
            &[0x6F, 0][..],
            &(length + 16).to_le_bytes(),
            &[1, 0, 0, 0, 0, 0, 0, 0],
            &[context; 8],
            &[0; 4],
            &head,
            message,
        ]
        .concat()
    };
    let mut tag = |service: u8| {
        let name = format!("{}_", mint.token());
        let path = [&[0x91, name.len() as u8][..], name.as_bytes()].concat();
        [&[service, path.len() as u8 / 2][..], &path, &[0xD0, 0, 13, 0], mint.token().as_bytes()].concat()
    };
    let (read, write) = (tag(0x4C), tag(0x4D));
    let value = [&[0xCC, 0, 0, 0, 0xD0, 0, 13, 0][..], mint.token().as_bytes()].concat();
    let identity = b"\x81\0\0\0\x01\0\x0c\0\x3a\0\x04\x03\x30\0\x8e\x4d\x52\0\x0b1756-ENBT/A";
    let turns = vec![
        from_initiator(packet(1, &read)),
        from_responder(packet(1, &value)),
        from_initiator(packet(2, &write)),
        from_initiator(packet(3, &[1, 2, 0x20, 1, 0x24, 1])),
        from_responder(packet(3, identity)),
    ];
    let expected = vec![
        (Attribute::Model, "1756-ENBT/A".to_owned()),
        (Attribute::SerialNumber, "00524D8E".to_owned()),
        role("cip-client"),
    ];
    stream("ethernet/ip".to_owned(), Transport::Tcp, 44_818, mint, turns, expected)
}
