//! VNC (RFC 6143: the Remote Framebuffer protocol) on TCP, on any port.
//!
//! Stated are that a server lets everybody in without authentication, that a log-in was refused, which software shows by a
//! version of its own, and the server's name where it is a host name. Names that are sentences (`J. Doe's desktop`) are
//! not. What is seen and typed is behind that, and the flow is let go of.
//!
//! A session that is joined late is known by what a client says of the picture that it wants (see [`late`]): both roles are
//! stated then, and nothing else.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::{be32, part};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

mod late;

/// VNC on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Vnc, probe, start: || Box::new(Vnc::default()) };

/// `RFB 003.008` and a line feed (7.1.1).
const VERSION_OCTETS: usize = 12;

/// Security types (7.1.2): none, and the challenge that is answered by a password.
const NONE: u8 = 1;
const VNC_AUTHENTICATION: u8 = 2;

/// A server's name that is read.
const LONGEST_NAME: usize = 255;

#[derive(Default)]
struct Vnc {
    server: Server,
    /// By the client's version: that of the session.
    minor: Option<u16>,
    client_has_chosen: bool,
    /// The security type that the client chose, or that a server of version 3.3 decided on.
    chosen: Option<u8>,
}

/// What comes next from the server.
#[derive(Clone, Copy, Debug, Default)]
enum Server {
    #[default]
    Version,
    Security,
    /// After the client's choice: a challenge, a result, or its parameters.
    Chosen,
    Result,
    Parameters,
}

/// Major and minor version at the beginning.
fn version(bytes: &[u8]) -> Option<(u16, u16)> {
    let text = str::from_utf8(bytes.get(..VERSION_OCTETS)?).ok()?;
    let (major, minor) = text.strip_prefix("RFB ")?.strip_suffix('\n')?.split_once('.')?;
    let number =
        |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok());
    Some((number(major)??, number(minor)??))
}

fn probe(input: &Input<'_>) -> Probe {
    match (begins(input.bytes), version(input.bytes)) {
        (true, Some(_)) => Probe::Certain,
        (true, None) if input.bytes.len() < VERSION_OCTETS => Probe::Unsure,
        (true, None) => Probe::NotForUs,
        (false, _) => late::probe(input.bytes),
    }
}

/// Whether these octets are, as far as they go, a session's first.
fn begins(bytes: &[u8]) -> bool {
    const MARK: &[u8] = b"RFB 00";
    let seen = bytes.len().min(MARK.len());
    bytes.get(..seen) == MARK.get(..seen)
}

impl Dissector for Vnc {
    fn protocol(&self) -> Protocol {
        Protocol::Vnc
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let is_beginning = self.minor.is_none() && matches!(self.server, Server::Version);
        if is_beginning && !begins(input.bytes) {
            return joined(input.bytes, facts);
        }
        match input.direction {
            Direction::FromInitiator => self.client(input.bytes, facts),
            Direction::FromResponder => self.server(input.bytes, facts),
        }
    }
}

impl Vnc {
    fn client(&mut self, bytes: &[u8], facts: &mut Facts<'_>) -> Progress {
        if self.minor.is_none() {
            if bytes.len() < VERSION_OCTETS {
                return Progress::NeedMore;
            }
            let Some((_, minor)) = version(bytes) else { return Progress::Broken("no version") };
            facts.of_sender(Attribute::Role, "vnc-client");
            self.minor = Some(minor);
            return Progress::Consumed(VERSION_OCTETS);
        }
        // From version 3.7 on the client chooses; all else that it sends is not looked at.
        if self.is_listed() && !std::mem::replace(&mut self.client_has_chosen, true) {
            self.chosen = bytes.first().copied();
            return Progress::Consumed(1);
        }
        Progress::Consumed(bytes.len())
    }

    /// Whether the server lists security types instead of deciding on one (7.1.2 and appendix A).
    fn is_listed(&self) -> bool {
        self.minor.is_some_and(|minor| minor >= 7)
    }

    fn server(&mut self, bytes: &[u8], facts: &mut Facts<'_>) -> Progress {
        match self.server {
            Server::Version => {
                if bytes.len() < VERSION_OCTETS {
                    return Progress::NeedMore;
                }
                let Some(version) = version(bytes) else { return Progress::Broken("no version") };
                facts.of_sender(Attribute::Role, "vnc-server");
                if let Some(software) = software(version) {
                    facts.of_sender(Attribute::SoftwareName, software);
                }
                self.server = Server::Security;
                Progress::Consumed(VERSION_OCTETS)
            }
            // Without the client's version it is not known what follows.
            Server::Security if self.minor.is_none() => Progress::Done,
            Server::Security if self.is_listed() => self.list(bytes, facts),
            Server::Security => self.decision(bytes, facts),
            Server::Chosen => self.chosen(bytes, facts),
            Server::Result => self.result(bytes, facts),
            Server::Parameters => parameters(bytes, facts),
        }
    }

    fn list(&mut self, bytes: &[u8], facts: &mut Facts<'_>) -> Progress {
        let Some(count) = bytes.first().map(|count| usize::from(*count)) else { return Progress::NeedMore };
        let Some(types) = part(bytes, 1, count) else { return Progress::NeedMore };
        if types.contains(&NONE) {
            facts.of_sender(Attribute::WeakProtocol, "vnc-no-authentication");
        }
        self.server = Server::Chosen;
        // None at all: a text says why.
        if count == 0 { Progress::Done } else { Progress::Consumed(1 + count) }
    }

    fn decision(&mut self, bytes: &[u8], facts: &mut Facts<'_>) -> Progress {
        let Some(decided) = be32(bytes, 0) else { return Progress::NeedMore };
        self.chosen = u8::try_from(decided).ok();
        self.server = Server::Chosen;
        match self.chosen {
            Some(NONE) => facts.of_sender(Attribute::WeakProtocol, "vnc-no-authentication"),
            Some(VNC_AUTHENTICATION) => {}
            _ => return Progress::Done,
        }
        Progress::Consumed(4)
    }

    fn chosen(&mut self, bytes: &[u8], facts: &mut Facts<'_>) -> Progress {
        match self.chosen {
            // Only from version 3.8 on there is a result where there was no authentication (7.1.3).
            Some(NONE) if self.minor.is_some_and(|minor| minor >= 8) => {
                self.server = Server::Result;
                self.result(bytes, facts)
            }
            Some(NONE) => {
                self.server = Server::Parameters;
                parameters(bytes, facts)
            }
            Some(VNC_AUTHENTICATION) if bytes.len() < 16 => Progress::NeedMore,
            Some(VNC_AUTHENTICATION) => {
                self.server = Server::Result;
                Progress::Consumed(16)
            }
            _ => Progress::Done,
        }
    }

    fn result(&mut self, bytes: &[u8], facts: &mut Facts<'_>) -> Progress {
        let Some(result) = be32(bytes, 0) else { return Progress::NeedMore };
        match result {
            0 => {
                self.server = Server::Parameters;
                return Progress::Consumed(4);
            }
            // Failed, and failed too often.
            1 | 2 => facts.of_receiver(Attribute::FailedLogin, "vnc"),
            _ => {}
        }
        Progress::Done
    }
}

/// In a session without its beginning the client is who wants a picture; what the server says is skipped until then.
fn joined(bytes: &[u8], facts: &mut Facts<'_>) -> Progress {
    if late::probe(bytes) != Probe::Certain {
        return Progress::Consumed(bytes.len());
    }
    facts.of_sender(Attribute::Role, "vnc-client");
    facts.of_receiver(Attribute::Role, "vnc-server");
    Progress::Done
}

/// Versions that are nobody else's.
fn software(version: (u16, u16)) -> Option<&'static str> {
    match version {
        (3, 889) => Some("Apple Remote Desktop"),
        (4 | 5, _) => Some("RealVNC"),
        _ => None,
    }
}

/// ServerInit (7.3.2): the picture's size and format, and the name.
fn parameters(bytes: &[u8], facts: &mut Facts<'_>) -> Progress {
    let Some(length) = be32(bytes, 20).and_then(|length| usize::try_from(length).ok()) else {
        return Progress::NeedMore;
    };
    if length <= LONGEST_NAME {
        let Some(name) = part(bytes, 24, length) else { return Progress::NeedMore };
        // X11's servers add the number of the screen.
        let name = str::from_utf8(name).unwrap_or_default();
        let host = name
            .split_once(':')
            .filter(|(_, screen)| screen.parse::<u8>().is_ok())
            .map_or(name, |(host, _)| host);
        if !host.is_empty() {
            facts.of_sender(Attribute::HostName, host);
        }
    }
    Progress::Done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    fn begun(version: &str) -> TestFlow {
        let line = format!("RFB {version}\n");
        TestFlow::new(crate::TCP).answer(line.as_bytes()).ask(line.as_bytes())
    }

    fn named(name: &str) -> Vec<u8> {
        let length = u32::try_from(name.len()).expect("short");
        [&[4, 0, 3, 0][..], &[0; 16], &length.to_be_bytes(), name.as_bytes()].concat()
    }

    #[test]
    fn a_server_without_authentication_is_a_finding_and_tells_its_name() {
        let flow =
            begun("003.008").answer(&[1, 1]).ask(&[1]).answer(&[0; 4]).ask(&[1]).answer(&named("us-cart2:1"));
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.2 role vnc-server",
                "sender 192.0.2.1 role vnc-client",
                "sender 192.0.2.2 weak_protocol vnc-no-authentication",
                "sender 192.0.2.2 host_name us-cart2",
            ]
        );
        assert_eq!(flow.conversation.protocol(), Protocol::Vnc);
        assert_eq!(flow.conversation.outcome(), Outcome::Learned);
    }

    #[test]
    fn a_refused_password_is_told_of_the_client() {
        let flow = begun("003.008")
            .answer(&[2, 2, 16])
            .ask(&[2])
            .answer(&[7; 16])
            .ask(&[8; 16])
            .answer(&[0, 0, 0, 1]);
        assert_eq!(flow.values(Attribute::FailedLogin), ["vnc"]);
        assert_eq!(flow.values(Attribute::WeakProtocol), [""; 0]);
    }

    #[test]
    fn in_version_3_3_the_server_decides() {
        let flow = begun("003.003").answer(&[0, 0, 0, 1]).ask(&[1]).answer(&named("J. Doe's desktop"));
        assert_eq!(flow.values(Attribute::WeakProtocol), ["vnc-no-authentication"]);
        assert_eq!(flow.values(Attribute::HostName), [""; 0]);
        let flow =
            begun("003.003").answer(&[0, 0, 0, 2]).answer(&[7; 16]).ask(&[8; 16]).answer(&[0, 0, 0, 1]);
        assert_eq!(flow.values(Attribute::FailedLogin), ["vnc"]);
    }

    #[test]
    fn software_is_told_by_versions_of_its_own() {
        assert_eq!(begun("003.889").values(Attribute::SoftwareName), ["Apple Remote Desktop"]);
        assert_eq!(begun("005.000").values(Attribute::SoftwareName), ["RealVNC"]);
        assert_eq!(begun("003.008").values(Attribute::SoftwareName), [""; 0]);
    }

    #[test]
    fn segments_make_no_difference() {
        let turns: [(bool, &[u8]); 6] = [
            (true, b"RFB 003.008\n"),
            (false, b"RFB 003.008\n"),
            (true, &[2, 1, 2]),
            (false, &[1]),
            (true, &[0; 4]),
            (true, &named("ct2")),
        ];
        let mut flow = TestFlow::new(crate::TCP);
        for (is_server, bytes) in turns {
            let direction = if is_server { Direction::FromResponder } else { Direction::FromInitiator };
            bytes.chunks(1).for_each(|byte| flow.bytes(direction, byte));
        }
        assert_eq!(flow.values(Attribute::HostName), ["ct2"]);
    }

    #[test]
    fn joined_behind_the_versions_it_is_known_by_the_picture_that_is_wanted() {
        // The rest of the opening: security types, the result, the parameters; the choice, and that others may look, too.
        let server = [&[1, 1, 0, 0, 0, 0][..], &named("ct2")].concat();
        let client = [&[1, 1][..], &late::tests::PIXEL_FORMAT].concat();
        for size in [1, 1000] {
            let mut flow = TestFlow::new(crate::TCP);
            for (direction, bytes) in
                [(Direction::FromResponder, &server), (Direction::FromInitiator, &client)]
            {
                bytes.chunks(size).for_each(|bytes| flow.bytes(direction, bytes));
            }
            let said = ["sender 192.0.2.1 role vnc-client", "peer 192.0.2.2 role vnc-server"];
            assert_eq!(flow.said(), said, "{size}");
            assert_eq!(flow.conversation.protocol(), Protocol::Vnc);
            assert_eq!(flow.conversation.outcome(), Outcome::Learned);
        }
    }

    #[test]
    fn what_only_resembles_it_is_not_taken() {
        for bytes in [&b"RFB 003.008 "[..], b"RFB 00x.008\n", b"RFC 003.008\n", b"RFB 0+3.008\n"] {
            assert_eq!(
                TestFlow::new(crate::TCP).answer(bytes).conversation.protocol(),
                Protocol::Unspecified
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(version in 3_u16..9, server in any::<Vec<u8>>(), client in any::<Vec<u8>>()) {
            let line = format!("003.00{version}");
            let flow = begun(&line).answer(&server).ask(&client).answer(&server);
            prop_assert!(flow.said().len() <= 5);
            prop_assert!(TestFlow::new(&[CANDIDATE]).ask(&client).answer(&server).said().len() <= 2);
        }
    }
}
