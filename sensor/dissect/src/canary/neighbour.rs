//! LLDP and CDP whose texts carry canaries (IEEE 802.1AB, clause 8; ANSI/TIA-1057, clause 10; Cisco Discovery Protocol):
//! what people write on ports and about places, subscribers and occupants, and what nobody has defined.

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator};
use crate::Carrier;

const LLDP: Carrier = Carrier::EtherType(0x88CC);
const CDP: Carrier = Carrier::Snap { organisation: [0x00, 0x00, 0x0C], protocol: 0x2000 };

const TIA: [u8; 3] = [0x00, 0x12, 0xBB];

/// Whose TLVs there are, with those that are listed: subtype, control value, attribute.
const ORGANISATIONS: &[([u8; 3], &[Listed])] = &[
    // Their other listed ones hold no text.
    ([0x00, 0x80, 0xC2], &[]),
    ([0x00, 0x12, 0x0F], &[]),
    ([0x00, 0x0E, 0xCF], &[]),
    (
        TIA,
        &[
            (5, "5", Attribute::HardwareVersion),
            (6, "tnp65.8-4-3.bin", Attribute::FirmwareVersion),
            (7, "SCCP45.8-4-2S", Attribute::SoftwareVersion),
            (8, "FCH12345678", Attribute::SerialNumber),
            (9, "Acme Phones", Attribute::Manufacturer),
            (10, "CP-7965G", Attribute::Model),
            (11, "H-00417", Attribute::AssetTag),
        ],
    ),
    ([0x00, 0x00, 0x5E], &[(1, "https://phones.example/p7", Attribute::MudUrl)]),
];

type Listed = (u16, &'static str, Attribute);

/// Listed TLVs of LLDP itself.
const OF_LLDP: &[Listed] = &[
    (5, "phone-7.example", Attribute::HostName),
    (6, "Acme phone, Version 8", Attribute::SystemDescription),
];

/// Listed elements of a civic address (RFC 4776, 3.4).
const PLACES: &[(u8, &str)] = &[(25, "C"), (26, "4"), (27, "2"), (28, "204")];
const PLACE: &str = "building C, unit 4, floor 2, room 204";

/// Listed TLVs of CDP.
const OF_CDP: &[Listed] = &[
    (0x01, "switch-7", Attribute::HostName),
    (0x03, "FastEthernet0/13", Attribute::LinkPort),
    (0x05, "Acme Switch Software, Version 8", Attribute::SystemDescription),
    (0x06, "acme S-24", Attribute::Model),
    (0x14, "switch-7.example", Attribute::HostName),
];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![lldp(None), cdp(None)];
    for shape in BREAKERS {
        let of_organisations = ORGANISATIONS.iter().flat_map(|(_, listed)| listed.iter());
        let of_lldp = OF_LLDP.iter().chain(of_organisations).map(|(_, _, of)| *of);
        streams.extend(of_lldp.map(|of| lldp(Some((of, shape)))));
        streams.extend([1, 3, 5, 6, 0x14].into_iter().map(|kind| cdp(Some((kind, shape)))));
    }
    streams
}

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    [&(u16::from(kind) << 9 | value.len() as u16).to_be_bytes()[..], value].concat()
}

fn specific(organisation: [u8; 3], subtype: u16, value: &[u8]) -> Vec<u8> {
    tlv(127, &[&organisation[..], &[subtype as u8], value].concat())
}

/// A message of a phone, everywhere a canary but in what is listed; one listed attribute may be broken.
fn lldp(broken: Option<(Attribute, &str)>) -> CanaryStream {
    let mut mint = Mint::default();
    let mut expected = Vec::new();
    let mut value = |mint: &mut Mint, (_, control, of): &Listed| match broken {
        Some((attribute, shape)) if attribute == *of => mint.broken(shape),
        _ => {
            expected.push((*of, (*control).to_owned()));
            (*control).to_owned()
        }
    };
    // The port by an alias, and then by a description that people wrote.
    let alias = tlv(2, format!("\x01{}", mint.token()).as_bytes());
    let mut tlvs = vec![tlv(1, &[4, 2, 0x79, 0, 0, 0, 2]), alias, tlv(3, &[0, 120])];
    tlvs.push(tlv(4, format!("{} room 7", mint.token()).as_bytes()));
    // The class of a phone comes first.
    tlvs.push(specific(TIA, 1, &[0, 0x33, 3]));
    tlvs.push(specific(TIA, 3, &civic(&mut mint)));
    tlvs.push(specific(TIA, 3, format!("\x03{}", mint.token()).as_bytes()));
    for listed in OF_LLDP {
        tlvs.push(tlv(listed.0 as u8, value(&mut mint, listed).as_bytes()));
    }
    for (organisation, listed) in ORGANISATIONS {
        // The subtypes that hold numbers and addresses would read a token as such.
        for subtype in (0..=40).filter(|subtype| *organisation != TIA || !(1..=4).contains(subtype)) {
            let text = match listed.iter().find(|(of, ..)| *of == subtype) {
                Some(listed) => value(&mut mint, listed),
                None => mint.token(),
            };
            tlvs.push(specific(*organisation, subtype, text.as_bytes()));
        }
    }
    tlvs.extend((9..127).map(|kind| tlv(kind, mint.token().as_bytes())));
    tlvs.push(tlv(0, &[]));
    expected.push((Attribute::Role, "med-communication-device".to_owned()));
    expected.push((Attribute::Location, PLACE.to_owned()));
    let name = broken.map_or("everything".to_owned(), |(of, shape)| format!("{of:?} broken, {shape}"));
    stream(format!("lldp {name}"), LLDP, mint, tlvs.concat(), expected)
}

/// An address whose listed elements are the place, and whose others, the occupant's name among them, are canaries.
fn civic(mint: &mut Mint) -> Vec<u8> {
    let elements = (0_u8..=40).flat_map(|kind| {
        let listed = PLACES.iter().find(|(of, _)| *of == kind);
        // The length of all is one octet: of the others only some carry a canary, the occupant and what is added among them.
        let text = match (listed, kind) {
            (Some((_, value)), _) => (*value).to_owned(),
            (None, 1..=3 | 6 | 22..=24 | 29) => mint.token(),
            _ => String::new(),
        };
        [&[kind, text.len() as u8][..], text.as_bytes()].concat()
    });
    let elements: Vec<u8> = elements.collect();
    [&[2, elements.len() as u8 + 3, 1][..], b"DE", &elements].concat()
}

/// A message of a switch, likewise.
fn cdp(broken: Option<(u16, &str)>) -> CanaryStream {
    let mut mint = Mint::default();
    let mut expected = Vec::new();
    let mut bytes = vec![2, 180, 0, 0];
    // The native VLAN, the capabilities and the addresses are numbers; the location is listed.
    for kind in (0x00..=0x40).filter(|kind| ![0x02, 0x04, 0x0A, 0x16, 0x17].contains(kind)) {
        let value = match (OF_CDP.iter().find(|(of, ..)| *of == kind), broken) {
            (Some(_), Some((of, shape))) if of == kind => mint.broken(shape),
            (Some((_, value, of)), _) => {
                expected.push((*of, (*value).to_owned()));
                (*value).to_owned()
            }
            (None, _) => mint.token(),
        };
        bytes.extend(kind.to_be_bytes());
        bytes.extend((value.len() as u16 + 4).to_be_bytes());
        bytes.extend(value.as_bytes());
    }
    let name = broken.map_or("everything".to_owned(), |(of, shape)| format!("{of} broken, {shape}"));
    stream(format!("cdp {name}"), CDP, mint, bytes, expected)
}

fn stream(
    name: String,
    carrier: Carrier,
    mint: Mint,
    bytes: Vec<u8>,
    expected: Vec<(Attribute, String)>,
) -> CanaryStream {
    let turns: Vec<Turn> = vec![from_initiator(bytes)];
    CanaryStream {
        name,
        transport: Transport::Link(carrier),
        port: 0,
        turns,
        canaries: mint.canaries,
        expected,
    }
}
