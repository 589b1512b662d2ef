//! QUIC (RFC 8999, 9000, 9001; version 2 RFC 9369; drafts 29 to 32), on any port.
//!
//! Only Initial packets are read, whose keys everybody can make who saw the client's first one: in them stand the hellos
//! of TLS 1.3. What the client offers (as a JA4 fingerprint), whom it asks for and that the server answered is stated,
//! by the same code that reads TLS on TCP; then there is nothing more in clear.
//!
//! Traps: a hello is spread over several packets and shuffled; packets are coalesced in one datagram; after a Retry the
//! keys are made of another identifier (RFC 9001, 5.2); the server may answer in another version than it was asked in
//! (RFC 9369, 4.1), with keys of the same identifier.

mod crypto;
mod keys;
mod packet;

use wardwatch_proto::v1::Protocol;

use super::tls::hello::{self, Transport};
use super::tls::{CLIENT_HELLO, SERVER_HELLO};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};
use crypto::Stream;
use keys::{Keys, Secrets};
use packet::{Kind, Packet, Version};

/// QUIC on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Quic, probe, start: || Box::new(Quic::default()) };

/// Datagrams in which the hellos must have passed.
const MOST_DATAGRAMS: u32 = 32;

#[derive(Default)]
struct Quic {
    connection: Option<Connection>,
    datagrams: u32,
}

/// A connection whose client's first packet was seen.
struct Connection {
    /// The identifier that the keys are made of.
    identifier: Vec<u8>,
    version: Version,
    secrets: Secrets,
    /// The direction of the client's datagrams.
    client: Direction,
    hellos: [Hello; 2],
}

#[derive(Default)]
struct Hello {
    stream: Stream,
    is_stated: bool,
}

/// A client's first packet proves itself: it opens with the keys of its own identifier. Others are taken for QUIC when
/// their packets fill the datagram to its end, which a flow that is joined in its handshake needs.
fn probe(input: &Input<'_>) -> Probe {
    let (packets, rest) = packet::all(input.bytes);
    let Some(first) = packets.first() else {
        return if packet::is_negotiation(input.bytes) { Probe::Unsure } else { Probe::NotForUs };
    };
    let is_open = |packet: &Packet<'_>| packet.kind == Kind::Initial && opened(packet).is_some();
    if packets.iter().any(is_open) {
        return Probe::Certain;
    }
    let is_whole = packets.iter().all(|packet| {
        packet.kind != Kind::Retry
            && packet.version == first.version
            && packet.destination == first.destination
    });
    // A packet with a short header may end a datagram; it begins with the same identifier.
    let is_end = match rest {
        [] => true,
        [form, behind @ ..] => form & 0xC0 == 0x40 && behind.starts_with(first.destination),
    };
    if is_whole && is_end { Probe::Certain } else { Probe::NotForUs }
}

/// The keys that a client's first packet is protected with, and the frames in it.
fn opened(packet: &Packet<'_>) -> Option<(Secrets, Vec<u8>)> {
    let secrets = Secrets::of(packet.version, packet.destination)?;
    let frames = secrets.client.open(packet)?;
    Some((secrets, frames))
}

impl Dissector for Quic {
    fn protocol(&self) -> Protocol {
        Protocol::Quic
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        self.datagrams += 1;
        for packet in packet::all(input.bytes).0 {
            if packet.kind == Kind::Initial {
                self.initial(input.direction, &packet, facts);
            }
        }
        let is_over = self
            .connection
            .as_ref()
            .is_some_and(|connection| connection.hellos.iter().all(|hello| hello.is_stated));
        if is_over || self.datagrams >= MOST_DATAGRAMS {
            return Progress::Done;
        }
        Progress::Consumed(input.bytes.len())
    }
}

impl Quic {
    fn initial(&mut self, direction: Direction, packet: &Packet<'_>, facts: &mut Facts<'_>) {
        let known = self.connection.as_mut().and_then(|connection| connection.open(direction, packet));
        let frames = match known {
            Some(frames) => frames,
            // The client's first packet, or its first one after a Retry.
            None => match opened(packet) {
                Some((secrets, frames)) => {
                    self.begin(direction, packet, secrets);
                    frames
                }
                None => return,
            },
        };
        if let Some(connection) = &mut self.connection {
            connection.take(direction, &frames, facts);
        }
    }

    fn begin(&mut self, client: Direction, packet: &Packet<'_>, secrets: Secrets) {
        let before = self.connection.take();
        // What was stated of the same side is not stated again.
        let hellos = before.map(|before| before.hellos.map(Hello::anew)).unwrap_or_default();
        let identifier = packet.destination.to_vec();
        self.connection = Some(Connection { identifier, version: packet.version, secrets, client, hellos });
    }
}

impl Connection {
    fn open(&mut self, direction: Direction, packet: &Packet<'_>) -> Option<Vec<u8>> {
        if packet.version != self.version {
            // A server chose another version: its keys are made of the same identifier.
            self.secrets = Secrets::of(packet.version, &self.identifier)?;
            self.version = packet.version;
        }
        self.keys(direction).open(packet)
    }

    fn keys(&self, direction: Direction) -> &Keys {
        if direction == self.client { &self.secrets.client } else { &self.secrets.server }
    }

    fn take(&mut self, direction: Direction, frames: &[u8], facts: &mut Facts<'_>) {
        let is_client = direction == self.client;
        let [of_client, of_server] = &mut self.hellos;
        let hello = if is_client { of_client } else { of_server };
        if hello.is_stated {
            return;
        }
        hello.stream.take(frames);
        match hello.stream.message() {
            Some((CLIENT_HELLO, body)) if is_client => hello::state_client(Transport::Quic, body, facts),
            Some((SERVER_HELLO, body)) if !is_client => {
                hello::state_server(Transport::Quic, body, facts);
            }
            _ => return,
        }
        *hello = Hello { stream: Stream::default(), is_stated: true };
    }
}

impl Hello {
    fn anew(self) -> Self {
        Self { stream: Stream::default(), is_stated: self.is_stated }
    }
}

#[cfg(test)]
mod tests;
