//! SMB 2 and 3 ([MS-SMB2], 2.2).

use wardwatch_proto::v1::Attribute;

use super::super::{BREAKERS, CanaryStream, Mint, Turn, from_initiator, from_responder, utf16};
use super::ntlm::{self, Names, OF_DNS, OF_NETBIOS};
use super::{LOGON_FAILURE, MORE_PROCESSING, control, packet, stream};

/// Commands (2.2.1.2).
const NEGOTIATE: u16 = 0x00;
const SESSION_SETUP: u16 = 0x01;
const TREE_CONNECT: u16 = 0x03;
const CREATE: u16 = 0x05;
const READ: u16 = 0x08;
const WRITE: u16 = 0x09;
const QUERY_DIRECTORY: u16 = 0x0E;
const CHANGE_NOTIFY: u16 = 0x0F;
const SET_INFO: u16 = 0x11;

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = Vec::new();
    for given in [OF_DNS, OF_NETBIOS] {
        streams.push(log_in(Names { given, broken: None }));
        for number in given {
            streams.extend(BREAKERS.map(|shape| log_in(Names { given, broken: Some((*number, shape)) })));
        }
    }
    streams
}

/// A message with a canary for its signature; answers have a status.
fn message(mint: &mut Mint, command: u16, status: Option<u32>, body: &[u8]) -> Turn {
    let header = [
        &b"\xfeSMB\x40\0\0\0"[..],
        &status.unwrap_or_default().to_le_bytes(),
        &command.to_le_bytes(),
        &[1, 0, u8::from(status.is_some()), 0, 0, 0],
        &[0; 28],
        format!("{:16}", mint.token()).as_bytes(),
    ]
    .concat();
    let bytes = packet(0, &[&header[..], body].concat());
    if status.is_some() { from_responder(bytes) } else { from_initiator(bytes) }
}

/// A body of what is fixed in front of a length in this many octets, what is fixed behind it, and what has that length.
fn body(front: &[u8], octets: usize, behind: &[u8], value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u32).to_le_bytes();
    [front, length.get(..octets).unwrap_or_default(), behind, value].concat()
}

fn negotiation(mint: &mut Mint) -> Vec<Turn> {
    let padded = |text: String| format!("{text:16}").into_bytes();
    let name = utf16(&mint.token());
    // Dialects 2.0.2 and 3.1.1, and the context that holds the name by which the server is called (2.2.3.1.4).
    let request = [
        &[36, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0][..],
        &padded(mint.token()),
        &[104, 0, 0, 0, 1, 0, 0, 0, 2, 2, 0x11, 3],
        &[5, 0, name.len() as u8, 0, 0, 0, 0, 0],
        &name,
    ]
    .concat();
    let hint = mint.token();
    let fixed = [
        &[65, 0, 1, 0, 0x11, 3, 0, 0][..],
        &padded(mint.token()),
        &[0; 32],
        &[128, 0, hint.len() as u8, 0, 0, 0, 0, 0],
        hint.as_bytes(),
    ]
    .concat();
    vec![message(mint, NEGOTIATE, None, &request), message(mint, NEGOTIATE, Some(0), &fixed)]
}

fn setup(mint: &mut Mint, token: &[u8]) -> Turn {
    let body = body(&[25, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 88, 0], 2, &[0; 8], token);
    message(mint, SESSION_SETUP, None, &body)
}

fn set_up(mint: &mut Mint, status: u32, token: &[u8]) -> Turn {
    message(mint, SESSION_SETUP, Some(status), &body(&[9, 0, 0, 0, 72, 0], 2, &[], token))
}

/// A share is connected to, a file made in it, written, read and renamed, and a folder listed and watched.
fn files(mint: &mut Mint) -> Vec<Turn> {
    let mut name = |shape: &str| utf16(&shape.replace("{}", &mint.token()));
    let (share, file, renamed) = (name("\\\\SRV7\\{}"), name("{}\\{}.pdf"), name("{}.txt"));
    let (pattern, entry, changed) = (name("{}*"), name("{}.dcm"), name("{}.tmp"));
    let named = |front: &[u8], name: &[u8]| body(front, 4, &[], name);
    let log_in = ntlm::in_a_file(mint);
    let written =
        [mint.token().as_bytes(), &log_in, b"\0\0\0\x40\xfeSMB\x40\0", mint.token().as_bytes()].concat();
    let listing = body(&[9, 0, 72, 0], 4, &[], &named(&[0; 8], &entry));
    let notice = body(&[9, 0, 72, 0], 4, &[], &named(&[0, 0, 0, 0, 1, 0, 0, 0], &changed));
    let told: [(u16, Option<u32>, Vec<u8>); 8] = [
        (TREE_CONNECT, None, body(&[9, 0, 0, 0, 72, 0], 2, &[], &share)),
        (CREATE, None, body(&[&[57, 0][..], &[0; 42], &[120, 0]].concat(), 2, &[0; 8], &file)),
        (WRITE, None, body(&[49, 0, 112, 0], 4, &[0; 40], &written)),
        (READ, Some(0), body(&[17, 0, 80, 0], 4, &[0; 8], &written)),
        (
            SET_INFO,
            None,
            body(&[33, 0, 1, 10], 4, &[&[96, 0][..], &[0; 22]].concat(), &named(&[0; 16], &renamed)),
        ),
        (
            QUERY_DIRECTORY,
            None,
            body(&[&[33, 0, 12, 0][..], &[0; 20], &[96, 0]].concat(), 2, &[0, 0, 1, 0], &pattern),
        ),
        (QUERY_DIRECTORY, Some(0), listing),
        (CHANGE_NOTIFY, Some(0), notice),
    ];
    told.iter().map(|(command, status, body)| message(mint, *command, *status, body)).collect()
}

/// Log-ins are refused and at last accepted; files are worked with before, in the name of another session, and after.
fn log_in(names: Names<'_>) -> CanaryStream {
    let mut mint = Mint::default();
    let mut turns = negotiation(&mut mint);
    turns.extend(files(&mut mint));
    for status in [LOGON_FAILURE, 0] {
        let tokens = [ntlm::negotiate(&mut mint), names.challenge(&mut mint), names.authenticate(&mut mint)];
        let [negotiate, challenge, authenticate] = &tokens;
        let ticket = ntlm::kerberos(&mut mint);
        let text = mint.token();
        turns.extend([
            setup(&mut mint, &ticket),
            set_up(&mut mint, LOGON_FAILURE, text.as_bytes()),
            setup(&mut mint, negotiate),
            set_up(&mut mint, MORE_PROCESSING, challenge),
            setup(&mut mint, authenticate),
            set_up(&mut mint, status, text.as_bytes()),
        ]);
    }
    turns.extend(files(&mut mint));
    let mut expected = names.expected();
    expected.extend([
        control(Attribute::Role, "smb-client"),
        control(Attribute::Role, "smb-server"),
        control(Attribute::SmbDialect, "3.1.1"),
        control(Attribute::FailedLogin, "kerberos"),
        control(Attribute::FailedLogin, "ntlm"),
    ]);
    let name = format!("smb 3, {} names, broken: {:?}", names.given.len(), names.broken);
    stream(name, mint, turns, expected)
}
