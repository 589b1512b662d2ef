//! Interfaces through the packet socket: in network namespaces, with frames that the kernel makes.

use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use wardwatch_capture::{
    CaptureError, Frame, LinkType, PacketSocket, PacketSocketOptions, Source, Statistics, Step, VlanTag,
};

use crate::namespace::{
    Cable, SENDER_INTERFACE, SENDER_IP, SENDER_MAC, SENSOR_INTERFACE, SENSOR_IP, SENSOR_MAC,
};
use crate::skipped::skipped;

/// Where our datagrams go; whatever else the kernel sends by itself is left out of account.
const PORT: u16 = 4242;
/// Steps without a frame, of 100 ms each, after which nothing more is expected.
const PATIENCE: usize = 5;

/// A frame with one of our datagrams in it.
#[derive(Debug)]
struct Datagram {
    at: u64,
    wire_length: u32,
    link: LinkType,
    vlan: Option<VlanTag>,
    bytes: Vec<u8>,
    /// Where the datagram's payload begins in the bytes.
    payload: usize,
}

impl Datagram {
    /// If the frame holds one: behind 14 bytes of Ethernet (18 with a tag) and 20 of IPv4 come 8 of UDP.
    fn of(frame: Frame<'_>) -> Option<Self> {
        let Frame { at, wire_length, link, vlan, bytes } = frame;
        let payload =
            [42, 46].into_iter().find(|end| bytes.get(end - 6..end - 4) == Some(&PORT.to_be_bytes()))?;
        Some(Self { at, wire_length, link, vlan, bytes: bytes.to_vec(), payload })
    }

    fn payload(&self) -> &[u8] {
        &self.bytes[self.payload..]
    }
}

/// Sends our datagrams from the other end of the cable.
struct Sender {
    socket: UdpSocket,
    to: &'static str,
}

impl Sender {
    fn new(cable: &Cable, to: &'static str) -> Self {
        Self { socket: cable.at_sender(|| UdpSocket::bind("0.0.0.0:0").unwrap()), to }
    }

    fn send(&self, payload: &[u8]) {
        self.socket.send_to(payload, (self.to, PORT)).unwrap();
    }
}

/// Opens the sensor's end of the cable.
fn capture(cable: &Cable) -> PacketSocket {
    let options = PacketSocketOptions { ring_mebibytes: 2, ..PacketSocketOptions::new(SENSOR_INTERFACE) };
    cable.at_sensor(|| PacketSocket::open(options)).unwrap()
}

/// Our datagrams, until as many have come or nothing more comes, and the error that capturing stopped with.
fn receive(source: &mut PacketSocket, wanted: usize) -> (Vec<Datagram>, Option<CaptureError>) {
    let (mut datagrams, mut idle) = (Vec::new(), 0);
    while datagrams.len() < wanted && idle < PATIENCE {
        match source.next() {
            Ok(Step::Frame(frame)) => datagrams.extend(Datagram::of(frame)),
            Ok(Step::Idle) => idle += 1,
            Ok(Step::End) => panic!("an interface has no end"),
            Err(error) => return (datagrams, Some(error)),
        }
    }
    (datagrams, None)
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// A cable, or the name of the test is put on the list of those that did not run.
macro_rules! cable_or_skip {
    ($test:literal) => {
        match Cable::new() {
            Ok(cable) => cable,
            Err(reason) => return skipped(concat!("packet_socket::", $test), &reason),
        }
    };
}

#[test]
fn frames_arrive_with_their_bytes_and_times() {
    let cable = cable_or_skip!("frames_arrive_with_their_bytes_and_times");
    let mut source = capture(&cable);
    let sender = Sender::new(&cable, SENSOR_IP);
    let before = now();
    for n in 0..100_u8 {
        sender.send(&[n; 100]);
    }
    let after = now();
    let (datagrams, error) = receive(&mut source, 100);
    assert!(error.is_none());
    let source_port = sender.socket.local_addr().unwrap().port();
    assert_eq!(datagrams.len(), 100);
    for (n, datagram) in datagrams.iter().enumerate() {
        let bytes = &datagram.bytes;
        assert_eq!(bytes[..14], [&SENSOR_MAC[..], &SENDER_MAC, &[0x08, 0x00]].concat(), "Ethernet, IPv4");
        assert_eq!(bytes[26..34], [10, 99, 0, 1, 10, 99, 0, 2], "addresses");
        assert_eq!(bytes[34..38], [source_port.to_be_bytes(), PORT.to_be_bytes()].concat(), "ports");
        assert_eq!(datagram.payload(), [n as u8; 100], "in order, and nothing else");
        assert_eq!((bytes.len(), datagram.wire_length), (142, 142));
        assert_eq!((datagram.link, datagram.vlan), (LinkType::Ethernet, None));
        assert!((before..=after).contains(&datagram.at), "{before} {} {after}", datagram.at);
    }
    let Statistics { frames, dropped, malformed, backwards, .. } = source.statistics();
    assert!(frames >= 100);
    assert_eq!((dropped, malformed, backwards), (0, 0, 0));
}

#[test]
fn the_ring_is_used_again_and_again() {
    let cable = cable_or_skip!("the_ring_is_used_again_and_again");
    let mut source = capture(&cable);
    let sender = Sender::new(&cable, SENSOR_IP);
    // Five times what the ring holds, each part taken out before the next is sent.
    for round in 0..25_u32 {
        let numbers = round * 300..(round + 1) * 300;
        for number in numbers.clone() {
            sender.send(&[&number.to_be_bytes()[..], &[0xa5; 1400]].concat());
        }
        let (datagrams, error) = receive(&mut source, 300);
        assert!(error.is_none());
        let received: Vec<_> = datagrams
            .iter()
            .map(|datagram| u32::from_be_bytes(datagram.payload()[..4].try_into().unwrap()))
            .collect();
        assert_eq!(received, numbers.collect::<Vec<_>>());
        assert!(datagrams.iter().all(|datagram| datagram.payload()[4..] == [0xa5; 1400]));
    }
    assert_eq!(source.statistics().dropped, 0);
}

#[test]
fn what_the_ring_cannot_hold_is_counted() {
    let cable = cable_or_skip!("what_the_ring_cannot_hold_is_counted");
    let mut source = capture(&cable);
    let sender = Sender::new(&cable, SENSOR_IP);
    for _ in 0..3_000 {
        sender.send(&[0; 1400]); // 4 MiB into a ring of 2
    }
    let first = source.statistics();
    assert!(first.dropped > 0 && first.freezes > 0, "{first:?}");
    let (datagrams, error) = receive(&mut source, 3_000);
    assert!(error.is_none() && datagrams.len() < 3_000);
    let last = source.statistics();
    assert!(last.dropped >= first.dropped, "counters go up though the kernel's begin anew");
    assert!(datagrams.len() as u64 + last.dropped >= 3_000, "{} received, {last:?}", datagrams.len());
}

#[test]
fn a_vlan_tag_is_kept_beside_the_bytes() {
    let cable = cable_or_skip!("a_vlan_tag_is_kept_beside_the_bytes");
    let tagged = cable
        .sender_ip(&format!("link add link {SENDER_INTERFACE} name v0.42 type vlan id 42 egress-qos-map 0:5"))
        .and_then(|_| cable.sender_ip("link set v0.42 up"))
        .and_then(|_| cable.sender_ip("addr add 10.98.0.1/24 dev v0.42"))
        .and_then(|_| cable.sender_ip("neigh add 10.98.0.2 lladdr 02:00:00:00:00:02 dev v0.42"));
    if let Err(reason) = tagged {
        return skipped("packet_socket::a_vlan_tag_is_kept_beside_the_bytes", &reason);
    }
    let mut source = capture(&cable);
    Sender::new(&cable, "10.98.0.2").send(b"tagged");
    Sender::new(&cable, SENSOR_IP).send(b"untagged");
    let (datagrams, error) = receive(&mut source, 2);
    assert!(error.is_none());
    let [tagged, untagged] = datagrams.as_slice() else {
        panic!("{datagrams:?}");
    };
    // Priority 5, not drop eligible, identifier 42.
    assert_eq!(tagged.vlan, Some(VlanTag { protocol: 0x8100, control: 5 << 13 | 0x02a }));
    assert_eq!(tagged.vlan.map(VlanTag::identifier), Some(42));
    assert_eq!(tagged.bytes[12..14], [0x08, 0x00], "the tag is not in the bytes");
    assert_eq!(tagged.payload(), b"tagged");
    assert_eq!(tagged.wire_length as usize, tagged.bytes.len() + 4, "but was on the wire");
    assert_eq!((untagged.vlan, untagged.payload()), (None, &b"untagged"[..]));
}

#[test]
fn of_two_tags_the_inner_one_stays_in_the_bytes() {
    let cable = cable_or_skip!("of_two_tags_the_inner_one_stays_in_the_bytes");
    let tagged = cable
        .sender_ip(&format!("link add link {SENDER_INTERFACE} name outer type vlan proto 802.1ad id 100"))
        .and_then(|_| cable.sender_ip("link set outer up"))
        .and_then(|_| cable.sender_ip("link add link outer name inner type vlan id 42"))
        .and_then(|_| cable.sender_ip("link set inner up"))
        .and_then(|_| cable.sender_ip("addr add 10.98.0.1/24 dev inner"))
        .and_then(|_| cable.sender_ip("neigh add 10.98.0.2 lladdr 02:00:00:00:00:02 dev inner"));
    if let Err(reason) = tagged {
        return skipped("packet_socket::of_two_tags_the_inner_one_stays_in_the_bytes", &reason);
    }
    let mut source = capture(&cable);
    Sender::new(&cable, "10.98.0.2").send(b"tagged");
    let (datagrams, error) = receive(&mut source, 1);
    assert!(error.is_none());
    let [datagram] = datagrams.as_slice() else {
        panic!("{datagrams:?}");
    };
    assert_eq!(datagram.vlan, Some(VlanTag { protocol: 0x88a8, control: 100 }));
    assert_eq!(datagram.bytes[12..18], [0x81, 0x00, 0, 42, 0x08, 0x00]);
    assert_eq!(datagram.payload(), b"tagged");
}

#[test]
fn what_this_host_sends_is_left_out() {
    let cable = cable_or_skip!("what_this_host_sends_is_left_out");
    let mut source = capture(&cable);
    cable.at_sensor(|| UdpSocket::bind("0.0.0.0:0").unwrap().send_to(b"own", (SENDER_IP, PORT)).unwrap());
    Sender::new(&cable, SENSOR_IP).send(b"other");
    let (datagrams, error) = receive(&mut source, 2);
    assert!(error.is_none());
    assert_eq!(datagrams.iter().map(Datagram::payload).collect::<Vec<_>>(), [b"other"]);
}

#[test]
fn the_interface_is_promiscuous_as_long_as_it_is_captured() {
    let cable = cable_or_skip!("the_interface_is_promiscuous_as_long_as_it_is_captured");
    let promiscuous = || {
        let shown = cable.sensor_ip(&format!("-d link show {SENSOR_INTERFACE}")).unwrap();
        shown.contains("promiscuity 1")
    };
    assert!(!promiscuous());
    let source = capture(&cable);
    assert!(promiscuous());
    assert_eq!(source.describe(), "interface v1 (AF_PACKET, TPACKET_V3, ring of 2 MiB, promiscuous)");
    drop(source);
    assert!(!promiscuous());
    let options = PacketSocketOptions { promiscuous: false, ..PacketSocketOptions::new(SENSOR_INTERFACE) };
    let _source = cable.at_sensor(|| PacketSocket::open(options)).unwrap();
    assert!(!promiscuous());
}

#[test]
fn a_removed_interface_is_an_error_behind_its_last_frames() {
    let cable = cable_or_skip!("a_removed_interface_is_an_error_behind_its_last_frames");
    for removal in [format!("link del {SENSOR_INTERFACE}"), format!("link set {SENSOR_INTERFACE} down")] {
        let cable = if removal.ends_with("down") { &Cable::new().unwrap() } else { &cable };
        let mut source = capture(cable);
        Sender::new(cable, SENSOR_IP).send(b"last");
        cable.sensor_ip(&removal).unwrap();
        let (datagrams, error) = receive(&mut source, usize::MAX);
        assert_eq!(datagrams.iter().map(Datagram::payload).collect::<Vec<_>>(), [b"last"], "{removal}");
        let error = error.expect("the interface has gone");
        assert!(matches!(error, CaptureError::InterfaceDown { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            "interface v1 is down or was removed; capture has to be opened again once it is back"
        );
    }
}

#[test]
fn an_interface_that_is_down_is_an_error_at_the_first_steps() {
    let cable = cable_or_skip!("an_interface_that_is_down_is_an_error_at_the_first_steps");
    cable.sensor_ip(&format!("link set {SENSOR_INTERFACE} down")).unwrap();
    let (_, error) = receive(&mut capture(&cable), usize::MAX);
    assert!(matches!(error, Some(CaptureError::InterfaceDown { .. })), "{error:?}");
}

#[test]
fn an_unknown_interface_is_named() {
    let overlong = "a-name-that-no-interface-can-have";
    for name in ["wardwatch-none", overlong, "", "nul\0within"] {
        let error = PacketSocket::open(PacketSocketOptions::new(name)).err().unwrap();
        assert!(matches!(error, CaptureError::NoInterface { .. }), "{error}");
        assert_eq!(error.to_string(), format!("there is no network interface {name}"));
    }
}

#[test]
fn a_missing_capability_is_named_with_the_interface() {
    // Capabilities belong to a thread, so those of the other tests stay as they are.
    let error = std::thread::spawn(|| {
        let held = capabilities(None).unwrap();
        let left = CapabilitySets { effective: held.effective.difference(CapabilitySet::NET_RAW), ..held };
        set_capabilities(None, left).unwrap();
        PacketSocket::open(PacketSocketOptions::new("lo")).err().unwrap()
    });
    assert_eq!(
        error.join().unwrap().to_string(),
        "capturing on interface lo needs the capability CAP_NET_RAW, which this process does not have"
    );
}

#[test]
fn a_ring_that_is_too_small_or_too_large_is_refused() {
    let cable = cable_or_skip!("a_ring_that_is_too_small_or_too_large_is_refused");
    for ring_mebibytes in [0, 1, 2049, u32::MAX] {
        let options = PacketSocketOptions { ring_mebibytes, ..PacketSocketOptions::new(SENSOR_INTERFACE) };
        let error = cable.at_sensor(|| PacketSocket::open(options)).err().unwrap();
        assert!(error.to_string().contains("2 to 2048 MiB"), "{error}");
    }
}
