//! MySQL's and MariaDB's protocol (MySQL: Client/Server Protocol, connection phase) on TCP, on any port.
//!
//! The server greets with its version, and says when a log-in is refused. Names of users and of databases are not read; with
//! the log-in's end, or where TLS begins, the flow is let go of.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::{le16, le32, piece};
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// MySQL on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Mysql, probe, start: || Box::new(Mysql::default()) };

/// The packet's header: length in 24 bits, LE, and a number that counts up.
const HEADER: usize = 4;

/// Longest packet of this phase that is read.
const LONGEST: usize = 16 * 1024;

/// What a greeting and the answers to a log-in begin with.
const PROTOCOL_VERSION: u8 = 10;
const OK: u8 = 0x00;
const ERR: u8 = 0xFF;

/// ER_ACCESS_DENIED_ERROR.
const ACCESS_DENIED: u16 = 1045;

/// CLIENT_SSL, and the length of a client's packet that only asks for TLS.
const CLIENT_SSL: u32 = 0x0800;
const SSL_REQUEST: usize = 32;

/// MariaDB since version 10 puts this before its own, for replicas that know no other.
const MARIADB_PREFIX: &str = "5.5.5-";

#[derive(Default)]
struct Mysql {
    has_greeted: bool,
}

/// A packet's length and number.
fn header(bytes: &[u8]) -> Option<(usize, u8)> {
    let [low, middle, high, number] = piece(bytes, 0)?;
    Some((usize::try_from(u32::from_le_bytes([low, middle, high, 0])).ok()?, number))
}

/// The version in a greeting whose layout fits to the end: version, thread, 8 octets of salt, zero, capabilities, character
/// set, status, length of the salt, and six zeros of the ten that are reserved.
fn greeting(content: &[u8]) -> Option<&str> {
    let [PROTOCOL_VERSION, rest @ ..] = content else { return None };
    let end = rest.iter().position(|octet| *octet == 0)?;
    let version = str::from_utf8(rest.get(..end)?).ok()?;
    let behind = rest.get(end + 1..)?;
    let is_version = version.starts_with(|first: char| first.is_ascii_digit())
        && version.bytes().all(|octet| octet.is_ascii_graphic());
    let is_one = behind.get(12) == Some(&0) && piece(behind, 21) == Some([0_u8; 6]) && behind.len() >= 31;
    (is_version && is_one).then_some(version)
}

fn probe(input: &Input<'_>) -> Probe {
    let Some((length, number)) = header(input.bytes) else { return Probe::Unsure };
    if !(46..=512).contains(&length) || number != 0 {
        return Probe::NotForUs;
    }
    if input.bytes.get(HEADER).is_some_and(|version| *version != PROTOCOL_VERSION) {
        return Probe::NotForUs;
    }
    match input.bytes.get(HEADER..HEADER + length) {
        Some(content) if greeting(content).is_some() => Probe::Certain,
        Some(_) => Probe::NotForUs,
        None => Probe::Unsure,
    }
}

impl Dissector for Mysql {
    fn protocol(&self) -> Protocol {
        Protocol::Mysql
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some((length, number)) = header(input.bytes) else { return Progress::NeedMore };
        if length > LONGEST || length == 0 {
            return Progress::Done;
        }
        let Some(content) = input.bytes.get(HEADER..HEADER + length) else { return Progress::NeedMore };
        if number == 0 {
            // A greeting, or the first command behind the log-in.
            let Some(version) = greeting(content) else { return Progress::Done };
            if std::mem::replace(&mut self.has_greeted, true) {
                return Progress::Done;
            }
            facts.of_sender(Attribute::Role, "mysql-server");
            facts.of_receiver(Attribute::Role, "mysql-client");
            state(version, facts);
            return Progress::Consumed(HEADER + length);
        }
        // The client's packets have odd numbers, the server's even ones.
        if number % 2 == 1 {
            let asks_for_tls =
                length == SSL_REQUEST && le32(content, 0).is_some_and(|flags| flags & CLIENT_SSL != 0);
            return if asks_for_tls { Progress::Done } else { Progress::Consumed(HEADER + length) };
        }
        match content.first() {
            Some(&ERR) => {
                if le16(content, 1) == Some(ACCESS_DENIED) {
                    facts.of_receiver(Attribute::FailedLogin, "mysql");
                }
                Progress::Done
            }
            Some(&OK) => Progress::Done,
            // The server asks on.
            _ => Progress::Consumed(HEADER + length),
        }
    }
}

fn state(version: &str, facts: &mut Facts<'_>) {
    let (name, version) = match version.find("-MariaDB") {
        Some(end) => {
            let version = version.get(..end).unwrap_or_default();
            ("MariaDB", version.strip_prefix(MARIADB_PREFIX).unwrap_or(version))
        }
        None => ("MySQL", version),
    };
    facts.of_sender(Attribute::SoftwareName, name);
    facts.of_sender(Attribute::SoftwareVersion, version);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    fn packet(number: u8, content: &[u8]) -> Vec<u8> {
        let [low, middle, high, _] = u32::try_from(content.len()).expect("short").to_le_bytes();
        [&[low, middle, high, number], content].concat()
    }

    /// HandshakeV10.
    fn greets(version: &str) -> Vec<u8> {
        let fixed =
            [&[0, 42, 0, 0, 0][..], b"saltsalt", &[0, 0xFF, 0xF7, 45, 2, 0, 0xFF, 0x81, 21], &[0; 10]]
                .concat();
        packet(0, &[&[10], version.as_bytes(), &fixed, b"saltsaltsalt\0caching_sha2_password\0"].concat())
    }

    const LOG_IN: &[u8] =
        b"\x85\xa6\xff\x01\0\0\0\x01\x2d01234567890123456789012jdoe\0\x14secretsecretsecretse";

    #[test]
    fn a_server_tells_its_version_and_whom_it_refuses() {
        let refuses = packet(2, b"\xff\x15\x04#28000Access denied for user 'jdoe'");
        for size in [1, 10, 1000] {
            let mut flow = TestFlow::new(crate::TCP);
            greets("8.0.35")
                .chunks(size)
                .for_each(|bytes| flow.bytes(crate::Direction::FromResponder, bytes));
            let flow = flow.ask(&packet(1, LOG_IN)).answer(&refuses);
            assert_eq!(
                flow.said(),
                [
                    "sender 192.0.2.2 role mysql-server",
                    "peer 192.0.2.1 role mysql-client",
                    "sender 192.0.2.2 software_name MySQL",
                    "sender 192.0.2.2 software_version 8.0.35",
                    "peer 192.0.2.1 failed_login mysql",
                ]
            );
            assert_eq!(flow.conversation.outcome(), Outcome::Learned);
        }
    }

    #[test]
    fn mariadb_is_told_apart_and_without_the_version_that_it_pretends() {
        let flow = TestFlow::new(crate::TCP).answer(&greets("5.5.5-10.3.38-MariaDB-0+deb10u1"));
        assert_eq!(flow.values(Attribute::SoftwareName), ["MariaDB"]);
        assert_eq!(flow.values(Attribute::SoftwareVersion), ["10.3.38"]);
    }

    #[test]
    fn behind_tls_and_behind_the_log_in_it_is_let_go_of() {
        let asks = packet(1, &[&0x0800_u32.to_le_bytes()[..], &[0; 28]].concat());
        let accepts = packet(2, &[OK, 0, 0, 2, 0, 0, 0]);
        for flow in [
            TestFlow::new(crate::TCP).answer(&greets("8.0.35")).ask(&asks),
            TestFlow::new(crate::TCP).answer(&greets("8.0.35")).ask(&packet(1, LOG_IN)).answer(&accepts),
        ] {
            assert_eq!(flow.conversation.outcome(), Outcome::Learned);
        }
    }

    #[test]
    fn what_only_resembles_it_is_not_taken() {
        for bytes in [packet(0, &[10; 60]), packet(1, &greets("8.0.35")[4..]), greets("x8.0.35"), greets("")]
        {
            let flow = TestFlow::new(&[CANDIDATE]).answer(&bytes);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_and_damaged_greetings_are_read_without_a_panic(
            bytes in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), with in any::<u8>(),
        ) {
            let mut damaged = greets("8.0.35");
            let place = at.index(damaged.len());
            damaged[place] = with;
            let flow = TestFlow::new(&[CANDIDATE]).answer(&damaged).answer(&bytes);
            prop_assert!(flow.said().len() <= 5);
        }
    }
}
