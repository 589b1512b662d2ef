//! Microsoft SQL Server's protocol (MS-TDS) on TCP, on any port: how a connection begins.
//!
//! Stated are the server's version, the client's host name, that a password went over the wire in nothing but a known
//! transformation (which is none), and that a log-in was refused. Names of users, applications and databases are not read, nor
//! any query. Where the connection goes on in TLS, and behind a log-in, it is let go of.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::{be16, le16, le32, part, piece, utf16le};
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress, credentials};

/// TDS on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Tds, probe, start: || Box::new(Tds::default()) };

/// The packet's header (2.2.3.1): type, status, length BE, process, number, window.
const HEADER: usize = 8;

/// Types of packets: a batch and a call of a procedure, answers, and the two that begin a connection.
const SQL_BATCH: u8 = 0x01;
const RPC: u8 = 0x03;
const TABULAR_RESULT: u8 = 0x04;
const LOGIN7: u8 = 0x10;
const PRELOGIN: u8 = 0x12;

/// Longest packet that can be agreed on (2.2.6.4).
const LONGEST: usize = 32_767;

/// Options of a PRELOGIN (2.2.6.5).
const VERSION: u8 = 0x00;
const TERMINATOR: u8 = 0xFF;
const MOST_OPTIONS: usize = 16;

/// Octets of a LOGIN7 before its texts (2.2.6.4), and where the places of the texts stand.
const LOGIN7_FIXED: usize = 94;
const HOST_NAME: usize = 36;
const USER_NAME: usize = 40;
const PASSWORD: usize = 44;

/// A log-in's texts have 128 characters at most.
const MOST_CHARACTERS: usize = 128;

/// The token of an error (2.2.7.10), and the number of the error that refuses a log-in.
const ERROR: u8 = 0xAA;
const LOGIN_FAILED: u32 = 18_456;

#[derive(Default)]
struct Tds {
    /// A log-in was seen and not answered yet.
    waits: bool,
}

/// A packet's type and length, where its header is that of a beginning connection.
fn header(bytes: &[u8]) -> Option<(u8, usize)> {
    let [kind, status, high, low, _, _, _, window] = piece(bytes, 0)?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    // A request may ask to reset the session besides (2.2.3.1.2).
    let is_one = match kind {
        TABULAR_RESULT | LOGIN7 | PRELOGIN => status <= 1,
        SQL_BATCH | RPC => status & !0x19 == 0,
        _ => false,
    } && window == 0;
    (is_one && (HEADER + 1..=LONGEST).contains(&length)).then_some((kind, length))
}

/// The version in a PRELOGIN's options: kind, place and length of each up to the end; the version is the first.
fn version(content: &[u8]) -> Option<[u8; 6]> {
    let mut version = None;
    for index in 0..MOST_OPTIONS {
        let at = index * 5;
        let kind = *content.get(at)?;
        if kind == TERMINATOR {
            return version;
        }
        let (offset, length) = (usize::from(be16(content, at + 1)?), usize::from(be16(content, at + 3)?));
        let value = part(content, offset, length)?;
        if (kind == VERSION) != (index == 0) || kind > 0x0F {
            return None;
        }
        if kind == VERSION {
            version = Some(value.try_into().ok()?);
        }
    }
    None
}

/// What requests begin with since version 7.2: all headers of 22 octets, of which one of 18 is about the transaction (2.2.5.3).
const TRANSACTION: [u8; 10] = [22, 0, 0, 0, 18, 0, 0, 0, 2, 0];

/// Longest name of a procedure (2.2.6.6).
const MOST_OF_A_NAME: u16 = 1046;

/// Characters that a text is known by.
const TELLING: usize = 8;

/// Whether these octets begin with so many characters of ASCII in UTF-16, as commands and names do.
fn begins_as_text(content: &[u8], characters: usize) -> Probe {
    let (units, rest) = content.as_chunks::<2>();
    let is_plain = |unit: &&[u8; 2]| matches!(unit, [b' '..=b'~' | b'\t' | b'\r' | b'\n', 0]);
    match units.iter().take_while(is_plain).count() {
        plain if plain >= characters => Probe::Certain,
        plain if plain == units.len() && rest.iter().all(u8::is_ascii) => Probe::Unsure,
        _ => Probe::NotForUs,
    }
}

/// Whether these octets are a LOGIN7: its own length fits, and it is of a version from 7.0 to 7.4.
fn is_login(content: &[u8], length: usize) -> bool {
    let is_whole = le32(content, 0).and_then(|own| usize::try_from(own).ok()) == length.checked_sub(HEADER);
    is_whole && le32(content, 4).is_some_and(|version| matches!(version >> 24, 0x70..=0x74))
}

fn probe(input: &Input<'_>) -> Probe {
    let Some((kind, length)) = header(input.bytes) else {
        let may_be = input.bytes.len() < HEADER
            && matches!(input.bytes, [] | [SQL_BATCH | RPC | TABULAR_RESULT | LOGIN7 | PRELOGIN, ..]);
        return if may_be { Probe::Unsure } else { Probe::NotForUs };
    };
    let content = input.bytes.get(HEADER..).unwrap_or_default();
    let is_one = match kind {
        SQL_BATCH | RPC if content.len() < TRANSACTION.len() && TRANSACTION.starts_with(content) => {
            return Probe::Unsure;
        }
        SQL_BATCH | RPC if content.starts_with(&TRANSACTION) => true,
        // Before version 7.2 the text of a batch (2.2.6.7) or the length and the name of a procedure (2.2.6.6) stand here.
        SQL_BATCH => return begins_as_text(content, TELLING),
        RPC => match le16(content, 0) {
            None => return Probe::Unsure,
            Some(characters @ 3..=MOST_OF_A_NAME) => {
                return begins_as_text(content.get(2..).unwrap_or_default(), TELLING.min(characters.into()));
            }
            Some(_) => false,
        },
        LOGIN7 if content.len() < 8 => return Probe::Unsure,
        LOGIN7 => is_login(content, length),
        _ => match content.get(..length - HEADER) {
            Some(content) => version(content).is_some(),
            None if length <= 512 => return Probe::Unsure,
            None => false,
        },
    };
    if is_one { Probe::Certain } else { Probe::NotForUs }
}

impl Dissector for Tds {
    fn protocol(&self) -> Protocol {
        Protocol::Tds
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if input.bytes.len() < HEADER {
            return Progress::NeedMore;
        }
        // Behind the first packets comes TLS, or what nobody here wants to see.
        let Some((kind, length)) = header(input.bytes) else { return Progress::Done };
        if matches!(kind, SQL_BATCH | RPC) {
            // Joined behind the log-in.
            facts.of_sender(Attribute::Role, "mssql-client");
            return Progress::Done;
        }
        let Some(content) = input.bytes.get(HEADER..length) else { return Progress::NeedMore };
        match kind {
            PRELOGIN if version(content).is_some() => facts.of_sender(Attribute::Role, "mssql-client"),
            LOGIN7 if is_login(content, length) => {
                facts.of_sender(Attribute::Role, "mssql-client");
                login(content, facts);
                self.waits = true;
            }
            TABULAR_RESULT if self.waits => {
                verdict(content, facts);
                return Progress::Done;
            }
            TABULAR_RESULT => {
                let Some([major, minor, build @ .., _, _]) = version(content) else { return Progress::Done };
                facts.of_sender(Attribute::Role, "mssql-server");
                facts.of_sender(Attribute::SoftwareName, "Microsoft SQL Server");
                let build = u16::from_be_bytes(build);
                facts.of_sender(Attribute::SoftwareVersion, &format!("{major}.{minor}.{build}"));
            }
            // TLS within PRELOGIN.
            _ => return Progress::Done,
        }
        Progress::Consumed(length)
    }
}

fn login(content: &[u8], facts: &mut Facts<'_>) {
    if content.len() < LOGIN7_FIXED - HEADER {
        return;
    }
    if let Some(host) = text(content, HOST_NAME).and_then(utf16le).filter(|host| !host.is_empty()) {
        facts.of_sender(Attribute::HostName, &host);
    }
    let Some(secret) = text(content, PASSWORD).filter(|secret| !secret.is_empty()) else { return };
    // Each octet's halves are exchanged, and five of its bits turned (2.2.6.4).
    let secret: Vec<u8> = secret.iter().map(|octet| (octet ^ 0xA5).rotate_left(4)).collect();
    let plain = |octets: &[u8]| utf16le(octets).unwrap_or_default().into_bytes();
    let user = text(content, USER_NAME).map(plain).unwrap_or_default();
    credentials::state("mssql", &user, &plain(&secret), facts);
}

/// The text whose place, from the log-in's beginning, and number of characters stand here.
fn text(content: &[u8], at: usize) -> Option<&[u8]> {
    let characters = usize::from(le16(content, at + 2)?);
    if characters > MOST_CHARACTERS {
        return None;
    }
    part(content, usize::from(le16(content, at)?), 2 * characters)
}

/// The first token of the answer to a log-in. One that accepts it says its version again.
fn verdict(content: &[u8], facts: &mut Facts<'_>) {
    facts.of_sender(Attribute::Role, "mssql-server");
    if content.first() == Some(&ERROR) && le32(content, 3) == Some(LOGIN_FAILED) {
        facts.of_receiver(Attribute::FailedLogin, "mssql");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::ntlm::tests::utf16;
    use crate::test_flow::TestFlow;
    use crate::{Direction, Outcome};
    use proptest::prelude::*;

    fn packet(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(HEADER + content.len()).expect("short").to_be_bytes();
        [&[kind, 1][..], &length, &[0, 0, 1, 0], content].concat()
    }

    /// The example's layout of MS-TDS, 4.1: version and encryption.
    fn options(version: [u8; 6]) -> Vec<u8> {
        [&[0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF][..], &version, &[2]].concat()
    }

    fn log_in(user: &str, secret: &str) -> Vec<u8> {
        let texts = [
            utf16("LAB-PC9"),
            utf16(user),
            utf16(secret).iter().map(|octet| octet.rotate_left(4) ^ 0xA5).collect(),
        ];
        let length = LOGIN7_FIXED + texts.concat().len();
        let mut content = vec![0; LOGIN7_FIXED];
        content[..4].copy_from_slice(&u32::try_from(length).expect("short").to_le_bytes());
        content[4..8].copy_from_slice(&[4, 0, 0, 0x74]);
        let mut offset = LOGIN7_FIXED;
        for (at, text) in [HOST_NAME, USER_NAME, PASSWORD].into_iter().zip(&texts) {
            content[at..at + 2].copy_from_slice(&u16::try_from(offset).expect("short").to_le_bytes());
            content[at + 2..at + 4]
                .copy_from_slice(&u16::try_from(text.len() / 2).expect("short").to_le_bytes());
            offset += text.len();
        }
        packet(LOGIN7, &[content, texts.concat()].concat())
    }

    fn refuses() -> Vec<u8> {
        packet(
            TABULAR_RESULT,
            &[&[ERROR, 40, 0][..], &LOGIN_FAILED.to_le_bytes(), &[1, 14], &[0; 40]].concat(),
        )
    }

    #[test]
    fn a_server_tells_its_version_and_a_client_its_host_whatever_the_segments() {
        for size in [1, 11, 1000] {
            let mut flow = TestFlow::new(crate::TCP);
            for (is_server, bytes) in [
                (false, packet(PRELOGIN, &options([9, 0, 0, 0, 0, 0]))),
                (true, packet(TABULAR_RESULT, &options([15, 0, 0x07, 0xD0, 0, 0]))),
                (false, log_in("sa", "secret")),
                (true, refuses()),
            ] {
                let direction = if is_server { Direction::FromResponder } else { Direction::FromInitiator };
                bytes.chunks(size).for_each(|bytes| flow.bytes(direction, bytes));
            }
            assert_eq!(
                flow.said(),
                [
                    "sender 192.0.2.1 role mssql-client",
                    "sender 192.0.2.2 role mssql-server",
                    "sender 192.0.2.2 software_name Microsoft SQL Server",
                    "sender 192.0.2.2 software_version 15.0.2000",
                    "sender 192.0.2.1 role mssql-client",
                    "sender 192.0.2.1 host_name lab-pc9",
                    "peer 192.0.2.2 cleartext_credential mssql",
                    "sender 192.0.2.2 role mssql-server",
                    "peer 192.0.2.1 failed_login mssql",
                ],
                "{size}"
            );
            assert_eq!(flow.conversation.outcome(), Outcome::Learned);
        }
    }

    #[test]
    fn a_password_of_the_manual_is_seen_through_its_transformation() {
        let flow = TestFlow::new(crate::TCP).ask(&log_in("admin", "admin"));
        assert_eq!(flow.values(Attribute::DefaultCredential), ["mssql"]);
        let without = TestFlow::new(crate::TCP).ask(&log_in("", ""));
        assert_eq!(without.values(Attribute::CleartextCredential), [""; 0]);
    }

    #[test]
    fn joined_behind_the_log_in_it_is_known_by_its_headers() {
        for kind in [SQL_BATCH, RPC] {
            let request =
                packet(kind, &[&TRANSACTION[..], &[0; 8], &[1, 0, 0, 0], &utf16("select 1")].concat());
            let flow = request.chunks(3).fold(TestFlow::new(crate::TCP), TestFlow::ask);
            assert_eq!(flow.said(), ["sender 192.0.2.1 role mssql-client"]);
            assert_eq!(flow.conversation.protocol(), Protocol::Tds);
        }
    }

    #[test]
    fn joined_behind_the_log_in_of_an_old_version_it_is_known_by_its_text() {
        let call = [&[8, 0][..], &utf16("proc_Get"), &[2, 0, 0, 0, 0xE7, 0xA6, 3]].concat();
        for request in [packet(SQL_BATCH, &utf16("COMMIT TRANSACTION")), packet(RPC, &call)] {
            let flow = request.chunks(3).fold(TestFlow::new(crate::TCP), TestFlow::ask);
            assert_eq!(flow.said(), ["sender 192.0.2.1 role mssql-client"]);
        }
        for other in [packet(SQL_BATCH, b"COMMIT TRANSACTION"), packet(RPC, &[8, 0, 1, 2, 3, 4])] {
            let flow = TestFlow::new(&[CANDIDATE]).ask(&other);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{other:?}");
        }
    }

    #[test]
    fn tls_within_ends_it() {
        let flow = TestFlow::new(crate::TCP)
            .ask(&packet(PRELOGIN, &options([9, 0, 0, 0, 0, 0])))
            .ask(&packet(PRELOGIN, &[22, 3, 1, 0, 5, 1, 0, 0, 1, 0]));
        assert_eq!(flow.conversation.outcome(), Outcome::Learned);
    }

    #[test]
    fn what_only_resembles_it_is_not_taken() {
        let mut version_8 = log_in("a", "b");
        version_8[15] = 0x80;
        for bytes in
            [version_8, packet(PRELOGIN, &[1; 30]), packet(TABULAR_RESULT, &[0xD1, 1, 2]), vec![4, 9, 0, 20]]
        {
            let flow = TestFlow::new(&[CANDIDATE]).ask(&bytes);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_and_damaged_packets_are_read_without_a_panic(
            bytes in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), with in any::<u8>(),
        ) {
            let mut damaged = log_in("admin", "admin");
            let place = at.index(damaged.len());
            damaged[place] = with;
            let flow = TestFlow::new(&[CANDIDATE]).ask(&damaged).answer(&packet(TABULAR_RESULT, &[&[ERROR], &bytes[..]].concat()));
            prop_assert!(flow.said().len() <= 8);
            TestFlow::new(&[CANDIDATE]).ask(&packet(PRELOGIN, &[&[0, 0, 11], &bytes[..]].concat())).answer(&bytes);
        }
    }
}
