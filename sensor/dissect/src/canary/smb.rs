//! Log-ins at file servers, and what is done with files there: users, passwords, keys, shares, names and contents of files
//! carry canaries ([MS-CIFS], [MS-SMB], [MS-SMB2], [MS-NLMP], RFC 1002). Listed are what machines call themselves, and their
//! systems.

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

mod ntlm;
mod version1;
mod version2;

/// STATUS_MORE_PROCESSING_REQUIRED and STATUS_LOGON_FAILURE ([MS-ERREF], 2.3.1).
const MORE_PROCESSING: u32 = 0xC000_0016;
const LOGON_FAILURE: u32 = 0xC000_006D;

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![session(None), session(Some(0x03))];
    streams.extend(BREAKERS.map(broken_session));
    streams.extend(version1::streams());
    streams.extend(version2::streams());
    streams
}

fn stream(name: String, mint: Mint, turns: Vec<Turn>, expected: Vec<(Attribute, String)>) -> CanaryStream {
    CanaryStream { name, transport: Transport::Tcp, port: 9999, turns, canaries: mint.canaries, expected }
}

fn control(attribute: Attribute, value: &str) -> (Attribute, String) {
    (attribute, value.to_owned())
}

/// In a packet of a session (RFC 1002, 4.3.1), which is the same directly on TCP ([MS-SMB2], 2.1).
fn packet(kind: u8, content: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (content.len() as u32).to_be_bytes();
    [&[kind][..], &length, content].concat()
}

/// A name in its first-level encoding, with what it is for, and a scope (RFC 1001, 14.1).
fn netbios_name(name: &str, suffix: u8, scope: &str) -> Vec<u8> {
    let octets = format!("{name:15}").into_bytes().into_iter().chain([suffix]);
    let letters = octets.flat_map(|octet| [b'A' + (octet >> 4), b'A' + (octet & 15)]);
    [32].into_iter().chain(letters).chain([scope.len() as u8]).chain(scope.bytes()).chain([0]).collect()
}

fn session_request(called: &[u8], calling: &[u8]) -> Turn {
    from_initiator(packet(0x81, &[called, calling].concat()))
}

/// A session of NetBIOS, opened by the host, or by who has a name of another kind: 03 is that of a user.
fn session(suffix: Option<u8>) -> CanaryStream {
    let mut mint = Mint::default();
    let calling = suffix.map_or_else(|| "XRAY-CONSOLE".to_owned(), |_| mint.token());
    let calling = netbios_name(&calling, suffix.unwrap_or(0), &mint.token());
    let asked = netbios_name(&mint.token(), 0x20, &mint.token());
    let called = netbios_name("ARCHIVE2", 0x20, &mint.token());
    let turns = vec![
        session_request(&asked, &calling),
        from_responder(packet(0x83, &[0x82])),
        session_request(&called, &calling),
        from_responder(packet(0x82, &[])),
    ];
    let mut expected = vec![control(Attribute::HostName, "archive2")];
    if suffix.is_none() {
        expected.push(control(Attribute::HostName, "xray-console"));
    }
    stream(format!("smb session, suffix {suffix:?}"), mint, turns, expected)
}

/// Fifteen octets hold as much of the shape as fits.
fn broken_session(shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    mint.canaries.push("CNRY7".to_owned());
    let calling: String = shape.replace("{}", "CNRY7").chars().take(15).collect();
    let turns = vec![
        session_request(
            &netbios_name("ARCHIVE2", 0x20, &mint.token()),
            &netbios_name(&calling, 0, &mint.token()),
        ),
        from_responder(packet(0x82, &[])),
    ];
    let expected = vec![control(Attribute::HostName, "archive2")];
    stream(format!("smb session broken, {shape}"), mint, turns, expected)
}
