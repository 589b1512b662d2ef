//! OPC UA over its own TCP mapping, opc.tcp (OPC 10000-6, 5.2 and 7.1): servers and clients, what they are, and how far
//! they are protected.
//!
//! Stated are the application's name and URIs and the product's URI, of a server from its answers to GetEndpoints and
//! CreateSession, of a client from its CreateSession; what a server's BuildInfo says of its software; certificates;
//! security policies None and those that are deprecated, log-ins without a user, passwords in clear. Other nodes and their
//! values, session and user names are not looked at.
//!
//! The traps. Messages are readable only under policy None (or signed): under any other everything of interest has been
//! said once both sides have opened the channel. A long answer comes in chunks. Strings of length -1 are null.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::build_info::{Questions, Told};
use self::frame::{Chunk, Frame, Kind};
use super::once::Once;
use crate::web::tls::certificate::{self, Owner};
use crate::{Candidate, Direction, Dissector, Facts, Input, Progress};

mod binary;
mod build_info;
mod frame;
mod service;

/// On any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::OpcUa, probe: frame::probe, start: || Box::new(OpcUa::default()) };

/// Octets of the longest message that is put together from chunks.
const LONGEST_MESSAGE: usize = 128 * 1024;

const CLIENT: u32 = 0;
const SERVER: u32 = 1;

/// One connection.
#[derive(Debug, Default)]
struct OpcUa {
    stated: Once,
    sides: [Side; 2],
    /// A client logs in without a user; the server has not answered yet.
    anonymous: bool,
    questions: Questions,
}

#[derive(Debug, Default)]
struct Side {
    lost: bool,
    /// It opened the channel under a policy that encrypts or signs.
    is_protected: bool,
    /// Chunks of a message of which more are to come; nothing while it is too long or its beginning was missed.
    partial: Option<Vec<u8>>,
}

impl Dissector for OpcUa {
    fn protocol(&self) -> Protocol {
        Protocol::OpcUa
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let is_lost = self.side(input.direction).lost;
        match frame::read(input.bytes) {
            Frame::Partial => Progress::NeedMore,
            Frame::Long(length) => {
                self.side(input.direction).partial = None;
                Progress::Consumed(length)
            }
            Frame::Other if is_lost => Progress::Consumed(input.bytes.len()),
            Frame::Other => Progress::Broken("not an OPC UA message"),
            Frame::Whole(chunk, length) => {
                self.side(input.direction).lost = false;
                self.chunk(&chunk, input.direction, facts);
                if self.sides.iter().all(|side| side.is_protected) {
                    return Progress::Done;
                }
                Progress::Consumed(length)
            }
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        let side = self.side(direction);
        side.lost = true;
        side.partial = None;
        true
    }
}

impl OpcUa {
    fn side(&mut self, direction: Direction) -> &mut Side {
        let [initiator, responder] = &mut self.sides;
        match direction {
            Direction::FromInitiator => initiator,
            Direction::FromResponder => responder,
        }
    }

    fn chunk(&mut self, chunk: &Chunk<'_>, direction: Direction, facts: &mut Facts<'_>) {
        match chunk.kind {
            Kind::Hello => self.role(CLIENT, "opcua-client", facts),
            // A server behind a firewall opens the connection itself, with a reverse hello.
            Kind::Acknowledge | Kind::ReverseHello => self.role(SERVER, "opcua-server", facts),
            Kind::OpenChannel => self.open(chunk.body, direction, facts),
            Kind::Message => {
                // Behind channel, token, sequence and request.
                let body = chunk.body.get(16..).unwrap_or_default();
                if let Some(message) = self.side(direction).take(chunk.end, body) {
                    self.service(&message, facts);
                }
            }
            Kind::Error | Kind::CloseChannel => {}
        }
    }

    /// OPN: channel, policy, the sender's certificate, the receiver's thumbprint.
    fn open(&mut self, body: &[u8], direction: Direction, facts: &mut Facts<'_>) {
        let mut reader = binary::Reader(body.get(4..).unwrap_or_default());
        let Some(policy) = reader.string() else { return };
        let certificate = reader.bytes();
        let is_none = service::is_none(policy);
        let is_server = is_server(direction, reader.0, is_none);
        self.role(
            if is_server { SERVER } else { CLIENT },
            if is_server { "opcua-server" } else { "opcua-client" },
            facts,
        );
        if is_server && let Some(weak) = service::weak_policy(policy) {
            facts.of_sender(Attribute::WeakProtocol, weak);
        }
        if let Some(certificate) = certificate {
            certificate::state(certificate, if is_server { Owner::Server } else { Owner::Client }, facts);
        }
        self.side(direction).is_protected = !is_none;
    }

    fn service(&mut self, message: &[u8], facts: &mut Facts<'_>) {
        match self.questions.message(message) {
            Some(Told::Question) => return self.role(CLIENT, "opcua-client", facts),
            Some(Told::Answer(said)) => {
                self.role(SERVER, "opcua-server", facts);
                for (attribute, value) in said {
                    facts.of_sender(attribute, &value);
                }
                return;
            }
            None => {}
        }
        let Some(read) = service::read(message) else { return };
        self.role(
            if read.is_request { CLIENT } else { SERVER },
            if read.is_request { "opcua-client" } else { "opcua-server" },
            facts,
        );
        for (attribute, value) in read.said {
            facts.of_sender(attribute, &value);
        }
        if let Some(der) = read.certificate {
            certificate::state(der, if read.is_request { Owner::Client } else { Owner::Server }, facts);
        }
        match read.login {
            Some(service::Login::Anonymous) => self.anonymous = true,
            Some(service::Login::Password { in_clear: true }) => {
                facts.of_receiver(Attribute::CleartextCredential, "opcua-password");
            }
            Some(service::Login::Granted) if std::mem::take(&mut self.anonymous) => {
                facts.of_sender(Attribute::WeakProtocol, "opcua-anonymous");
            }
            _ => {}
        }
    }

    fn role(&mut self, number: u32, role: &str, facts: &mut Facts<'_>) {
        if self.stated.first(number) {
            facts.of_sender(Attribute::Role, role);
        }
    }
}

/// Under policy None the message says whether it is a request; under another whoever began is the client.
fn is_server(direction: Direction, behind_policy: &[u8], is_none: bool) -> bool {
    let mut reader = binary::Reader(behind_policy);
    // The receiver's thumbprint, sequence and request.
    let kind = reader.bytes_or_null().and_then(|()| reader.skip(8)).and_then(|()| reader.node_number());
    match kind {
        Some(service::OPEN_REQUEST) if is_none => false,
        Some(service::OPEN_RESPONSE) if is_none => true,
        _ => direction == Direction::FromResponder,
    }
}

impl Side {
    /// Takes up a chunk; gives the message once it is whole.
    fn take(&mut self, end: frame::End, body: &[u8]) -> Option<Vec<u8>> {
        // One chunk is nearly always the whole: only then nothing was begun.
        let mut message = self.partial.take().unwrap_or_default();
        if message.len() + body.len() > LONGEST_MESSAGE {
            return None;
        }
        message.extend_from_slice(body);
        match end {
            frame::End::Final => Some(message),
            frame::End::Abort => None,
            frame::End::Intermediate => {
                self.partial = Some(message);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
