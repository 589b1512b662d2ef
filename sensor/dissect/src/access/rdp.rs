//! Remote Desktop (MS-RDPBCGR) on TCP, on any port: how a connection begins (X.224 class 0 in TPKT, RFC 1006).
//!
//! The server chooses how the session is protected. With TLS, within which CredSSP is spoken, the handshake is in clear, and
//! the certificate that the server shows has its host's name; with RDP's own protection, which has no server identity and old
//! ciphers, and is therefore a finding, the client goes on to tell its name and its build. The cookie in the first request
//! holds the name of a user and is passed over.
//!
//! A flow may be joined where the two ask for a conference and grant it (T.125), which they do in clear under RDP's own
//! protection alone.
//!
//! Trap: PLCs and gateways for other purposes open connections by X.224 as well; theirs have other parameters.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::{be16, find, le16, le32, part, utf16le};
use crate::web::tls;
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

/// RDP on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Rdp, probe, start: || Box::new(Rdp::default()) };

/// Codes of X.224: connection request and confirm, data.
const CONNECTION_REQUEST: u8 = 0xE0;
const CONNECTION_CONFIRM: u8 = 0xD0;

/// Where the variable part begins: behind TPKT (4), length, code, two references, class.
const VARIABLE: usize = 11;

/// Kinds of negotiation (2.2.1.1.1, 2.2.1.2.1, 2.2.1.2.2).
const NEGOTIATION_REQUEST: u8 = 1;
const NEGOTIATION_RESPONSE: u8 = 2;
const NEGOTIATION_FAILURE: u8 = 3;

/// PROTOCOL_RDP: no protection but RDP's own.
const STANDARD_SECURITY: u32 = 0;

/// What the conference's user data begin with: the client's key of H.221 (MS-RDPBCGR, 2.2.1.3) and the server's (2.2.1.4).
const CLIENT_KEY: &[u8] = b"Duca";
const SERVER_KEY: &[u8] = b"McDn";

/// Behind TPKT: data of X.224, and in them the beginnings of MCS Connect Initial and Connect Response (T.125, 7).
const CONNECT_INITIAL: &[u8] = &[2, 0xF0, 0x80, 0x7F, 0x65];
const CONNECT_RESPONSE: &[u8] = &[2, 0xF0, 0x80, 0x7F, 0x66];

/// Octets of them before the user data's key, with room for parameters of any length.
const BEFORE_KEY: usize = 256;

/// CS_CORE (2.2.1.3.2), and the length of a client's name.
const CORE_DATA: u16 = 0xC001;
const NAME_OCTETS: usize = 32;

/// Blocks of user data that are looked at.
const MOST_BLOCKS: usize = 16;

#[derive(Default)]
struct Rdp {
    /// The server answered and nothing is protected by TLS.
    is_in_clear: bool,
    /// Reads the handshake of TLS, once the server chose that.
    tls: Option<Box<dyn Dissector>>,
}

/// A request or confirm: its code and the variable part.
struct Connection<'a> {
    code: u8,
    variable: &'a [u8],
    length: usize,
}

/// Reads one that is whole: both lengths fit, class 0.
fn connection(bytes: &[u8]) -> Option<Connection<'_>> {
    let [3, 0, _, _, rest, code, _, _, _, _, 0, ..] = bytes else { return None };
    let length = usize::from(be16(bytes, 2)?);
    if length != 5 + usize::from(*rest) {
        return None;
    }
    let variable = bytes.get(VARIABLE..length)?;
    matches!(*code, CONNECTION_REQUEST | CONNECTION_CONFIRM).then_some(Connection {
        code: *code,
        variable,
        length,
    })
}

/// The negotiation at the end of the variable part: kind and value.
fn negotiation(variable: &[u8]) -> Option<(u8, u32)> {
    // The cookie or routing token is a line (2.2.1.1).
    let rest = match find(variable, b"\r\n") {
        Some(end) if variable.starts_with(b"Cookie: ") => variable.get(end + 2..)?,
        _ => variable,
    };
    let [kind @ 1..=3, _, 8, 0, ..] = rest else { return None };
    Some((*kind, le32(rest, 4)?))
}

fn probe(input: &Input<'_>) -> Probe {
    let [3, 0, high, low, ..] = input.bytes else {
        return if matches!(input.bytes, [] | [3] | [3, 0] | [3, 0, _]) {
            Probe::Unsure
        } else {
            Probe::NotForUs
        };
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if let Some(known) = conference(input.bytes, length) {
        return known;
    }
    if !(VARIABLE..=VARIABLE + 255).contains(&length) {
        return Probe::NotForUs;
    }
    let Some(connection) = connection(input.bytes) else {
        return if input.bytes.len() < length { Probe::Unsure } else { Probe::NotForUs };
    };
    let has_cookie = connection.variable.starts_with(b"Cookie: mst");
    match (connection.code, negotiation(connection.variable)) {
        (CONNECTION_REQUEST, Some((NEGOTIATION_REQUEST, _)))
        | (CONNECTION_CONFIRM, Some((NEGOTIATION_RESPONSE | NEGOTIATION_FAILURE, _))) => Probe::Certain,
        (CONNECTION_REQUEST, None) if has_cookie => Probe::Certain,
        _ => Probe::NotForUs,
    }
}

/// Whether a packet of this length asks for the conference or grants it, with Microsoft's keys; nothing where it does
/// neither.
fn conference(bytes: &[u8], length: usize) -> Option<Probe> {
    let content = bytes.get(4..)?;
    let may_become = |known: &[u8]| content.len() < known.len() && known.starts_with(content);
    if may_become(CONNECT_INITIAL) || may_become(CONNECT_RESPONSE) {
        return Some(Probe::Unsure);
    }
    let key = match content {
        _ if content.starts_with(CONNECT_INITIAL) => CLIENT_KEY,
        _ if content.starts_with(CONNECT_RESPONSE) => SERVER_KEY,
        _ => return None,
    };
    let before = content.get(..content.len().min(BEFORE_KEY)).unwrap_or_default();
    Some(match find(before, key) {
        Some(_) => Probe::Certain,
        None if before.len() < BEFORE_KEY && bytes.len() < length => Probe::Unsure,
        None => Probe::NotForUs,
    })
}

impl Dissector for Rdp {
    fn protocol(&self) -> Protocol {
        Protocol::Rdp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(tls) = &mut self.tls {
            return tls.dissect(input, &mut facts.within(Protocol::Tls));
        }
        let [3, 0, ..] = input.bytes else {
            return if input.bytes.len() < 2 { Progress::NeedMore } else { Progress::Done };
        };
        let Some(length) = be16(input.bytes, 2).map(usize::from) else { return Progress::NeedMore };
        if length < 7 {
            return Progress::Broken("shorter than its header");
        }
        let Some(packet) = input.bytes.get(..length) else { return Progress::NeedMore };
        match connection(packet) {
            Some(connection) => self.connection(&connection, facts),
            None if input.direction == Direction::FromInitiator && self.is_in_clear => {
                client(packet, facts);
                Progress::Done
            }
            None => joined(packet, facts),
        }
    }

    fn gap(&mut self, direction: Direction, missing: u64) -> bool {
        self.tls.as_mut().is_some_and(|tls| tls.gap(direction, missing))
    }
}

impl Rdp {
    fn connection(&mut self, connection: &Connection<'_>, facts: &mut Facts<'_>) -> Progress {
        if connection.code == CONNECTION_REQUEST {
            facts.of_sender(Attribute::Role, "rdp-client");
            return Progress::Consumed(connection.length);
        }
        facts.of_sender(Attribute::Role, "rdp-server");
        match negotiation(connection.variable) {
            // A server of before the negotiation answers without one.
            Some((NEGOTIATION_RESPONSE, STANDARD_SECURITY)) | None => {
                facts.of_sender(Attribute::WeakProtocol, "rdp-standard-security");
                self.is_in_clear = true;
                Progress::Consumed(connection.length)
            }
            // Each of the others begins with TLS (5.4.5).
            Some((NEGOTIATION_RESPONSE, _)) => {
                self.tls = Some((tls::CANDIDATE.start)());
                Progress::Consumed(connection.length)
            }
            Some(_) => Progress::Done,
        }
    }
}

/// Where the connection's beginning was missed: who asks for the conference, in clear, and who grants it.
fn joined(packet: &[u8], facts: &mut Facts<'_>) -> Progress {
    let content = packet.get(4..).unwrap_or_default();
    if content.starts_with(CONNECT_INITIAL) {
        facts.of_sender(Attribute::Role, "rdp-client");
        client(packet, facts);
        return Progress::Consumed(packet.len());
    }
    if content.starts_with(CONNECT_RESPONSE) {
        facts.of_sender(Attribute::Role, "rdp-server");
        facts.of_sender(Attribute::WeakProtocol, "rdp-standard-security");
    }
    Progress::Done
}

/// The client's core data within the request for a conference (2.2.1.3): name and build.
fn client(packet: &[u8], facts: &mut Facts<'_>) {
    let Some(at) = find(packet, CLIENT_KEY) else { return };
    let rest = packet.get(at + CLIENT_KEY.len()..).unwrap_or_default();
    // A length of one or two octets (X.691).
    let ([0x80..=0xFF, _, blocks @ ..] | [_, blocks @ ..]) = rest else { return };
    let mut blocks = blocks;
    for _ in 0..MOST_BLOCKS {
        let (Some(kind), Some(length)) = (le16(blocks, 0), le16(blocks, 2).map(usize::from)) else { return };
        let Some(block) = blocks.get(..length).filter(|_| length >= 4) else { return };
        if kind == CORE_DATA {
            let name = part(block, 24, NAME_OCTETS).and_then(utf16le).unwrap_or_default();
            let name = name.split('\0').next().unwrap_or_default();
            if !name.is_empty() {
                facts.of_sender(Attribute::HostName, name);
            }
            if let Some(build) = le32(block, 20).filter(|build| *build != 0) {
                facts.of_sender(Attribute::SoftwareVersion, &build.to_string());
            }
            return;
        }
        blocks = blocks.get(length..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::access::ntlm::tests::utf16;
    use crate::test_flow::TestFlow;
    use crate::web::tls::tests::{SELF_SIGNED, certificate, client_hello, server_hello};
    use proptest::prelude::*;

    fn tpkt(content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 4).expect("short");
        [&[3, 0][..], &length.to_be_bytes(), content].concat()
    }

    fn x224(code: u8, variable: &[u8]) -> Vec<u8> {
        let length = u8::try_from(6 + variable.len()).expect("short");
        tpkt(&[&[length, code, 0, 0, 0, 0, 0][..], variable].concat())
    }

    fn asks() -> Vec<u8> {
        x224(CONNECTION_REQUEST, b"Cookie: mstshash=jdoe\r\n\x01\0\x08\0\x03\0\0\0")
    }

    fn chooses(protection: u8) -> Vec<u8> {
        x224(CONNECTION_CONFIRM, &[2, 0, 8, 0, protection, 0, 0, 0])
    }

    /// MS-RDPBCGR, 2.2.1.3.2, behind what GCC and MCS put before it.
    fn core_data(name: &str) -> Vec<u8> {
        let mut name = utf16(name);
        name.resize(NAME_OCTETS, 0);
        let core =
            [&[4, 0, 8, 0][..], &[0; 4], &[1, 0xCA, 3, 0xAA], &[9, 4, 0, 0], &2600_u32.to_le_bytes(), &name]
                .concat();
        let core = [&[1, 0xC0, 4 + u8::try_from(core.len()).expect("short"), 0][..], &core].concat();
        tpkt(
            &[&[2, 0xF0, 0x80, 0x7F, 0x65, 0x82, 1, 0x90][..], b"Duca\x81\x40", &[4, 0xC0, 4, 0], &core]
                .concat(),
        )
    }

    /// A handshake in a record of TLS (RFC 5246, 6.2.1).
    fn record(handshake: &[u8]) -> Vec<u8> {
        let length = u16::try_from(handshake.len()).expect("short");
        [&[22, 3, 1][..], &length.to_be_bytes(), handshake].concat()
    }

    #[test]
    fn the_handshake_of_tls_is_read_and_nothing_behind_it() {
        for protection in [1, 2] {
            let flow = TestFlow::new(crate::TCP).ask(&asks()).answer(&chooses(protection));
            assert_eq!(flow.said(), ["sender 192.0.2.1 role rdp-client", "sender 192.0.2.2 role rdp-server"]);
            let mut flow = flow.ask(&record(&client_hello("ct-1.example")));
            let answer = [server_hello([3, 3], None), certificate(SELF_SIGNED), vec![14, 0, 0, 0]].concat();
            record(&answer).chunks(100).for_each(|bytes| flow.bytes(Direction::FromResponder, bytes));
            let flow = flow.ask(&[20, 3, 3, 0, 1, 1]).answer(&[20, 3, 3, 0, 1, 1]);
            assert_eq!(flow.values(Attribute::TlsServerName), ["ct-1.example"]);
            assert_eq!(flow.values(Attribute::TlsVersion), ["tls1.2"]);
            assert_eq!(flow.values(Attribute::CertificateSha256).len(), 1);
            let stated = &flow.statements.observations;
            assert!(stated.iter().skip(2).all(|told| told.protocol() == Protocol::Tls));
            assert_eq!(flow.conversation.protocol(), Protocol::Rdp);
            assert_eq!(flow.conversation.outcome(), Outcome::Learned);
        }
    }

    #[test]
    fn without_it_the_server_is_weak_and_the_client_tells_its_name_whatever_the_segments() {
        for size in [1, 9, 500] {
            let mut flow = TestFlow::new(crate::TCP);
            asks().chunks(size).for_each(|bytes| flow.bytes(Direction::FromInitiator, bytes));
            chooses(0).chunks(size).for_each(|bytes| flow.bytes(Direction::FromResponder, bytes));
            core_data("WARD-PC3").chunks(size).for_each(|bytes| flow.bytes(Direction::FromInitiator, bytes));
            assert_eq!(
                flow.said(),
                [
                    "sender 192.0.2.1 role rdp-client",
                    "sender 192.0.2.2 role rdp-server",
                    "sender 192.0.2.2 weak_protocol rdp-standard-security",
                    "sender 192.0.2.1 host_name ward-pc3",
                    "sender 192.0.2.1 software_version 2600",
                ]
            );
            assert_eq!(flow.conversation.outcome(), Outcome::Learned);
        }
    }

    #[test]
    fn a_flow_may_be_joined_at_the_conference() {
        let grants = [&[2, 0xF0, 0x80, 0x7F, 0x66, 0x82, 1, 0x45][..], b"\0\0McDn\x36", &[0; 8]].concat();
        let granted = TestFlow::new(crate::TCP).answer(&tpkt(&grants));
        let server = [
            "sender 192.0.2.2 role rdp-server".to_owned(),
            "sender 192.0.2.2 weak_protocol rdp-standard-security".to_owned(),
        ];
        assert_eq!(granted.said(), server);
        for size in [1, 100, 500] {
            // Who sends first may be taken for the one who began.
            let mut flow = TestFlow::new(crate::TCP);
            core_data("WARD-PC3").chunks(size).for_each(|bytes| flow.bytes(Direction::FromResponder, bytes));
            let client = ["role rdp-client", "host_name ward-pc3", "software_version 2600"];
            assert_eq!(flow.said(), client.map(|said| format!("sender 192.0.2.2 {said}")), "{size}");
            assert_eq!(flow.conversation.protocol(), Protocol::Rdp);
        }
        let of_others = tpkt(&[&[2, 0xF0, 0x80, 0x7F, 0x65, 0x82, 1, 0x90][..], &[0; 300]].concat());
        let flow = TestFlow::new(&[CANDIDATE]).ask(&of_others);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
    }

    #[test]
    fn a_server_that_does_not_negotiate_is_weak_and_one_that_refuses_is_not() {
        let old = TestFlow::new(crate::TCP).ask(&asks()).answer(&x224(CONNECTION_CONFIRM, &[]));
        assert_eq!(old.values(Attribute::WeakProtocol), ["rdp-standard-security"]);
        let refuses = x224(CONNECTION_CONFIRM, &[3, 0, 8, 0, 5, 0, 0, 0]);
        assert_eq!(TestFlow::new(crate::TCP).answer(&refuses).said(), ["sender 192.0.2.2 role rdp-server"]);
    }

    #[test]
    fn connections_of_plcs_are_not_taken() {
        let tsap = [0xC1, 2, 1, 0, 0xC2, 2, 1, 2, 0xC0, 1, 9];
        for bytes in
            [x224(CONNECTION_REQUEST, &tsap), x224(CONNECTION_CONFIRM, &tsap), x224(CONNECTION_REQUEST, &[])]
        {
            assert_eq!(
                TestFlow::new(&[CANDIDATE]).ask(&bytes).conversation.protocol(),
                Protocol::Unspecified
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_and_damaged_messages_are_read_without_a_panic(
            bytes in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), with in any::<u8>(),
        ) {
            let mut damaged = core_data("WARD-PC3");
            let place = at.index(damaged.len());
            damaged[place] = with;
            for last in [damaged, [b"\x03\0\x01\0Duca".to_vec(), bytes.clone()].concat(), bytes] {
                let flow = TestFlow::new(&[CANDIDATE]).ask(&asks()).answer(&chooses(0)).ask(&last);
                prop_assert!(flow.said().len() <= 6);
            }
        }
    }
}
