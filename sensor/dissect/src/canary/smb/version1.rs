//! SMB 1 ([MS-CIFS], 2.2.4; [MS-SMB], 2.2.4).

use wardwatch_proto::v1::Attribute;

use super::super::{BREAKERS, CanaryStream, Mint, Turn, from_initiator, from_responder, utf16};
use super::ntlm::{self, Names, OF_NETBIOS};
use super::{LOGON_FAILURE, MORE_PROCESSING, control, packet, stream};

/// Commands (2.2.2.1).
const TRANSACTION: u8 = 0x25;
const WRITE_ANDX: u8 = 0x2F;
const TRANSACTION2: u8 = 0x32;
const NEGOTIATE: u8 = 0x72;
const SESSION_SETUP_ANDX: u8 = 0x73;
const TREE_CONNECT_ANDX: u8 = 0x75;
const NT_CREATE_ANDX: u8 = 0xA2;

/// Listed texts: the server's domain and name (2.2.4.52.2), then the client's system, the server's, and its software
/// (2.2.4.53: NativeOS, NativeLanMan); and what each says.
const LISTED: [(&str, &[(Attribute, &str)]); 5] = [
    ("CLINIC", &[(Attribute::Domain, "CLINIC")]),
    ("OLDSRV", &[(Attribute::HostName, "oldsrv")]),
    (
        "Windows 2002 Service Pack 2 2600",
        &[
            (Attribute::OperatingSystem, "Windows"),
            (Attribute::OperatingSystemVersion, "2002 Service Pack 2 2600"),
        ],
    ),
    ("Unix", &[(Attribute::OperatingSystem, "Unix")]),
    (
        "Samba 4.7.6-Ubuntu",
        &[(Attribute::SoftwareName, "Samba"), (Attribute::SoftwareVersion, "4.7.6-Ubuntu")],
    ),
];
const SOFTWARE: usize = 4;

const WORD: &str = "CNRYQX";

/// Octets of the header, and of both counts behind it.
const HEADER: usize = 32;
const COUNTS: usize = 3;

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![by_response(None), by_token()];
    for field in 0..LISTED.len() {
        streams.extend(BREAKERS.map(|shape| by_response(Some((field, shape)))));
    }
    streams
}

/// A message with a canary for its signature; answers have a status.
fn message(mint: &mut Mint, command: u8, status: Option<u32>, words: &[u8], bytes: &[u8]) -> Turn {
    let header = [
        &b"\xffSMB"[..],
        &[command],
        &status.unwrap_or_default().to_le_bytes(),
        &[if status.is_some() { 0x80 } else { 0 }, 1, 0x80],
        format!("{:20}", mint.token()).as_bytes(),
    ]
    .concat();
    let bytes = packet(0, &[&header[..], &counted(words, bytes)].concat());
    if status.is_some() { from_responder(bytes) } else { from_initiator(bytes) }
}

fn counted(words: &[u8], bytes: &[u8]) -> Vec<u8> {
    [&[words.len() as u8 / 2][..], words, &(bytes.len() as u16).to_le_bytes(), bytes].concat()
}

/// Texts that are ended by a zero, at even places behind these words and octets.
fn texts(words: usize, front: &[u8], texts: &[String]) -> Vec<u8> {
    let padding = vec![0; (HEADER + COUNTS + words + front.len()) % 2];
    let texts: Vec<u8> = texts.iter().flat_map(|text| utf16(&format!("{text}\0"))).collect();
    [front, &padding, &texts].concat()
}

/// A canary that shows even where it is cut before its digits, as systems are told from their versions.
fn word(mint: &mut Mint) -> String {
    mint.canaries.push(WORD.to_owned());
    format!("{WORD} {}", mint.token())
}

fn dialects(mint: &mut Mint) -> Turn {
    let dialects = format!("\u{2}{}\0\u{2}NT LM 0.12\0", mint.token());
    message(mint, NEGOTIATE, None, &[], dialects.as_bytes())
}

/// A file is made, written and looked for, and a pipe asked.
fn files(mint: &mut Mint) -> Vec<Turn> {
    let mut turns = Vec::new();
    for (command, words) in [(NT_CREATE_ANDX, 48), (WRITE_ANDX, 28), (TRANSACTION2, 30), (TRANSACTION, 28)] {
        let [first, second] = [mint.token(), mint.token()];
        let named = texts(words, first.as_bytes(), &[format!("\\{second}.dcm")]);
        turns.push(message(mint, command, None, &vec![0; words], &named));
        turns.push(message(mint, command, Some(0), &vec![0; words], &named));
    }
    turns
}

/// Proofs, user and the user's domain, behind which the share's password and path follow at once (2.2.4.55.1).
fn log_in(mint: &mut Mint, system: &str) -> Turn {
    let proofs = [24, 48].map(|octets| format!("{:octets$}", mint.token())).concat();
    let [user, domain, software] = [word(mint), word(mint), word(mint)];
    let named = texts(26, proofs.as_bytes(), &[user, domain, system.to_owned(), software]);
    let behind = ((HEADER + COUNTS + 26 + named.len()) as u16).to_le_bytes();
    let words = [&[TREE_CONNECT_ANDX, 0][..], &behind, &[0; 10], &[24, 0, 48, 0], &[0; 8]].concat();
    let [password, share, service] = [mint.token(), mint.token(), mint.token()];
    let path = [utf16(&format!("\\\\OLDSRV\\{share}\0")), service.into_bytes()].concat();
    let connect =
        counted(&[0xFF, 0, 0, 0, 0, 0, password.len() as u8, 0], &[password.as_bytes(), &path].concat());
    let Turn { direction, bytes } = message(mint, SESSION_SETUP_ANDX, None, &words, &named);
    let whole = [bytes.get(4..).unwrap_or_default(), &connect].concat();
    Turn { direction, bytes: packet(0, &whole) }
}

/// Without extended security.
fn by_response(broken: Option<(usize, &str)>) -> CanaryStream {
    let mut mint = Mint::default();
    let mut values = LISTED.map(|(value, _)| value.to_owned());
    if let Some((field, shape)) = broken
        && let Some(value) = values.get_mut(field)
    {
        mint.canaries.push(WORD.to_owned());
        let front = if field == SOFTWARE { "Samba" } else { WORD };
        *value = format!("{front} {}", mint.broken(shape));
    }
    let [domain, server, system, of_server, software] = values;
    let words = [&[0; 33][..], &[8]].concat();
    let names = [vec![7; 8], utf16(&format!("{domain}\0{server}\0"))].concat();
    let answer = [of_server, software, word(&mut mint)];
    let words_of_answer = [0xFF, 0, 0, 0, 0, 0];
    let mut turns = vec![dialects(&mut mint), message(&mut mint, NEGOTIATE, Some(0), &words, &names)];
    turns.push(log_in(&mut mint, &system));
    turns.push(message(&mut mint, SESSION_SETUP_ANDX, Some(LOGON_FAILURE), &[], &[]));
    turns.extend(files(&mut mint));
    turns.push(log_in(&mut mint, &system));
    let answer = texts(words_of_answer.len(), &[], &answer);
    turns.push(message(&mut mint, SESSION_SETUP_ANDX, Some(0), &words_of_answer, &answer));
    turns.extend(files(&mut mint));
    let listed = LISTED.iter().enumerate();
    let listed = listed.filter(|(field, _)| broken.is_none_or(|(broken, _)| broken != *field));
    let mut expected: Vec<_> =
        listed.flat_map(|(_, (_, said))| said.iter()).map(|(of, value)| control(*of, value)).collect();
    expected.extend(of_version());
    stream(format!("smb 1, broken: {broken:?}"), mint, turns, expected)
}

fn of_version() -> [(Attribute, String); 5] {
    [
        control(Attribute::Role, "smb-client"),
        control(Attribute::Role, "smb-server"),
        control(Attribute::WeakProtocol, "smb1"),
        control(Attribute::SmbDialect, "NT LM 0.12"),
        control(Attribute::FailedLogin, "ntlm"),
    ]
}

/// With extended security.
fn by_token() -> CanaryStream {
    let mut mint = Mint::default();
    let names = Names { given: OF_NETBIOS, broken: None };
    let [.., (system, of_client), (of_server, _), (software, of_software)] = LISTED;
    let mut words = [0; 34];
    words[22] = 0x80;
    let hint = format!("{:16}{}", mint.token(), mint.token());
    let mut turns =
        vec![dialects(&mut mint), message(&mut mint, NEGOTIATE, Some(0), &words, hint.as_bytes())];
    let ask = |mint: &mut Mint, token: &[u8]| {
        let length = (token.len() as u16).to_le_bytes();
        let words = [&[0xFF, 0][..], &[0; 12], &length, &[0; 8]].concat();
        let named = texts(words.len(), token, &[system.to_owned(), word(mint), word(mint)]);
        message(mint, SESSION_SETUP_ANDX, None, &words, &named)
    };
    let answer = |mint: &mut Mint, status: u32, token: &[u8]| {
        let words = [&[0xFF, 0, 0, 0, 0, 0][..], &(token.len() as u16).to_le_bytes()].concat();
        let named = texts(words.len(), token, &[of_server.to_owned(), software.to_owned(), word(mint)]);
        message(mint, SESSION_SETUP_ANDX, Some(status), &words, &named)
    };
    for status in [LOGON_FAILURE, 0] {
        let tokens = [ntlm::negotiate(&mut mint), names.challenge(&mut mint), names.authenticate(&mut mint)];
        let [negotiate, challenge, authenticate] = &tokens;
        turns.extend([
            ask(&mut mint, negotiate),
            answer(&mut mint, MORE_PROCESSING, challenge),
            ask(&mut mint, authenticate),
            answer(&mut mint, status, &[]),
        ]);
        turns.extend(files(&mut mint));
    }
    let of_texts = of_client.iter().chain(of_software).map(|(of, value)| control(*of, value));
    let expected = names.expected().into_iter().chain(of_texts).chain(of_version()).collect();
    stream("smb 1 with tokens".to_owned(), mint, turns, expected)
}
