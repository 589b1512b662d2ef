//! FTP's control connection (RFC 959, RFC 4217) on any port.
//!
//! Stated are the server's software where its greeting names a known one, that credentials were sent in clear, whether
//! they are those of a manual, that a log-in was refused, and the system where the answer to SYST tells one that is
//! not said for the sake of compatibility, as `UNIX Type: L8` is. Names of users, files and folders are not. Behind AUTH the
//! connection is encrypted and let go of.
//!
//! Trap: mail servers greet with the same 220, and mail clients log in by the same USER and PASS. A side is taken for FTP
//! by what only FTP says.

use wardwatch_proto::v1::{Attribute, Protocol};

use super::banner;
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress, credentials};

/// FTP on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Ftp, probe, start: || Box::new(Ftp::default()) };

/// Longest line.
const LONGEST_LINE: usize = 4096;

/// Longest name of a user that is kept until the password comes.
const LONGEST_NAME: usize = 64;

/// Names under which everybody may log in: a password says nothing (RFC 1635).
const ANONYMOUS: [&[u8]; 2] = [b"anonymous", b"ftp"];

/// Commands that only FTP's clients send behind a log-in (RFC 959, 2428, 2389, 3659).
const COMMANDS: [&[u8]; 16] = [
    b"SYST", b"PWD", b"XPWD", b"TYPE", b"PASV", b"PORT", b"EPSV", b"EPRT", b"FEAT", b"CWD", b"SIZE", b"MDTM",
    b"NLST", b"MLSD", b"STRU", b"STOR",
];

/// Systems that an answer to SYST may begin with, in lower case.
const SYSTEMS: [(&str, &str); 4] =
    [("windows_nt", "Windows"), ("vxworks", "VxWorks"), ("qnx", "QNX"), ("windows_ce", "Windows CE")];

#[derive(Default)]
struct Ftp {
    server: Option<Direction>,
    /// Whose password is awaited.
    user: Option<Vec<u8>>,
    /// A password was sent and not judged yet.
    waits: bool,
    asked_for_tls: bool,
    has_greeted: bool,
    roles_said: [bool; 2],
}

/// A reply's code (RFC 959, 4.2); continued lines may begin with anything.
fn code(line: &[u8]) -> Option<&[u8; 3]> {
    let (code, rest) = line.split_first_chunk::<3>()?;
    let is_code = matches!(code, [b'1'..=b'6', b'0'..=b'9', b'0'..=b'9']);
    (is_code && matches!(rest, [] | [b' ' | b'-' | b'\r', ..])).then_some(code)
}

/// A command and its argument.
fn command(line: &[u8]) -> (Vec<u8>, &[u8]) {
    let line = line.trim_ascii_end();
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (verb, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    (verb.to_ascii_uppercase(), rest.get(1..).unwrap_or_default())
}

fn probe(input: &Input<'_>) -> Probe {
    let first = match input.bytes.first() {
        None => return Probe::Unsure,
        Some(first @ (b'2' | b'3' | b'A'..=b'Z' | b'a'..=b'z')) => *first,
        Some(_) => return Probe::NotForUs,
    };
    let is_text =
        input.bytes.iter().take(64).all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~' | 0x80..));
    if !is_text {
        return Probe::NotForUs;
    }
    let mut lines = input.bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    if first.is_ascii_digit() { server(&mut lines, input.bytes) } else { client(&mut lines, input.bytes) }
}

fn server(lines: &mut dyn Iterator<Item = &[u8]>, bytes: &[u8]) -> Probe {
    let mut has_greeted = false;
    for line in lines {
        let names_it = line.windows(3).any(|word| word.eq_ignore_ascii_case(b"FTP"));
        match code(line) {
            Some(b"220") if names_it => return Probe::Certain,
            Some(b"220") => has_greeted = true,
            Some(b"331" | b"234") if has_greeted => return Probe::Certain,
            // Joined in the middle.
            Some(b"227") if line.windows(13).any(|words| words == b"Passive Mode ") => return Probe::Certain,
            Some(b"331") if line.windows(7).any(|word| word == b"assword") => return Probe::Certain,
            // Within a greeting of more lines.
            None if has_greeted && names_it => return Probe::Certain,
            None if has_greeted => {}
            _ => return Probe::NotForUs,
        }
    }
    let start = bytes.get(..bytes.len().min(3)).unwrap_or_default();
    let may_be =
        [&b"220"[..], b"331", b"227"].iter().any(|known| known.starts_with(start) || start == *known);
    if may_be { Probe::Unsure } else { Probe::NotForUs }
}

fn client(lines: &mut dyn Iterator<Item = &[u8]>, bytes: &[u8]) -> Probe {
    let mut has_logged_in = false;
    for line in lines {
        let (verb, argument) = command(line);
        match (verb.as_slice(), argument) {
            (b"AUTH", b"TLS" | b"SSL" | b"TLS-C" | b"TLS-P") => return Probe::Certain,
            (b"USER" | b"PASS", _) => has_logged_in = true,
            (verb, _) if has_logged_in && COMMANDS.contains(&verb) => return Probe::Certain,
            (b"FEAT" | b"SYST" | b"OPTS", _) => {}
            _ => return Probe::NotForUs,
        }
    }
    let start = bytes.get(..bytes.len().min(4)).unwrap_or_default().to_ascii_uppercase();
    let may_be =
        [b"USER", b"PASS", b"AUTH", b"FEAT", b"SYST", b"OPTS"].iter().any(|known| known.starts_with(&start));
    if may_be { Probe::Unsure } else { Probe::NotForUs }
}

impl Dissector for Ftp {
    fn protocol(&self) -> Protocol {
        Protocol::Ftp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some(end) = input.bytes.iter().position(|byte| *byte == b'\n') else {
            return if input.bytes.len() > LONGEST_LINE {
                Progress::Broken("line longer than 4096 octets")
            } else {
                Progress::NeedMore
            };
        };
        let line = input.bytes.get(..end).unwrap_or_default();
        // Where the flow's beginning was not seen, who began it is a guess; lines tell who is who.
        let is_reply = line.first().is_some_and(u8::is_ascii_digit);
        let server =
            *self.server.get_or_insert(if is_reply { input.direction } else { input.direction.reverse() });
        let is_server = input.direction == server;
        let role = if is_server { "ftp-server" } else { "ftp-client" };
        if let Some(said) = self.roles_said.get_mut(input.direction.index())
            && !std::mem::replace(said, true)
        {
            facts.of_sender(Attribute::Role, role);
        }
        if is_server && self.reply(line, facts) {
            return Progress::Done;
        }
        if !is_server {
            self.command(line, facts);
        }
        Progress::Consumed(end + 1)
    }

    fn gap(&mut self, _direction: Direction, _missing: u64) -> bool {
        // Which reply belongs to which command is not known any more; lines are found again at the next line feed.
        self.user = None;
        self.waits = false;
        true
    }
}

impl Ftp {
    fn command(&mut self, line: &[u8], facts: &mut Facts<'_>) {
        let (verb, argument) = command(line);
        match verb.as_slice() {
            b"USER" => {
                let name = argument.get(..argument.len().min(LONGEST_NAME)).unwrap_or_default();
                self.user = Some(name.to_vec());
            }
            b"PASS" => {
                let user = self.user.take().unwrap_or_default();
                self.waits = !ANONYMOUS.iter().any(|name| user.eq_ignore_ascii_case(name));
                if self.waits {
                    credentials::state("ftp", &user, argument, facts);
                }
            }
            b"AUTH" => self.asked_for_tls = true,
            _ => {}
        }
    }

    /// States what a reply says; whether the connection is encrypted from here on.
    fn reply(&mut self, line: &[u8], facts: &mut Facts<'_>) -> bool {
        let code = code(line);
        if !self.has_greeted {
            // All lines of the greeting, up to the first reply to something.
            if code.is_none() || code == Some(b"220") {
                banner::state(line, facts);
                return false;
            }
            self.has_greeted = true;
        }
        match code {
            Some(b"215") => {
                let system =
                    String::from_utf8_lossy(line.get(4..).unwrap_or_default()).trim().to_ascii_lowercase();
                if let Some((_, name)) = SYSTEMS.iter().find(|(known, _)| system.starts_with(known)) {
                    facts.of_sender(Attribute::OperatingSystem, name);
                }
            }
            Some(b"530") if self.waits => {
                self.waits = false;
                facts.of_receiver(Attribute::FailedLogin, "ftp");
            }
            Some(b"230") => self.waits = false,
            Some(b"234") => return self.asked_for_tls,
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    fn flow() -> TestFlow {
        TestFlow::new(crate::TCP)
    }

    const CLIENT: &[u8] = b"USER admin\r\nPASS admin\r\nSYST\r\nCWD /patients/doe\r\n";
    const SERVER: &[u8] = b"220-Hello J. Doe\r\n220 ProFTPD 1.3.5 Server ready.\r\n331 Password required for admin\r\n530 Login incorrect.\r\n215 Windows_NT\r\n";
    const OF_BOTH: [&str; 8] = [
        "sender 192.0.2.1 role ftp-client",
        "peer 192.0.2.2 cleartext_credential ftp",
        "peer 192.0.2.2 default_credential ftp",
        "sender 192.0.2.2 role ftp-server",
        "sender 192.0.2.2 software_name ProFTPD",
        "sender 192.0.2.2 software_version 1.3.5",
        "peer 192.0.2.1 failed_login ftp",
        "sender 192.0.2.2 operating_system Windows",
    ];

    #[test]
    fn software_credentials_and_refusals_are_told_and_no_names() {
        let flow = flow().ask(CLIENT).answer(SERVER);
        assert_eq!(flow.said(), OF_BOTH);
        assert_eq!(flow.conversation.protocol(), Protocol::Ftp);
    }

    #[test]
    fn segments_make_no_difference() {
        for size in [1, 5] {
            let mut flow = flow();
            CLIENT.chunks(size).for_each(|bytes| flow.bytes(Direction::FromInitiator, bytes));
            SERVER.chunks(size).for_each(|bytes| flow.bytes(Direction::FromResponder, bytes));
            assert_eq!(flow.said(), OF_BOTH, "{size}");
        }
    }

    #[test]
    fn who_comes_anonymously_shows_no_secret() {
        let flow = flow()
            .answer(b"220 FTP\r\n")
            .ask(b"USER anonymous\r\nPASS me@example.org\r\n")
            .answer(b"530 no\r\n");
        assert_eq!(flow.values(Attribute::CleartextCredential), [""; 0]);
        assert_eq!(flow.values(Attribute::FailedLogin), [""; 0]);
    }

    #[test]
    fn behind_auth_it_is_let_go_of() {
        let flow = flow().answer(b"220 files\r\n").ask(b"AUTH TLS\r\n").answer(b"234 go on\r\n");
        assert_eq!(flow.conversation.protocol(), Protocol::Ftp);
        assert_eq!(flow.conversation.outcome(), Outcome::Learned);
    }

    #[test]
    fn joined_in_the_middle_it_is_known_by_what_only_it_says() {
        let flow = flow().answer(b"227 Entering Passive Mode (192,0,2,2,19,137).\r\n").ask(b"PASS x\r\n");
        assert_eq!(flow.conversation.protocol(), Protocol::Ftp);
        assert_eq!(flow.values(Attribute::CleartextCredential), ["ftp"]);
    }

    #[test]
    fn mail_is_not_taken_for_it() {
        for (server, client) in [
            (
                &b"220 mail.example ESMTP Postfix\r\n250 mail.example\r\n"[..],
                &b"EHLO a\r\nAUTH LOGIN\r\n"[..],
            ),
            (b"+OK ready\r\n+OK\r\n", b"USER a\r\nPASS b\r\nSTAT\r\n"),
            (b"200 news\r\n", b"MODE READER\r\n"),
            (b"HTTP/1.1 200 OK\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
        ] {
            let flow = TestFlow::new(&[CANDIDATE]).answer(server).ask(client);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{server:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(server in any::<Vec<u8>>(), client in "[A-Z \r\n]{0,80}") {
            let flow = flow().answer(b"220 FTP\r\n").ask(client.as_bytes()).answer(&server).ask(&server);
            prop_assert!(flow.said().len() <= 40);
            TestFlow::new(&[CANDIDATE]).ask(&server).answer(client.as_bytes());
        }
    }
}
