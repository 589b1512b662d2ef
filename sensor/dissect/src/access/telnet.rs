//! Telnet (RFC 854, 855) on any port, and consoles of the same kind that negotiate nothing.
//!
//! Stated are that a name and a password went over the wire in clear, whether they are those of a manual, that a log-in was
//! refused (by the words that servers use), and products that a greeting names (see [`super::banner`]). What is typed and
//! shown is never stated, nor kept longer than a line.
//!
//! Recognised are options that are negotiated one after the other, or a server's line that ends by asking for a log-in.
//! Trap: MPEG audio has frames that begin like a negotiation; the options behind them are none.

use wardwatch_proto::v1::{Attribute, Protocol};

use super::banner;
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress, credentials};

/// Telnet on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Telnet, probe, start: || Box::new(Telnet::default()) };

/// "Interpret as command", and the commands that matter: a subnegotiation's begin and end, and WILL, WONT, DO, DONT.
const IAC: u8 = 255;
const SB: u8 = 250;
const SE: u8 = 240;
const WILL: u8 = 251;
const DONT: u8 = 254;

/// The highest option that is in use (IANA: Telnet Options), behind which only two are assigned.
const HIGHEST_OPTION: u8 = 49;

/// Longest line that asks for a log-in, and what pages and programs have in theirs but no prompt has.
const LONGEST_PROMPT: usize = 64;
const IN_NO_PROMPT: &[u8] = b"<>{}\"=;";

/// A line is kept up to this length.
const LONGEST_LINE: usize = 256;

/// Text of the server after which nothing more is awaited of a session in which a password was given.
const LONG_ENOUGH: usize = 16 * 1024;

/// How a server asks for a name and for a password, in lower case, at the end of a line.
const NAME_PROMPTS: [&str; 4] = ["login:", "username:", "user name:", "user:"];
const PASSWORD_PROMPTS: [&str; 3] = ["password:", "passcode:", "passwd:"];

/// How a server refuses.
const REFUSALS: [&str; 9] = [
    "login incorrect",
    "login failed",
    "login invalid",
    "invalid login",
    "authentication failed",
    "access denied",
    "bad password",
    "incorrect password",
    "wrong password",
];

#[derive(Default)]
struct Telnet {
    roles_said: [bool; 2],
    /// The server's line as far as it has come.
    shown: Vec<u8>,
    /// The client's.
    typed: Vec<u8>,
    asked: Asked,
    /// The name that was typed, until the password is.
    name: Vec<u8>,
    /// A password was given and not judged yet.
    waits: bool,
    has_given_password: bool,
    /// Octets of text since then.
    text: usize,
}

/// What the server asked for last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asked {
    #[default]
    Nothing,
    Name,
    Password,
}

fn probe(input: &Input<'_>) -> Probe {
    match input.bytes {
        [] | [IAC] | [IAC, SB..=DONT] => Probe::Unsure,
        [IAC, ..] => negotiation(input.bytes),
        bytes if input.direction == Direction::FromResponder => {
            let is_text = bytes.iter().all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | 0x1B | b' '..=b'~'));
            match (is_text, prompt(last_line(bytes))) {
                (true, Asked::Name | Asked::Password) => Probe::Certain,
                (true, Asked::Nothing) => Probe::Unsure,
                _ => Probe::NotForUs,
            }
        }
        _ => Probe::NotForUs,
    }
}

/// Two known options one behind the other.
fn negotiation(bytes: &[u8]) -> Probe {
    match bytes {
        [IAC, WILL..=DONT, 0..=HIGHEST_OPTION, rest @ ..] => match rest {
            [IAC, SB | WILL..=DONT, 0..=HIGHEST_OPTION, ..] => Probe::Certain,
            [] | [IAC] | [IAC, SB..=DONT] => Probe::Unsure,
            // One option, and then text that asks for a log-in.
            _ if prompt(last_line(rest)) != Asked::Nothing => Probe::Certain,
            [b'\t' | b'\r' | b'\n' | b' '..=b'~', ..] => Probe::Unsure,
            _ => Probe::NotForUs,
        },
        [IAC, SB, 0..=HIGHEST_OPTION, rest @ ..] => {
            match rest.windows(2).position(|pair| pair == [IAC, SE]) {
                Some(end) if end < 64 => match rest.get(end + 2..) {
                    Some([IAC, SB..=DONT, 0..=HIGHEST_OPTION, ..]) => Probe::Certain,
                    Some([] | [IAC] | [IAC, SB..=DONT]) => Probe::Unsure,
                    _ => Probe::NotForUs,
                },
                None if rest.len() < 64 => Probe::Unsure,
                _ => Probe::NotForUs,
            }
        }
        _ => Probe::NotForUs,
    }
}

fn last_line(bytes: &[u8]) -> &[u8] {
    bytes.rsplit(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default()
}

/// What the end of a line asks for.
fn prompt(line: &[u8]) -> Asked {
    let line = line.trim_ascii_end();
    let ends_with = |words: &[&str]| {
        words.iter().any(|word| {
            line.len()
                .checked_sub(word.len())
                .and_then(|at| line.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
        })
    };
    if line.len() > LONGEST_PROMPT || line.iter().any(|octet| IN_NO_PROMPT.contains(octet)) {
        Asked::Nothing
    } else if ends_with(&PASSWORD_PROMPTS) {
        Asked::Password
    } else if ends_with(&NAME_PROMPTS) {
        Asked::Name
    } else {
        Asked::Nothing
    }
}

impl Dissector for Telnet {
    fn protocol(&self) -> Protocol {
        Protocol::Telnet
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(said) = self.roles_said.get_mut(input.direction.index())
            && !std::mem::replace(said, true)
        {
            facts.of_sender(
                Attribute::Role,
                match input.direction {
                    Direction::FromInitiator => "telnet-client",
                    Direction::FromResponder => "telnet-server",
                },
            );
        }
        let mut rest = input.bytes;
        while let Some((first, behind)) = rest.split_first() {
            if *first != IAC {
                match input.direction {
                    Direction::FromInitiator => self.typed(*first, facts),
                    Direction::FromResponder => self.shown(*first, facts),
                }
                rest = behind;
                continue;
            }
            let Some(length) = command(rest) else {
                let passed = input.bytes.len() - rest.len();
                return if passed == 0 { Progress::NeedMore } else { Progress::Consumed(passed) };
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        let is_over = self.has_given_password && !self.waits && self.text > LONG_ENOUGH;
        if is_over || self.text > 4 * LONG_ENOUGH {
            Progress::Done
        } else {
            Progress::Consumed(input.bytes.len())
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        match direction {
            Direction::FromInitiator => self.typed.clear(),
            Direction::FromResponder => self.shown.clear(),
        }
        self.asked = Asked::Nothing;
        true
    }
}

/// Octets of the command at the beginning; `None` when its end has not come.
fn command(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [IAC, SB, rest @ ..] => match rest.windows(2).position(|pair| pair == [IAC, SE]) {
            Some(end) => Some(2 + end + 2),
            // Nobody negotiates that long: passed over as if it were text.
            None => (rest.len() > 4096).then_some(2),
        },
        [IAC, WILL..=DONT, _, ..] => Some(3),
        [IAC, WILL..=DONT] | [IAC] => None,
        _ => Some(2),
    }
}

impl Telnet {
    fn shown(&mut self, octet: u8, facts: &mut Facts<'_>) {
        self.text = self.text.saturating_add(1);
        if !matches!(octet, b'\r' | b'\n') {
            if self.shown.len() < LONGEST_LINE {
                self.shown.push(octet);
            }
            if octet == b':' {
                let asked = prompt(&self.shown);
                if asked != Asked::Nothing {
                    self.asked = asked;
                    self.typed.clear();
                }
            }
            return;
        }
        let line = std::mem::take(&mut self.shown);
        if self.waits {
            let text = line.to_ascii_lowercase();
            let says = |words: &&str| text.windows(words.len()).any(|window| window == words.as_bytes());
            if REFUSALS.iter().any(says) {
                self.waits = false;
                facts.of_receiver(Attribute::FailedLogin, "telnet");
            }
        }
        // A greeting stands before the first log-in; later lines are what somebody works at.
        if !self.has_given_password && self.name.is_empty() {
            banner::state(&line, facts);
        }
    }

    fn typed(&mut self, octet: u8, facts: &mut Facts<'_>) {
        match (octet, self.asked) {
            (_, Asked::Nothing) | (0, _) => {}
            (b'\r' | b'\n', asked) => {
                let typed = std::mem::take(&mut self.typed);
                self.asked = Asked::Nothing;
                if asked == Asked::Name {
                    self.name = typed;
                } else {
                    credentials::state("telnet", &std::mem::take(&mut self.name), &typed, facts);
                    self.waits = true;
                    self.has_given_password = true;
                    self.text = 0;
                }
            }
            // Backspace and delete.
            (8 | 127, _) => _ = self.typed.pop(),
            (octet, _) if self.typed.len() < LONGEST_LINE => self.typed.push(octet),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    fn flow() -> TestFlow {
        TestFlow::new(crate::TCP)
    }

    const OFFERS: &[u8] = &[IAC, 253, 24, IAC, 253, 32];
    const AGREES: &[u8] = &[IAC, 251, 24, IAC, 252, 32, IAC, SB, 24, 0, b'V', b'T', IAC, SE];

    fn session(size: usize) -> TestFlow {
        let mut flow = flow();
        for (is_server, bytes) in [
            (true, OFFERS),
            (false, AGREES),
            (true, b"BusyBox v1.19.4\r\ncart login: "),
            (false, b"roox\x7Ft\r\0"),
            (true, b"root\r\nPassword: "),
            (false, b"vizxv\r\n"),
            (true, b"\r\nLogin incorrect\r\ncart login: "),
        ] {
            let direction = if is_server { Direction::FromResponder } else { Direction::FromInitiator };
            bytes.chunks(size).for_each(|bytes| flow.bytes(direction, bytes));
        }
        flow
    }

    #[test]
    fn a_log_in_is_told_and_that_it_is_of_the_manual_and_that_it_failed() {
        for size in [1, 4, 1000] {
            assert_eq!(
                session(size).said(),
                [
                    "sender 192.0.2.2 role telnet-server",
                    "sender 192.0.2.1 role telnet-client",
                    "sender 192.0.2.2 software_name BusyBox",
                    "sender 192.0.2.2 software_version 1.19.4",
                    "peer 192.0.2.2 cleartext_credential telnet",
                    "peer 192.0.2.2 default_credential telnet",
                    "peer 192.0.2.1 failed_login telnet",
                ],
                "{size}"
            );
        }
    }

    #[test]
    fn a_console_that_negotiates_nothing_is_known_by_its_prompt() {
        let flow = flow().answer(b"\r\nUsername: ").ask(b"jdoe\r\n").answer(b"Password: ").ask(b"secret\r\n");
        assert_eq!(flow.conversation.protocol(), Protocol::Telnet);
        assert_eq!(flow.values(Attribute::CleartextCredential), ["telnet"]);
        assert_eq!(flow.values(Attribute::DefaultCredential), [""; 0]);
    }

    #[test]
    fn what_only_resembles_it_is_not_taken() {
        for bytes in [
            &[0xFF, 0xFB, 0x90, 0x44, 0, 0, 0][..],
            &[IAC, 251, 1, 0xFF, 0xD8],
            &[IAC, IAC, 1, 2],
            b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n",
            b"USER: admin",
            b"<td>Password:",
            b"\x02Password:",
        ] {
            assert_eq!(
                TestFlow::new(&[CANDIDATE]).ask(bytes).answer(bytes).conversation.protocol(),
                Protocol::Unspecified,
                "{bytes:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(server in any::<Vec<u8>>(), client in any::<Vec<u8>>()) {
            let flow = flow().answer(OFFERS).answer(&server).ask(&client).answer(b"login:").ask(&server);
            prop_assert!(flow.said().len() <= 20);
            TestFlow::new(&[CANDIDATE]).ask(&server).answer(&client);
        }
    }
}
