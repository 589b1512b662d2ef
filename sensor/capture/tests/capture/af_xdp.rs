//! Interfaces by AF_XDP: in network namespaces, with frames that the kernel makes, in the driver and behind it.

use std::time::Duration;

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use wardwatch_capture::{AfXdp, AfXdpOptions, CaptureError, LinkType, Source, Statistics};
use wardwatch_skip::skip;

use crate::calls::set_queues;
use crate::datagram::{Datagram, PORT, Sender, arrives, now, receive, send_tagged};
use crate::namespace::{
    Cable, SENDER_INTERFACE, SENDER_MAC, SENSOR_INTERFACE, SENSOR_IP, SENSOR_MAC, cable_or_skip,
};

/// Clocks are told apart and compared again: so much may be between them, in nanoseconds.
const CLOCKS_APART: u64 = 5_000_000;

/// Both places where a program can be attached.
const IN_DRIVER_AND_NOT: [bool; 2] = [true, false];

fn options(in_driver: bool) -> AfXdpOptions {
    AfXdpOptions { ring_mebibytes: 4, in_driver, ..AfXdpOptions::new(SENSOR_INTERFACE) }
}

fn open(cable: &Cable, options: AfXdpOptions) -> AfXdp {
    cable.at_sensor(|| AfXdp::open(options)).unwrap()
}

fn payloads(datagrams: &[Datagram]) -> Vec<&[u8]> {
    datagrams.iter().map(Datagram::payload).collect()
}

#[test]
fn frames_arrive_whole_and_in_order_with_the_kernels_times() {
    let cable = cable_or_skip!("af_xdp::frames_arrive_whole_and_in_order_with_the_kernels_times");
    for in_driver in IN_DRIVER_AND_NOT {
        let mut source = open(&cable, options(in_driver));
        let hook = if in_driver { "driver mode" } else { "generic mode" };
        assert_eq!(
            source.describe(),
            format!("interface v1 (AF_XDP, {hook}, copying, 1 queue, 4 MiB, kernel's times, promiscuous)")
        );
        let sender = Sender::new(&cable, SENSOR_IP);
        let before = now();
        for n in 0..100_u8 {
            sender.send(&[n; 100]);
        }
        let after = now();
        // Frames wait in the memory; what counts is when the kernel saw them.
        std::thread::sleep(Duration::from_millis(50));
        let (datagrams, error) = receive(&mut source, 100);
        assert!(error.is_none());
        assert_eq!(datagrams.len(), 100);
        for (n, datagram) in datagrams.iter().enumerate() {
            let bytes = &datagram.bytes;
            assert_eq!(bytes[..14], [&SENSOR_MAC[..], &SENDER_MAC, &[0x08, 0x00]].concat(), "Ethernet, IPv4");
            assert_eq!(bytes[36..38], PORT.to_be_bytes());
            assert_eq!(datagram.payload(), [n as u8; 100], "in order, and nothing else");
            assert_eq!((bytes.len(), datagram.wire_length), (142, 142));
            assert_eq!((datagram.link, datagram.vlan), (LinkType::Ethernet, None));
            let allowed = before - CLOCKS_APART..=after + CLOCKS_APART;
            assert!(allowed.contains(&datagram.at), "{before} {} {after}", datagram.at);
        }
        let Statistics { frames, dropped, malformed, untimed, .. } = source.statistics();
        assert!(frames >= 100);
        assert_eq!((dropped, malformed, untimed), (0, 0, 0));
    }
}

#[test]
fn without_the_kernels_times_frames_have_the_time_at_which_they_were_found() {
    let cable =
        cable_or_skip!("af_xdp::without_the_kernels_times_frames_have_the_time_at_which_they_were_found");
    let mut source = open(&cable, AfXdpOptions { kernel_times: false, ..options(true) });
    assert!(source.describe().contains("times of arrival"), "{}", source.describe());
    Sender::new(&cable, SENSOR_IP).send(b"sent");
    std::thread::sleep(Duration::from_millis(50));
    let before = now();
    let (datagrams, _) = receive(&mut source, 1);
    assert_eq!(payloads(&datagrams), [b"sent"]);
    assert!((before - CLOCKS_APART..=now() + CLOCKS_APART).contains(&datagrams[0].at));
    assert!(source.statistics().untimed >= 1);
}

#[test]
fn the_memory_is_used_again_and_again() {
    let cable = cable_or_skip!("af_xdp::the_memory_is_used_again_and_again");
    for in_driver in IN_DRIVER_AND_NOT {
        let mut source = open(&cable, options(in_driver));
        let sender = Sender::new(&cable, SENSOR_IP);
        // Five times as many frames as there are chunks, each part taken out before the next is sent.
        for round in 0..50_u32 {
            let numbers = round * 200..(round + 1) * 200;
            for number in numbers.clone() {
                sender.send(&[&number.to_be_bytes()[..], &[0xa5; 1400]].concat());
            }
            let (datagrams, error) = receive(&mut source, 200);
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
}

#[test]
fn what_the_memory_cannot_hold_is_counted_once() {
    let cable = cable_or_skip!("af_xdp::what_the_memory_cannot_hold_is_counted_once");
    for in_driver in IN_DRIVER_AND_NOT {
        let mut source = open(&cable, AfXdpOptions { ring_mebibytes: 1, ..options(in_driver) });
        let sender = Sender::new(&cable, SENSOR_IP);
        for _ in 0..2_000 {
            sender.send(&[0; 1400]); // into 512 chunks
        }
        let first = source.statistics();
        assert!(first.dropped > 0 && first.freezes > 0, "{first:?}");
        let (datagrams, error) = receive(&mut source, 2_000);
        assert!(error.is_none());
        let last = source.statistics();
        assert!(last.dropped >= first.dropped);
        // The kernel sends a few frames of its own, for IPv6.
        let all = datagrams.len() as u64 + last.dropped;
        assert!((2_000..2_040).contains(&all), "{} received, {last:?}", datagrams.len());
        assert!(last.frames >= datagrams.len() as u64 && last.malformed == 0, "{last:?}");
    }
}

#[test]
fn a_vlan_tag_stays_in_the_bytes() {
    let cable = cable_or_skip!("af_xdp::a_vlan_tag_stays_in_the_bytes");
    for in_driver in IN_DRIVER_AND_NOT {
        let mut source = open(&cable, options(in_driver));
        arrives(&cable, &mut source, b"ready");
        send_tagged(&cable, &[(0x8100, 5 << 13 | 0x02a)], b"tagged");
        Sender::new(&cable, SENSOR_IP).send(b"untagged");
        let (datagrams, error) = receive(&mut source, 2);
        assert!(error.is_none());
        assert_eq!(
            payloads(&datagrams),
            [&b"tagged"[..], b"untagged"],
            "driver: {in_driver} {:?}",
            source.statistics()
        );
        // Priority 5, not drop eligible, identifier 42, then IPv4.
        assert_eq!(datagrams[0].bytes[12..18], [0x81, 0x00, 5 << 5, 0x2a, 0x08, 0x00], "driver: {in_driver}");
        assert_eq!((datagrams[0].vlan, datagrams[0].wire_length as usize), (None, datagrams[0].bytes.len()));
        assert_eq!(datagrams[1].bytes[12..14], [0x08, 0x00]);
    }
}

#[test]
fn a_frame_that_comes_in_several_pieces_is_put_together() {
    let cable = cable_or_skip!("af_xdp::a_frame_that_comes_in_several_pieces_is_put_together");
    cable.sender_ip(&format!("link set {SENDER_INTERFACE} mtu 9000")).unwrap();
    cable.sensor_ip(&format!("link set {SENSOR_INTERFACE} mtu 9000")).unwrap();
    for in_driver in IN_DRIVER_AND_NOT {
        let mut source = open(&cable, options(in_driver));
        let sender = Sender::new(&cable, SENSOR_IP);
        let jumbo: Vec<u8> = (0..8_000_u32).map(|n| (n % 251) as u8).collect();
        for _ in 0..500 {
            sender.send(&jumbo); // twice the memory, and more
            sender.send(b"short");
            let (datagrams, error) = receive(&mut source, 2);
            assert!(error.is_none());
            assert!(payloads(&datagrams) == [&jumbo[..], b"short"], "driver: {in_driver}");
            assert_eq!(datagrams[0].wire_length, 8_042);
            assert!(now().abs_diff(datagrams[0].at) < 1_000_000_000);
        }
        let Statistics { dropped, malformed, untimed, .. } = source.statistics();
        assert_eq!((dropped, malformed, untimed), (0, 0, 0));
    }
}

#[test]
fn all_queues_are_drained_the_earliest_frame_first() {
    if let Err(reason) = Cable::new() {
        return skip!("af_xdp::all_queues_are_drained_the_earliest_frame_first", reason);
    }
    let cable = Cable::with_queues(2).unwrap();
    for in_driver in IN_DRIVER_AND_NOT {
        let mut source = open(&cable, options(in_driver));
        assert!(source.describe().contains("2 queues"), "{}", source.describe());
        // The kernel chooses a queue by the hash of addresses and ports: with so many flows it chooses both.
        let senders: Vec<_> = (0..64).map(|_| Sender::new(&cable, SENSOR_IP)).collect();
        for n in 0..512_u32 {
            senders[n as usize % senders.len()].send(&n.to_be_bytes());
        }
        std::thread::sleep(Duration::from_millis(50));
        let (datagrams, error) = receive(&mut source, 512);
        assert!(error.is_none());
        assert_eq!(datagrams.len(), 512, "driver: {in_driver}");
        assert!(datagrams.is_sorted_by_key(|datagram| datagram.at));
        let Statistics { dropped, backwards, .. } = source.statistics();
        assert_eq!((dropped, backwards), (0, 0));
    }
}

#[test]
fn another_number_of_queues_is_an_error() {
    if let Err(reason) = Cable::new() {
        return skip!("af_xdp::another_number_of_queues_is_an_error", reason);
    }
    let cable = Cable::with_queues(2).unwrap();
    cable.at_sender(|| set_queues(SENDER_INTERFACE, 1, 1)).unwrap();
    cable.at_sensor(|| set_queues(SENSOR_INTERFACE, 1, 1)).unwrap();
    let mut source = open(&cable, options(true));
    cable.at_sensor(|| set_queues(SENSOR_INTERFACE, 2, 1)).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let (_, error) = receive(&mut source, usize::MAX);
    assert_eq!(
        error.expect("the queues are others").to_string(),
        "interface v1 is not as it was: the number of its receive queues went from 1 to 2; capture has to be opened again"
    );
}

#[test]
fn a_link_that_comes_back_goes_on() {
    let cable = cable_or_skip!("af_xdp::a_link_that_comes_back_goes_on");
    for in_driver in IN_DRIVER_AND_NOT {
        let mut source = open(&cable, options(in_driver));
        for end in [SENDER_INTERFACE, SENSOR_INTERFACE] {
            let set = |state| {
                let arguments = format!("link set {end} {state}");
                if end == SENDER_INTERFACE {
                    cable.sender_ip(&arguments)
                } else {
                    cable.sensor_ip(&arguments)
                }
            };
            set("down").unwrap();
            let (datagrams, error) = receive(&mut source, 1);
            assert!(datagrams.is_empty() && error.is_none(), "{error:?}");
            set("up").unwrap();
            arrives(&cable, &mut source, format!("{end} again").as_bytes());
        }
    }
}

#[test]
fn a_removed_interface_is_an_error_behind_its_last_frames() {
    for in_driver in IN_DRIVER_AND_NOT {
        let cable = cable_or_skip!("af_xdp::a_removed_interface_is_an_error_behind_its_last_frames");
        let mut source = open(&cable, options(in_driver));
        Sender::new(&cable, SENSOR_IP).send(b"last");
        cable.sensor_ip(&format!("link del {SENSOR_INTERFACE}")).unwrap();
        let (datagrams, error) = receive(&mut source, usize::MAX);
        assert_eq!(payloads(&datagrams), [b"last"], "driver: {in_driver}");
        let error = error.expect("the interface has gone");
        assert!(matches!(error, CaptureError::InterfaceDown { .. }), "{error}");
    }
}

#[test]
fn another_program_is_left_where_it_is() {
    let cable = cable_or_skip!("af_xdp::another_program_is_left_where_it_is");
    for of_another in IN_DRIVER_AND_NOT {
        let mut another = open(&cable, options(of_another));
        for in_driver in IN_DRIVER_AND_NOT {
            let error = cable.at_sensor(|| AfXdp::open(options(in_driver))).err().unwrap();
            assert!(matches!(error, CaptureError::ProgramAttached { .. }), "{error}");
            assert_eq!(
                error.to_string(),
                "another XDP program is attached to interface v1 (`ip link show dev v1` tells which)"
            );
        }
        Sender::new(&cable, SENSOR_IP).send(b"still");
        assert_eq!(payloads(&receive(&mut another, 1).0), [b"still"]);
    }
}

#[test]
fn nothing_of_it_stays() {
    let cable = cable_or_skip!("af_xdp::nothing_of_it_stays");
    let shown = || cable.sensor_ip(&format!("-details link show {SENSOR_INTERFACE}")).unwrap();
    let (is_attached, is_promiscuous) = (|| shown().contains("xdp"), || shown().contains("promiscuity 1"));
    assert!(!is_attached() && !is_promiscuous(), "{}", shown());
    for in_driver in IN_DRIVER_AND_NOT {
        let source = open(&cable, options(in_driver));
        assert!(is_attached() && is_promiscuous(), "{}", shown());
        drop(source);
        assert!(!is_attached() && !is_promiscuous(), "{}", shown());
    }
}

#[test]
fn each_missing_capability_is_named() {
    let cable = cable_or_skip!("af_xdp::each_missing_capability_is_named");
    let named = |missing: CapabilitySet| {
        // Capabilities belong to a thread, so those of the other tests stay as they are.
        let error = cable.at_sensor(|| {
            let held = capabilities(None).unwrap();
            // CAP_SYS_ADMIN stands for CAP_BPF, too.
            let taken = missing | CapabilitySet::SYS_ADMIN;
            set_capabilities(None, CapabilitySets { effective: held.effective.difference(taken), ..held })
                .unwrap();
            AfXdp::open(options(true)).err().unwrap()
        });
        error.to_string()
    };
    let text = |capability| {
        format!(
            "capturing on interface v1 needs the capability {capability}, which this process does not have"
        )
    };
    assert_eq!(named(CapabilitySet::NET_RAW), text("CAP_NET_RAW"));
    assert_eq!(named(CapabilitySet::BPF), text("CAP_BPF"));
    assert_eq!(named(CapabilitySet::NET_ADMIN), text("CAP_NET_ADMIN"));
    assert_eq!(named(CapabilitySet::BPF | CapabilitySet::NET_ADMIN), text("CAP_BPF, CAP_NET_ADMIN"));
    assert!(!cable.sensor_ip(&format!("link show {SENSOR_INTERFACE}")).unwrap().contains("xdp"));
}

#[test]
fn memory_that_is_too_small_for_the_queues_or_too_large_is_refused() {
    let cable = cable_or_skip!("af_xdp::memory_that_is_too_small_for_the_queues_or_too_large_is_refused");
    for ring_mebibytes in [0, 2049, u32::MAX] {
        let options = AfXdpOptions { ring_mebibytes, ..options(true) };
        let error = cable.at_sensor(|| AfXdp::open(options)).err().unwrap();
        assert!(error.to_string().contains("1 to 2048 MiB"), "{error}");
    }
    let cable = Cable::with_queues(2).unwrap();
    let options = AfXdpOptions { ring_mebibytes: 1, ..options(true) };
    assert!(cable.at_sensor(|| AfXdp::open(options)).is_err());
}

#[test]
fn an_unknown_interface_and_one_that_is_down_are_told_apart() {
    let cable = cable_or_skip!("af_xdp::an_unknown_interface_and_one_that_is_down_are_told_apart");
    let error = AfXdp::open(AfXdpOptions::new("wardwatch-none")).err().unwrap();
    assert_eq!(error.to_string(), "there is no network interface wardwatch-none");
    cable.sensor_ip(&format!("link set {SENSOR_INTERFACE} down")).unwrap();
    let error = cable.at_sensor(|| AfXdp::open(options(true))).err().unwrap();
    assert!(matches!(error, CaptureError::InterfaceDown { .. }), "{error}");
}
