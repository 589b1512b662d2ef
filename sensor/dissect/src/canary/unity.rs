//! Beacons of monitors with a patient's name (octets 28 to 42) and with canaries behind what is listed.

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, from_initiator};

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![beacon("unity everything".to_owned(), Mint::default(), "ICU3|BED07")];
    for shape in BREAKERS {
        let mut mint = Mint::default();
        // Ward and bed have sixteen octets, so the canary is the whole of one, with as much of the shape as fits.
        mint.canaries.push("CNRY7".to_owned());
        let bed: String = shape.replace("{}", "CNRY7").chars().take(13).collect();
        streams.push(beacon(format!("unity bed broken, {shape}"), mint, &format!("W1|{bed}")));
    }
    streams
}

/// The beacon of the canaries' initiator, 10.73.0.1.
fn beacon(name: String, mut mint: Mint, place: &str) -> CanaryStream {
    let mut bytes = vec![0_u8; 88];
    let mut lay = |at: usize, octets: &[u8]| {
        bytes.iter_mut().skip(at).zip(octets).for_each(|(octet, value)| *octet = *value);
    };
    lay(0, &[1, 4, 0, 0, 10, 73, 0, 1, 0x69, 0xB6, 0xE5, 0xC0]);
    lay(12, place.as_bytes());
    lay(28, mint.token().as_bytes());
    lay(43, &[2, 0, 3, 7, 0xD0, 0, 0x11, 0, 0x20]);
    lay(72, mint.token().as_bytes());
    let mut expected = vec![(Attribute::Role, "unity-monitor".to_owned())];
    if place == "ICU3|BED07" {
        expected.push((Attribute::Department, "ICU3".to_owned()));
        expected.push((Attribute::Location, "ICU3/BED07".to_owned()));
    }
    let turns = vec![from_initiator(bytes)];
    CanaryStream { name, transport: Transport::Udp, port: 7000, turns, canaries: mint.canaries, expected }
}
