//! Interfaces through the packet socket: in network namespaces, with frames that the kernel makes.

use std::net::UdpSocket;

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use wardwatch_capture::{
    CaptureError, LinkType, PacketSocket, PacketSocketOptions, Source, Statistics, VlanTag,
};

use crate::datagram::{Datagram, PORT, Sender, arrives, now, receive, send_tagged};
use crate::namespace::{
    Cable, SENDER_IP, SENDER_MAC, SENSOR_INTERFACE, SENSOR_IP, SENSOR_MAC, cable_or_skip,
};

/// Opens the sensor's end of the cable.
fn capture(cable: &Cable) -> PacketSocket {
    let options = PacketSocketOptions { ring_mebibytes: 2, ..PacketSocketOptions::new(SENSOR_INTERFACE) };
    cable.at_sensor(|| PacketSocket::open(options)).unwrap()
}

#[test]
fn frames_arrive_with_their_bytes_and_times() {
    let cable = cable_or_skip!("packet_socket::frames_arrive_with_their_bytes_and_times");
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
    let cable = cable_or_skip!("packet_socket::the_ring_is_used_again_and_again");
    // Blocks are handed over by time too: a sender that is held up on a busy machine takes one each time.
    let options = PacketSocketOptions { ring_mebibytes: 8, ..PacketSocketOptions::new(SENSOR_INTERFACE) };
    let mut source = cable.at_sensor(|| PacketSocket::open(options)).unwrap();
    let sender = Sender::new(&cable, SENSOR_IP);
    // Three times what the ring holds, each part taken out before the next is sent.
    for round in 0..60_u32 {
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
    let cable = cable_or_skip!("packet_socket::what_the_ring_cannot_hold_is_counted");
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
    let cable = cable_or_skip!("packet_socket::a_vlan_tag_is_kept_beside_the_bytes");
    let mut source = capture(&cable);
    arrives(&cable, &mut source, b"ready");
    // Priority 5, not drop eligible, identifier 42.
    send_tagged(&cable, &[(0x8100, 5 << 13 | 0x02a)], b"tagged");
    Sender::new(&cable, SENSOR_IP).send(b"untagged");
    let (datagrams, error) = receive(&mut source, 2);
    assert!(error.is_none());
    let [tagged, untagged] = datagrams.as_slice() else {
        panic!("{datagrams:?}");
    };
    assert_eq!(tagged.vlan, Some(VlanTag { protocol: 0x8100, control: 5 << 13 | 0x02a }));
    assert_eq!(tagged.vlan.map(VlanTag::identifier), Some(42));
    assert_eq!(tagged.bytes[12..14], [0x08, 0x00], "the tag is not in the bytes");
    assert_eq!(tagged.payload(), b"tagged");
    assert_eq!(tagged.wire_length as usize, tagged.bytes.len() + 4, "but was on the wire");
    assert_eq!((untagged.vlan, untagged.payload()), (None, &b"untagged"[..]));
}

#[test]
fn of_two_tags_the_inner_one_stays_in_the_bytes() {
    let cable = cable_or_skip!("packet_socket::of_two_tags_the_inner_one_stays_in_the_bytes");
    let mut source = capture(&cable);
    arrives(&cable, &mut source, b"ready");
    send_tagged(&cable, &[(0x88a8, 100), (0x8100, 42)], b"tagged");
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
    let cable = cable_or_skip!("packet_socket::what_this_host_sends_is_left_out");
    let mut source = capture(&cable);
    cable.at_sensor(|| UdpSocket::bind("0.0.0.0:0").unwrap().send_to(b"own", (SENDER_IP, PORT)).unwrap());
    Sender::new(&cable, SENSOR_IP).send(b"other");
    let (datagrams, error) = receive(&mut source, 2);
    assert!(error.is_none());
    assert_eq!(datagrams.iter().map(Datagram::payload).collect::<Vec<_>>(), [b"other"]);
}

#[test]
fn the_interface_is_promiscuous_as_long_as_it_is_captured() {
    let cable = cable_or_skip!("packet_socket::the_interface_is_promiscuous_as_long_as_it_is_captured");
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
    let cable = cable_or_skip!("packet_socket::a_removed_interface_is_an_error_behind_its_last_frames");
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
    let cable = cable_or_skip!("packet_socket::an_interface_that_is_down_is_an_error_at_the_first_steps");
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
    let cable = cable_or_skip!("packet_socket::a_ring_that_is_too_small_or_too_large_is_refused");
    for ring_mebibytes in [0, 1, 2049, u32::MAX] {
        let options = PacketSocketOptions { ring_mebibytes, ..PacketSocketOptions::new(SENSOR_INTERFACE) };
        let error = cable.at_sensor(|| PacketSocket::open(options)).err().unwrap();
        assert!(error.to_string().contains("2 to 2048 MiB"), "{error}");
    }
}
