//! What kinds of devices a hospital has, and what they do on the network.
//!
//! The shares are of a large general hospital: mostly workstations, pumps and monitors, few modalities. The volumes are
//! orders of magnitude, not measurements.

use wardwatch_proto::v1::Protocol;

/// A kind of device.
pub(super) struct Kind {
    /// How many of them there are among all devices.
    pub(super) share: u16,
    /// How often one of them talks, next to others.
    pub(super) activity: u8,
    /// The first half of its MAC addresses (IEEE MA-L).
    pub(super) maker: [u8; 3],
    /// Places in [`HABITS`], with how often each.
    pub(super) habits: &'static [(usize, u16)],
}

/// Something that is done again and again.
pub(super) struct Habit {
    pub(super) group: Group,
    pub(super) port: u16,
    pub(super) ip_protocol: u8,
    pub(super) protocol: Protocol,
    /// Typical octets of payload to the server and back.
    pub(super) up: u32,
    pub(super) down: u32,
    /// The longest, in nanoseconds.
    pub(super) lasts: u64,
    /// Whether it is sent from the port that it is sent to.
    pub(super) from_its_port: bool,
}

/// Servers that do the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Names = 1,
    Directory,
    Records,
    Archive,
    Integration,
    Files,
    Pumps,
    Monitors,
    Building,
    Proxy,
    Time,
    Outside,
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLISECOND;

const fn habit(
    group: Group,
    port: u16,
    ip_protocol: u8,
    protocol: Protocol,
    volume: (u32, u32),
    lasts: u64,
) -> Habit {
    Habit { group, port, ip_protocol, protocol, up: volume.0, down: volume.1, lasts, from_its_port: false }
}

/// Everything that is done.
pub(super) const HABITS: [Habit; 14] = [
    habit(Group::Names, 53, UDP, Protocol::Dns, (40, 120), 20 * MILLISECOND),
    habit(Group::Directory, 389, TCP, Protocol::Unspecified, (600, 3_000), 2 * SECOND),
    habit(Group::Records, 443, TCP, Protocol::Tls, (3_000, 40_000), 20 * SECOND),
    habit(Group::Archive, 104, TCP, Protocol::Dicom, (500_000, 2_000), 30 * SECOND),
    habit(Group::Integration, 2575, TCP, Protocol::Hl7, (1_200, 300), 5 * SECOND),
    habit(Group::Files, 445, TCP, Protocol::Unspecified, (20_000, 60_000), 10 * SECOND),
    habit(Group::Pumps, 3613, TCP, Protocol::Unspecified, (400, 200), 3 * SECOND),
    habit(Group::Monitors, 4601, UDP, Protocol::Unspecified, (1_100, 60), 8 * SECOND),
    Habit {
        from_its_port: true,
        ..habit(Group::Building, 47_808, UDP, Protocol::Bacnet, (60, 90), 50 * MILLISECOND)
    },
    habit(Group::Proxy, 8080, TCP, Protocol::Http, (900, 15_000), 5 * SECOND),
    Habit {
        from_its_port: true,
        ..habit(Group::Time, 123, UDP, Protocol::Unspecified, (48, 48), 30 * MILLISECOND)
    },
    habit(Group::Outside, 443, TCP, Protocol::Tls, (2_000, 30_000), 20 * SECOND),
    habit(Group::Outside, 80, TCP, Protocol::Http, (500, 8_000), 5 * SECOND),
    habit(Group::Records, 80, TCP, Protocol::Http, (700, 9_000), 3 * SECOND),
];

/// Everything that does it.
pub(super) const KINDS: [Kind; 9] = [
    // Workstations.
    Kind {
        share: 400,
        activity: 8,
        maker: [0xf4, 0x8e, 0x38],
        habits: &[(0, 40), (1, 8), (2, 20), (5, 8), (9, 10), (11, 14), (12, 2), (13, 4)],
    },
    // Infusion pumps.
    Kind { share: 200, activity: 2, maker: [0x00, 0x09, 0xfb], habits: &[(0, 5), (6, 85), (10, 10)] },
    // Patient monitors.
    Kind {
        share: 120,
        activity: 4,
        maker: [0x00, 0x09, 0xfb],
        habits: &[(0, 5), (4, 25), (7, 60), (10, 10)],
    },
    // Modalities.
    Kind {
        share: 30,
        activity: 3,
        maker: [0x00, 0x01, 0xe3],
        habits: &[(0, 10), (3, 70), (4, 10), (10, 10)],
    },
    // Printers.
    Kind { share: 50, activity: 1, maker: [0x3c, 0xd9, 0x2b], habits: &[(0, 40), (5, 30), (13, 30)] },
    // Telephones.
    Kind { share: 80, activity: 2, maker: [0x00, 0x1b, 0x54], habits: &[(0, 30), (10, 30), (13, 40)] },
    // Controllers of the building.
    Kind { share: 60, activity: 3, maker: [0x00, 0x40, 0x9d], habits: &[(8, 95), (10, 5)] },
    // Analysers of the laboratory.
    Kind { share: 20, activity: 3, maker: [0x00, 0x50, 0xc2], habits: &[(0, 10), (4, 80), (10, 10)] },
    // Tablets and telephones of people.
    Kind { share: 40, activity: 6, maker: [0xac, 0xbc, 0x32], habits: &[(0, 35), (11, 60), (12, 5)] },
];
