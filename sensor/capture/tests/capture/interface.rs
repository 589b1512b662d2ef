//! Interfaces for as long as the process lives: what goes away comes back, and what cannot be had is replaced.

use std::time::{Duration, Instant};

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use wardwatch_capture::{
    AfXdp, AfXdpOptions, CaptureError, CaptureMode, Change, Interface, InterfaceOptions, Source, Step,
};
use wardwatch_skip::skip;

use crate::calls::set_queues;
use crate::datagram::{Sender, arrives, receive};
use crate::namespace::{Cable, SENDER_INTERFACE, SENSOR_INTERFACE, SENSOR_IP, cable_or_skip};

const MODES: [CaptureMode; 2] = [CaptureMode::PacketSocket, CaptureMode::AfXdp];

fn options(mode: CaptureMode) -> InterfaceOptions {
    InterfaceOptions { mode, ring_mebibytes: 4, ..InterfaceOptions::new(SENSOR_INTERFACE) }
}

/// The changes in words.
fn changes(source: &mut Interface) -> Vec<String> {
    let words = |change| match change {
        Change::Opened { mode, .. } => format!("opened by {}", mode.name()),
        Change::FellBack { reason } => format!("fell back: {reason}"),
        Change::Lost { reason } => format!("lost: {reason}"),
        Change::LinkDown => "link down".to_owned(),
        Change::LinkUp => "link up".to_owned(),
    };
    source.changes().into_iter().map(words).collect()
}

/// Lets the source work until it tells of as many changes.
fn changed(source: &mut Interface, wanted: usize) -> Vec<String> {
    let (mut told, begun) = (Vec::new(), Instant::now());
    while told.len() < wanted && begun.elapsed() < Duration::from_secs(10) {
        assert!(!matches!(source.next().unwrap(), Step::End), "an interface has no end");
        told.extend(changes(source));
    }
    told
}

const LOST: &str =
    "lost: interface v1 is down or was removed; capture has to be opened again once it is back";

#[test]
fn an_interface_that_was_removed_and_made_anew_is_captured_again() {
    for mode in MODES {
        let cable =
            cable_or_skip!("interface::an_interface_that_was_removed_and_made_anew_is_captured_again");
        cable.at_sensor(|| {
            let mut source = Interface::open(options(mode)).unwrap();
            assert_eq!(changes(&mut source), [format!("opened by {}", mode.name())]);
            arrives(&cable, &mut source, b"before");
            for interruption in 1..=2 {
                cable.sensor_ip(&format!("link del {SENSOR_INTERFACE}")).unwrap();
                assert_eq!(changed(&mut source, 1), [LOST]);
                assert_eq!(source.describe(), "interface v1 (away)");
                assert_eq!(source.next().unwrap(), Step::Idle);
                cable.lay(1).unwrap();
                let told = changed(&mut source, 1);
                // Its cable may lead nowhere for a moment yet.
                assert_eq!(told[0], format!("opened by {}", mode.name()), "{told:?}");
                arrives(&cable, &mut source, b"after");
                let statistics = source.statistics();
                assert_eq!(statistics.interruptions, interruption);
                assert!(statistics.frames > interruption, "what was counted before stays counted");
            }
        });
    }
}

#[test]
fn an_interface_that_was_made_anew_between_two_looks_is_captured_again() {
    for mode in MODES {
        let cable =
            cable_or_skip!("interface::an_interface_that_was_made_anew_between_two_looks_is_captured_again");
        cable.at_sensor(|| {
            let mut source = Interface::open(options(mode)).unwrap();
            changes(&mut source);
            cable.sensor_ip(&format!("link del {SENSOR_INTERFACE}")).unwrap();
            cable.lay(1).unwrap();
            assert_eq!(changed(&mut source, 2)[..2], [LOST.to_owned(), format!("opened by {}", mode.name())]);
            arrives(&cable, &mut source, b"after");
        });
    }
}

#[test]
fn a_link_that_goes_down_and_up_is_told_and_goes_on() {
    for mode in MODES {
        let cable = cable_or_skip!("interface::a_link_that_goes_down_and_up_is_told_and_goes_on");
        cable.at_sensor(|| {
            let mut source = Interface::open(options(mode)).unwrap();
            changes(&mut source);
            // The cable is pulled.
            cable.sender_ip(&format!("link set {SENDER_INTERFACE} down")).unwrap();
            assert_eq!(changed(&mut source, 1), ["link down"]);
            cable.sender_ip(&format!("link set {SENDER_INTERFACE} up")).unwrap();
            assert_eq!(changed(&mut source, 1), ["link up"]);
            arrives(&cable, &mut source, b"plugged");
            assert_eq!(source.statistics().interruptions, 0);
            // It is set down here. AF_XDP stays where it is, a packet socket is opened again.
            cable.sensor_ip(&format!("link set {SENSOR_INTERFACE} down")).unwrap();
            let down = changed(&mut source, 1);
            std::thread::sleep(Duration::from_millis(100));
            cable.sensor_ip(&format!("link set {SENSOR_INTERFACE} up")).unwrap();
            let up = changed(&mut source, 1);
            match mode {
                CaptureMode::AfXdp => {
                    assert_eq!((down, up), (vec!["link down".into()], vec!["link up".into()]));
                }
                _ => assert_eq!((down, &up[0]), (vec![LOST.into()], &"opened by packet-socket".to_owned())),
            }
            arrives(&cable, &mut source, b"up");
        });
    }
}

#[test]
fn an_interface_that_is_down_is_waited_for() {
    for mode in [CaptureMode::PacketSocket, CaptureMode::AfXdp, CaptureMode::Auto] {
        let cable = cable_or_skip!("interface::an_interface_that_is_down_is_waited_for");
        cable.sensor_ip(&format!("addr flush dev {SENSOR_INTERFACE}")).unwrap();
        cable.sensor_ip(&format!("link set {SENSOR_INTERFACE} down")).unwrap();
        cable.at_sensor(|| {
            let mut source = Interface::open(options(mode)).unwrap();
            for _ in 0..10 {
                assert_eq!(source.next().unwrap(), Step::Idle);
            }
            let told = changes(&mut source);
            assert_eq!(told.last().unwrap(), LOST, "{told:?}");
            cable.sensor_ip(&format!("link set {SENSOR_INTERFACE} up")).unwrap();
            assert!(changed(&mut source, 1)[0].starts_with("opened by"), "{mode:?}");
            arrives(&cable, &mut source, b"up");
        });
    }
}

#[test]
fn more_queues_are_captured_too() {
    if let Err(reason) = Cable::new() {
        return skip!("interface::more_queues_are_captured_too", reason);
    }
    let cable = Cable::with_queues(2).unwrap();
    cable.at_sender(|| set_queues(SENDER_INTERFACE, 1, 1)).unwrap();
    cable.at_sensor(|| {
        set_queues(SENSOR_INTERFACE, 1, 1).unwrap();
        let mut source = Interface::open(options(CaptureMode::AfXdp)).unwrap();
        assert!(source.describe().contains("1 queue,"), "{}", source.describe());
        changes(&mut source);
        set_queues(SENSOR_INTERFACE, 2, 1).unwrap();
        let told = changed(&mut source, 2);
        assert!(told[0].contains("receive queues went from 1 to 2"), "{told:?}");
        assert!(source.describe().contains("2 queues,"), "{}", source.describe());
        cable.at_sender(|| set_queues(SENDER_INTERFACE, 1, 2)).unwrap();
        for n in 0..64_u8 {
            arrives(&cable, &mut source, &[n]);
        }
        assert_eq!(source.statistics().interruptions, 1);
    });
}

#[test]
fn of_auto_it_is_told_why_it_is_a_packet_socket() {
    let cable = cable_or_skip!("interface::of_auto_it_is_told_why_it_is_a_packet_socket");
    let sender = Sender::new(&cable, SENSOR_IP);
    let told = |of: CapabilitySet| {
        cable.at_sensor(|| {
            let held = capabilities(None).unwrap();
            set_capabilities(None, CapabilitySets { effective: held.effective.difference(of), ..held })
                .unwrap();
            let mut source = Interface::open(options(CaptureMode::Auto)).unwrap();
            let told = changes(&mut source);
            sender.send(b"seen in either way");
            assert_eq!(receive(&mut source, 1).0.len(), 1);
            told
        })
    };
    let nothing = CapabilitySet::empty();
    assert_eq!(
        told(nothing)[..2],
        [
            "fell back: AF_XDP would take the frames away from this host, and it has the address 10.99.0.2",
            "opened by packet-socket"
        ]
    );
    cable.sensor_ip(&format!("addr flush dev {SENSOR_INTERFACE}")).unwrap();
    assert_eq!(told(nothing)[..1], ["opened by af-xdp"]);
    assert_eq!(
        told(CapabilitySet::BPF | CapabilitySet::SYS_ADMIN)[..2],
        [
            "fell back: capturing on interface v1 needs the capability CAP_BPF, which this process does not have",
            "opened by packet-socket"
        ]
    );
    let another = AfXdpOptions { ring_mebibytes: 2, ..AfXdpOptions::new(SENSOR_INTERFACE) };
    let mut another = cable.at_sensor(|| AfXdp::open(another)).unwrap();
    let fell_back = cable.at_sensor(|| {
        let mut source = Interface::open(options(CaptureMode::Auto)).unwrap();
        changes(&mut source)
    });
    assert_eq!(
        fell_back[..2],
        [
            "fell back: another XDP program is attached to interface v1 (`ip link show dev v1` tells which)",
            "opened by packet-socket"
        ]
    );
    Sender::new(&cable, SENSOR_IP).send(b"of the other");
    assert_eq!(receive(&mut another, 1).0.len(), 1, "nothing was done to the other program");
}

#[test]
fn who_insists_on_af_xdp_is_told_why_it_cannot_be() {
    let cable = cable_or_skip!("interface::who_insists_on_af_xdp_is_told_why_it_cannot_be");
    let another = AfXdpOptions { ring_mebibytes: 2, ..AfXdpOptions::new(SENSOR_INTERFACE) };
    let _another = cable.at_sensor(|| AfXdp::open(another)).unwrap();
    let error = cable.at_sensor(|| Interface::open(options(CaptureMode::AfXdp))).err().unwrap();
    assert!(matches!(error, CaptureError::ProgramAttached { .. }), "{error}");
}

#[test]
fn an_unknown_interface_is_named() {
    for mode in [CaptureMode::PacketSocket, CaptureMode::AfXdp, CaptureMode::Auto] {
        let options = InterfaceOptions { mode, ..InterfaceOptions::new("wardwatch-none") };
        let error = Interface::open(options).err().unwrap();
        assert_eq!(error.to_string(), "there is no network interface wardwatch-none");
    }
}
