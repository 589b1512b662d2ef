//! A capture as it would be elsewhere: the same packets on ports that mean nothing, or without the beginning of each
//! conversation. Checksums are left as they were; the sensor drops nothing for them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use wardwatch_flow::packet::{self, Packet, Transport, protocol, tcp_flags};
use wardwatch_sensor::worker::link_of;

use super::conversation::Conversation;
use super::stated::Framed;

/// Ports on which nothing is known to listen, in the order in which they are given out: those that systems give to clients
/// today, then ranges in which neither IANA's list of services that hospitals run nor the sensor has a port.
const MEANINGLESS: [std::ops::RangeInclusive<u16>; 3] = [50_000..=65_535, 28_000..=34_900, 36_000..=44_000];

/// As [`Conversation`] has it.
const TCP: &str = "tcp";

/// The same packets, each port of TCP and UDP changed into one on which nothing is known to listen: everywhere into the
/// same one, so that conversations stay what they are. Those of a tunnel stay, those inside it do not.
pub fn on_other_ports(frames: &[Framed]) -> Vec<Framed> {
    let ends: Vec<_> = frames.iter().map(place_of_ports).collect();
    let used = frames.iter().zip(&ends).filter_map(|(framed, place)| ports(&framed.bytes, (*place)?));
    let used: BTreeSet<u16> = used.flatten().collect();
    let free = MEANINGLESS.into_iter().flatten().filter(|port| !used.contains(port));
    let other: BTreeMap<u16, u16> = used.iter().copied().zip(free).collect();
    let mut frames = frames.to_vec();
    for (framed, place) in frames.iter_mut().zip(ends) {
        let Some(place) = place else { continue };
        for at in [place, place + 2] {
            if let Some(port) = framed.bytes.get_mut(at..at + 2)
                && let Some(other) = other.get(&u16::from_be_bytes([port[0], port[1]]))
            {
                port.copy_from_slice(&other.to_be_bytes());
            }
        }
    }
    frames
}

/// What is missing of the beginning of each conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Everything before the first data of a TCP connection.
    Handshake,
    /// On TCP everything up to the first data of either side, and that as well; on UDP the first datagram of all.
    FirstExchange,
}

/// The same packets without the beginning of each conversation, as if the capture had begun later.
pub fn joined_late(frames: &[Framed], missing: Missing) -> Vec<Framed> {
    let mut connections = Connections::default();
    let parts: Vec<_> =
        frames.iter().map(|framed| innermost(framed).and_then(|packet| connections.part(&packet))).collect();
    let mut begins = BTreeMap::<&Connection, [Option<usize>; 2]>::new();
    for (index, part) in parts.iter().enumerate() {
        if let Some(Part { connection, side, has_data: true }) = part {
            begins.entry(connection).or_default()[*side].get_or_insert(index);
        }
    }
    let is_kept = |(index, part): (usize, &Option<Part>)| {
        let Some(Part { connection, .. }) = part else { return true };
        let Some(first) = begins.get(connection) else { return connection.conversation.transport != TCP };
        let (first, last) = (first.iter().flatten().min(), first.iter().flatten().max());
        match (connection.conversation.transport, missing) {
            (TCP, Missing::Handshake) => first.is_none_or(|first| index >= *first),
            (TCP, Missing::FirstExchange) => last.is_none_or(|last| index > *last),
            (_, Missing::Handshake) => true,
            (_, Missing::FirstExchange) => first.is_none_or(|first| index > *first),
        }
    };
    let kept: Vec<bool> = parts.iter().enumerate().map(is_kept).collect();
    frames.iter().zip(kept).filter(|(_, kept)| *kept).map(|(framed, _)| framed.clone()).collect()
}

/// A TCP connection, or what two ends of UDP say to each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Connection {
    conversation: Conversation,
    /// How many had the same ends before it.
    number: u32,
}

/// A packet's part in it.
#[derive(Debug)]
struct Part {
    connection: Connection,
    /// The sender's place in the conversation.
    side: usize,
    has_data: bool,
}

/// Which connections there were between the same ends.
#[derive(Debug, Default)]
struct Connections(BTreeMap<Conversation, (u32, bool)>);

impl Connections {
    fn part(&mut self, packet: &Packet<'_>) -> Option<Part> {
        let ip = packet.ip()?;
        let (transport, flags) = match packet.transport {
            Transport::Tcp(tcp) => (TCP, tcp.flags),
            Transport::Udp { .. } => ("udp", 0),
            _ => return None,
        };
        let ports = packet.ports()?;
        let sender = SocketAddr::new(ip.source, ports.0);
        let receiver = SocketAddr::new(ip.destination, ports.1);
        let (conversation, is_first) = Conversation::between(transport, sender, receiver);
        let side = usize::from(!is_first);
        let has_data = packet.payload_length > 0;
        let (number, is_open) = self.0.entry(conversation.clone()).or_default();
        // A handshake after data is another connection's.
        if flags & (tcp_flags::SYN | tcp_flags::ACK) == tcp_flags::SYN && *is_open {
            (*number, *is_open) = (*number + 1, false);
        }
        *is_open |= has_data;
        let connection = Connection { conversation, number: *number };
        Some(Part { connection, side, has_data })
    }
}

/// The packet that is carried, through all tunnels.
fn innermost(framed: &Framed) -> Option<Packet<'_>> {
    let mut packet = packet::parse(link_of(framed.link)?, None, &framed.bytes, framed.wire_length).ok()?;
    while let Some(Ok(inside)) = packet::inside(&packet) {
        packet = inside;
    }
    Some(packet)
}

/// Where in the frame the source port stands, and behind it the other.
fn place_of_ports(framed: &Framed) -> Option<usize> {
    let packet = innermost(framed)?;
    let place = |part: &[u8]| (part.as_ptr() as usize).checked_sub(framed.bytes.as_ptr() as usize);
    match &packet.transport {
        Transport::Tcp(tcp) => place(tcp.options)?.checked_sub(20),
        Transport::Udp { .. } => place(packet.payload)?.checked_sub(8),
        Transport::Fragment => {
            let (ip, fragment) = packet.fragment()?;
            let is_first = fragment.offset == 0 && [protocol::TCP, protocol::UDP].contains(&ip.protocol);
            if is_first { place(packet.payload) } else { None }
        }
        _ => None,
    }
}

fn ports(bytes: &[u8], at: usize) -> Option<[u16; 2]> {
    let [a, b, c, d] = *bytes.get(at..)?.first_chunk::<4>()?;
    Some([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])])
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;
    use wardwatch_capture::LinkType;

    use super::*;

    const CLIENT: [u8; 4] = [10, 0, 0, 1];
    const SERVER: [u8; 4] = [10, 0, 0, 2];

    fn framed(bytes: Vec<u8>) -> Framed {
        Framed { at: 1, wire_length: bytes.len() as u32, link: LinkType::Ethernet, bytes }
    }

    fn between(
        source: [u8; 4],
        destination: [u8; 4],
    ) -> etherparse::PacketBuilderStep<etherparse::IpHeaders> {
        PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(source, destination, 64)
    }

    fn udp(from: ([u8; 4], u16), to: ([u8; 4], u16), payload: &[u8]) -> Framed {
        let mut bytes = Vec::new();
        let built = between(from.0, to.0).udp(from.1, to.1).write(&mut bytes, payload);
        built.expect("a vector takes everything");
        framed(bytes)
    }

    /// From the client or to it, on the same two ports.
    fn tcp(from_client: bool, flags: u8, payload: &[u8]) -> Framed {
        let (ends, ports) =
            if from_client { ([CLIENT, SERVER], [49_200, 104]) } else { ([SERVER, CLIENT], [104, 49_200]) };
        let mut built = between(ends[0], ends[1]).tcp(ports[0], ports[1], 1, 1024);
        if flags & tcp_flags::SYN != 0 {
            built = built.syn();
        }
        if flags & tcp_flags::ACK != 0 {
            built = built.ack(1);
        }
        let mut bytes = Vec::new();
        built.write(&mut bytes, payload).expect("a vector takes everything");
        framed(bytes)
    }

    fn connection() -> Vec<Framed> {
        let (syn, ack) = (tcp_flags::SYN, tcp_flags::ACK);
        vec![
            tcp(true, syn, b""),
            tcp(false, syn | ack, b""),
            tcp(true, ack, b""),
            tcp(true, ack, b"question"),
            tcp(false, ack, b"answer"),
            tcp(true, ack, b"more"),
        ]
    }

    fn ends(framed: &Framed) -> [u16; 2] {
        ports(&framed.bytes, place_of_ports(framed).expect("a place")).expect("two ports")
    }

    #[test]
    fn both_directions_get_the_same_other_ports_and_all_else_stays() {
        let before = connection();
        let after = on_other_ports(&before);
        let [client, server] = ends(&after[0]);
        assert!([client, server].iter().all(|port| !matches!(port, 104 | 49_200)));
        assert_eq!(ends(&after[1]), [server, client]);
        for (before, after) in before.iter().zip(&after) {
            let place = place_of_ports(before).expect("a place");
            assert_eq!(before.bytes[..place], after.bytes[..place]);
            assert_eq!(before.bytes[place + 4..], after.bytes[place + 4..]);
        }
    }

    #[test]
    fn in_a_tunnel_it_is_the_inner_ports_that_change() {
        let inner = udp((CLIENT, 40_001), (SERVER, 47_808), b"\x81\x0b\x00\x04");
        // VXLAN, RFC 7348, 5: the flag that the VNI is valid, and the VNI.
        let payload = [&[8, 0, 0, 0, 0, 0, 7, 0], inner.bytes.as_slice()].concat();
        let outer = udp(([192, 0, 2, 1], 55_555), ([192, 0, 2, 2], 4789), &payload);
        let after = on_other_ports(std::slice::from_ref(&outer));
        assert_eq!(ports(&after[0].bytes, 34), Some([55_555, 4789]));
        assert_ne!(ends(&after[0]), [40_001, 47_808]);
    }

    #[test]
    fn a_connection_that_is_joined_late_lacks_its_handshake_or_its_first_exchange() {
        let whole = connection();
        assert_eq!(joined_late(&whole, Missing::Handshake), whole[3..]);
        assert_eq!(joined_late(&whole, Missing::FirstExchange), whole[5..]);
        // The same ports once more: another connection, with a beginning of its own.
        let twice = [whole.clone(), whole.clone()].concat();
        assert_eq!(joined_late(&twice, Missing::FirstExchange), [whole[5].clone(), whole[5].clone()]);
    }

    #[test]
    fn of_datagrams_the_first_is_missing() {
        let question = udp((CLIENT, 40_001), (SERVER, 161), b"question");
        let answer = udp((SERVER, 161), (CLIENT, 40_001), b"answer");
        let both = [question.clone(), answer.clone()];
        assert_eq!(joined_late(&both, Missing::Handshake), both);
        assert_eq!(joined_late(&both, Missing::FirstExchange), [answer]);
    }
}
