//! Frames that the kernel makes: datagrams from one end of the cable, looked for at the other.

use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};

use wardwatch_capture::{CaptureError, Frame, LinkType, Source, Step, VlanTag};

use crate::calls::send_frame;
use crate::namespace::{Cable, SENDER_INTERFACE, SENDER_MAC, SENSOR_IP, SENSOR_MAC};

/// Where our datagrams go; whatever else the kernel sends by itself is left out of account.
pub(crate) const PORT: u16 = 4242;
/// Steps without a frame, of 100 ms each, after which nothing more is expected.
const PATIENCE: usize = 5;

/// A frame with one of our datagrams in it.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) at: u64,
    pub(crate) wire_length: u32,
    pub(crate) link: LinkType,
    pub(crate) vlan: Option<VlanTag>,
    pub(crate) bytes: Vec<u8>,
    /// Where the datagram's payload begins in the bytes.
    payload: usize,
}

impl Datagram {
    /// If the frame holds one: behind 14 bytes of Ethernet (18 with a tag) and 20 of IPv4 come 8 of UDP.
    pub(crate) fn of(frame: Frame<'_>) -> Option<Self> {
        let Frame { at, wire_length, link, vlan, bytes } = frame;
        let payload =
            [42, 46].into_iter().find(|end| bytes.get(end - 6..end - 4) == Some(&PORT.to_be_bytes()))?;
        Some(Self { at, wire_length, link, vlan, bytes: bytes.to_vec(), payload })
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.bytes[self.payload..]
    }
}

/// Sends our datagrams from the other end of the cable.
pub(crate) struct Sender {
    pub(crate) socket: UdpSocket,
    to: &'static str,
}

impl Sender {
    pub(crate) fn new(cable: &Cable, to: &'static str) -> Self {
        Self { socket: cable.at_sender(|| UdpSocket::bind("0.0.0.0:0").unwrap()), to }
    }

    pub(crate) fn send(&self, payload: &[u8]) {
        self.socket.send_to(payload, (self.to, PORT)).unwrap();
    }
}

/// Our datagrams, until as many have come or nothing more comes, and the error that capturing stopped with.
pub(crate) fn receive(source: &mut dyn Source, wanted: usize) -> (Vec<Datagram>, Option<CaptureError>) {
    let (mut datagrams, mut idle) = (Vec::new(), 0);
    while datagrams.len() < wanted && idle < PATIENCE {
        match source.next() {
            Ok(Step::Frames(frames)) => datagrams.extend(frames.into_iter().filter_map(Datagram::of)),
            Ok(Step::Idle) => idle += 1,
            Ok(Step::End) => panic!("an interface has no end"),
            Err(error) => return (datagrams, Some(error)),
        }
    }
    (datagrams, None)
}

pub(crate) fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// Sends a datagram until it comes: a link that has just come up loses the first ones at the sender. Nothing else comes.
pub(crate) fn arrives(cable: &Cable, source: &mut dyn Source, payload: &[u8]) {
    // The entry goes with the link.
    let arguments = format!("neigh replace {SENSOR_IP} lladdr 02:00:00:00:00:02 dev {SENDER_INTERFACE}");
    for _ in 0..10 {
        let _ = cable.sender_ip(&arguments);
        Sender::new(cable, SENSOR_IP).send(payload);
        let (datagrams, error) = receive(source, 1);
        assert!(error.is_none(), "{error:?}");
        if let Some(datagram) = datagrams.first() {
            assert_eq!(datagram.payload(), payload);
            return;
        }
    }
    panic!("nothing comes");
}

/// Sends a datagram in a frame with VLAN tags (IEEE 802.1Q), each its protocol and its control information.
pub(crate) fn send_tagged(cable: &Cable, tags: &[(u16, u16)], payload: &[u8]) {
    let tags = tags.iter().flat_map(|(protocol, control)| [protocol.to_be_bytes(), control.to_be_bytes()]);
    let length = |headers: usize| u16::try_from(headers + payload.len()).unwrap().to_be_bytes();
    let frame = [
        &SENSOR_MAC[..],
        &SENDER_MAC,
        tags.flatten().collect::<Vec<_>>().as_slice(),
        // IPv4 (RFC 791) without a checksum, UDP (RFC 768) without one.
        &[0x08, 0x00, 0x45, 0],
        &length(28),
        &[0, 0, 0, 0, 64, 17, 0, 0, 10, 98, 0, 1, 10, 98, 0, 2],
        &PORT.to_be_bytes(),
        &PORT.to_be_bytes(),
        &length(8),
        &[0, 0],
        payload,
    ]
    .concat();
    cable.at_sender(|| send_frame(SENDER_INTERFACE, &frame)).unwrap();
}
