//! Desktops at a distance: users, passwords, what is typed, shown and copied carry canaries ([MS-RDPBCGR], RFC 6143).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder, utf16};

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![rdp(None), rdp_in_tls(), vnc(None), vnc_refused(), vnc_plain(), vnc_unwanted()];
    for shape in BREAKERS {
        streams.extend([rdp(Some(shape)), vnc(Some(shape))]);
    }
    // What Unix' servers call a desktop.
    streams.extend(["{}'s X desktop (pc:1)", "pc:1 ({})"].map(|shape| vnc(Some(shape))));
    streams
}

fn stream(name: &str, mint: Mint, turns: Vec<Turn>, expected: &[(Attribute, &str)]) -> CanaryStream {
    let expected = expected.iter().map(|(attribute, value)| (*attribute, (*value).to_owned())).collect();
    let (name, canaries) = (name.to_owned(), mint.canaries);
    CanaryStream { name, transport: Transport::Tcp, port: 9999, turns, canaries, expected }
}

/// In TPKT (RFC 1006, 6).
fn tpkt(content: &[u8]) -> Vec<u8> {
    [&[3, 0][..], &(content.len() as u16 + 4).to_be_bytes(), content].concat()
}

/// A request or confirm of a connection (2.2.1.1, 2.2.1.2).
fn x224(code: u8, variable: &[u8]) -> Vec<u8> {
    tpkt(&[&[variable.len() as u8 + 6, code, 0, 0, 0, 0, 0][..], variable].concat())
}

/// The cookie is the name of a user.
fn asks(mint: &mut Mint) -> Turn {
    let cookie = format!("Cookie: mstshash={}\r\n", mint.token());
    from_initiator(x224(0xE0, &[cookie.as_bytes(), &[1, 0, 8, 0, 3, 0, 0, 0]].concat()))
}

/// Text in UTF-16 in a field of this many octets.
fn padded(text: &str, octets: usize) -> Vec<u8> {
    let mut field = utf16(text);
    field.resize(octets, 0);
    field
}

/// A block of the client's user data (2.2.1.3.1).
fn block(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(content.len() as u16 + 4).to_le_bytes(), content].concat()
}

/// With RDP's own protection, of level none: listed are the client's name and build (2.2.1.3.2).
fn rdp(broken: Option<&str>) -> CanaryStream {
    let mut mint = Mint::default();
    // Fifteen characters hold as much of the shape as fits.
    mint.canaries.push("CNRY7".to_owned());
    let name = broken.map_or("WARD-PC3".to_owned(), |shape| shape.replace("{}", "CNRY7"));
    let name: String = name.chars().take(15).collect();
    let core = [
        &[4, 0, 8, 0, 0, 4, 0, 3, 1, 0xCA, 3, 0xAA, 9, 4, 0, 0][..],
        &19_045_u32.to_le_bytes(),
        &padded(&name, 32),
        &[4, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0],
        &padded(&mint.token(), 64),
        &[1, 0xCA, 1, 0, 0, 0, 0, 0, 24, 0, 15, 0, 1, 0],
        &padded(&mint.token(), 64),
        &[7, 0, 0, 0, 0, 0],
    ]
    .concat();
    // Names and options of two channels, twelve octets each.
    let channels = [&[2, 0, 0, 0][..], format!("{:24}", mint.token()).as_bytes()].concat();
    let blocks = [block(0xC002, &[0; 8]), block(0xC001, &core), block(0xC003, &channels)].concat();
    let [high, low] = (blocks.len() as u16 | 0x8000).to_be_bytes();
    let conference =
        [&[2, 0xF0, 0x80, 0x7F, 0x65, 0x82, 1, 0x90][..], b"Duca", &[high, low], &blocks].concat();
    // Domain, user, password, shell and folder, each with a zero behind it (2.2.1.11.1.1).
    let texts: Vec<Vec<u8>> = (0..5).map(|_| utf16(&mint.token())).collect();
    let lengths: Vec<u8> = texts.iter().flat_map(|text| (text.len() as u16).to_le_bytes()).collect();
    let texts: Vec<u8> = texts.iter().flat_map(|text| [&text[..], &[0, 0]].concat()).collect();
    let info =
        [&[0x40, 0, 0, 0, 0, 0, 0, 0, 0x33, 1, 0, 0][..], &lengths, &texts, mint.token().as_bytes()].concat();
    let info = tpkt(&[&[2, 0xF0, 0x80, 0x64, 0, 7, 3, 0xEB, 0x70, info.len() as u8][..], &info].concat());
    let turns = vec![
        asks(&mut mint),
        from_responder(x224(0xD0, &[2, 0, 8, 0, 0, 0, 0, 0])),
        from_initiator(tpkt(&conference)),
        from_responder(tpkt(&[&[2, 0xF0, 0x80, 0x7F, 0x66][..], mint.token().as_bytes()].concat())),
        from_initiator(info),
    ];
    let mut expected = vec![
        (Attribute::Role, "rdp-client"),
        (Attribute::Role, "rdp-server"),
        (Attribute::WeakProtocol, "rdp-standard-security"),
        (Attribute::SoftwareVersion, "19045"),
    ];
    if broken.is_none() {
        expected.push((Attribute::HostName, "ward-pc3"));
    }
    let name =
        broken.map_or_else(|| "rdp everything".to_owned(), |shape| format!("rdp name broken, {shape}"));
    stream(&name, mint, turns, &expected)
}

fn rdp_in_tls() -> CanaryStream {
    let mut mint = Mint::default();
    let turns = vec![
        asks(&mut mint),
        from_responder(x224(0xD0, &[2, 0, 8, 0, 1, 0, 0, 0])),
        from_initiator(mint.token().into_bytes()),
        from_responder(mint.token().into_bytes()),
    ];
    stream("rdp in tls", mint, turns, &[(Attribute::Role, "rdp-client"), (Attribute::Role, "rdp-server")])
}

/// Both ends' versions (7.1.1).
fn versions(version: &str) -> [Turn; 2] {
    let line = format!("RFB {version}\n").into_bytes();
    [from_responder(line.clone()), from_initiator(line)]
}

const BOTH: [(Attribute, &str); 2] = [(Attribute::Role, "vnc-server"), (Attribute::Role, "vnc-client")];

/// A reason (7.1.3), a name (7.3.2) or a text that is copied (7.5.6, 7.6.4), behind its length.
fn counted(front: &[u8], text: &str) -> Vec<u8> {
    [front, &(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
}

/// Without authentication. The desktop's name is listed where it is that of a host.
fn vnc(broken: Option<&str>) -> CanaryStream {
    let mut mint = Mint::default();
    let name = broken.map_or_else(|| "us-cart2:1".to_owned(), |shape| mint.broken(shape));
    let parameters = counted(&[&[4, 0, 3, 0][..], &[0; 16]].concat(), &name);
    // A rectangle of one row of four pixels (7.6.1).
    let picture =
        [&[0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0, 0][..], format!("{:16}", mint.token()).as_bytes()]
            .concat();
    let mut turns = versions("003.008").to_vec();
    turns.extend([
        from_responder(vec![1, 1]),
        from_initiator(vec![1]),
        from_responder(vec![0; 4]),
        from_initiator(vec![1]),
        from_responder(parameters),
        from_initiator(counted(&[6, 0, 0, 0], &mint.token())),
        from_initiator(mint.token().bytes().flat_map(|key| [4, 1, 0, 0, 0, 0, 0, key]).collect()),
        from_responder(picture),
        from_responder(counted(&[3, 0, 0, 0], &mint.token())),
    ]);
    let mut expected = [&BOTH[..], &[(Attribute::WeakProtocol, "vnc-no-authentication")]].concat();
    if broken.is_none() {
        expected.push((Attribute::HostName, "us-cart2"));
    }
    let name =
        broken.map_or_else(|| "vnc everything".to_owned(), |shape| format!("vnc name broken, {shape}"));
    stream(&name, mint, turns, &expected)
}

/// The challenge, its answer, and why it is refused.
fn vnc_refused() -> CanaryStream {
    let mut mint = Mint::default();
    let mut turns = versions("003.889").to_vec();
    turns.extend([
        from_responder(vec![2, 2, 30]),
        from_initiator(vec![2]),
        from_responder(format!("{:16}", mint.token()).into_bytes()),
        from_initiator(format!("{:16}", mint.token()).into_bytes()),
        from_responder(counted(&[0, 0, 0, 1], &mint.token())),
    ]);
    let expected =
        [&BOTH[..], &[(Attribute::FailedLogin, "vnc"), (Attribute::SoftwareName, "Apple Remote Desktop")]]
            .concat();
    stream("vnc refused", mint, turns, &expected)
}

/// User and password within VeNCrypt, which is registered as type 19 (8.1.1), in its kind Plain.
fn vnc_plain() -> CanaryStream {
    let mut mint = Mint::default();
    let [user, password] = [mint.token(), mint.token()];
    let lengths = [user.len(), password.len()].map(|length| (length as u32).to_be_bytes()).concat();
    let mut turns = versions("003.008").to_vec();
    turns.extend([
        from_responder(vec![1, 19]),
        from_initiator(vec![19]),
        from_responder(vec![0, 2]),
        from_initiator(vec![0, 2]),
        from_responder(vec![0, 1, 0, 0, 1, 0]),
        from_initiator(vec![0, 0, 1, 0]),
        from_initiator([&lengths[..], user.as_bytes(), password.as_bytes()].concat()),
        from_responder(counted(&[0, 0, 0, 1], &mint.token())),
    ]);
    stream("vnc plain", mint, turns, &BOTH)
}

/// A server that decides to take nobody, as version 3.3 has it (appendix A).
fn vnc_unwanted() -> CanaryStream {
    let mut mint = Mint::default();
    let mut turns = versions("003.003").to_vec();
    turns.push(from_responder(counted(&[0, 0, 0, 0], &mint.token())));
    stream("vnc unwanted", mint, turns, &BOTH)
}
