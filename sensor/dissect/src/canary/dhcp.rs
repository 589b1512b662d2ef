//! DHCP for IPv4 and IPv6 whose options carry canaries (RFC 2132, RFC 8415): boot files, domains, subscribers, user
//! classes, and what nobody has defined.

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, from_initiator};

type Listed = (u8, &'static str, Attribute);

/// Listed options of a client that hold text, in IPv4.
const V4: &[Listed] = &[
    (12, "pump-7", Attribute::HostName),
    (60, "MSFT 5.0", Attribute::DhcpVendorClass),
    (161, "https://pumps.example/p7", Attribute::MudUrl),
];

/// Listed options whose content has a form of its own: the list of options, the kind of message, identifiers, the full
/// name, the vendor's class; and those that are marks.
const FORMED_V4: [u8; 7] = [0, 53, 55, 61, 81, 124, 255];

const DUID: [u8; 10] = [0, 3, 0, 1, 8, 0, 0x27, 0xd4, 0x10, 0xbb];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![v4(None), v6(None)];
    for shape in BREAKERS {
        streams.extend(V4.iter().map(|(code, ..)| v4(Some((*code, shape)))));
        streams.extend([16, 112].into_iter().map(|code| v6(Some((code, shape)))));
    }
    streams
}

/// A request, with a canary in every option, in the server's name and in the boot file.
fn v4(broken: Option<(u8, &str)>) -> CanaryStream {
    let mut mint = Mint::default();
    let mut expected = Vec::new();
    let mut bytes = vec![1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0, 0];
    bytes.extend([0; 16]);
    bytes.extend([2, 0x79, 0, 0, 0, 1]);
    bytes.extend([0; 10]);
    for field in [64, 128] {
        let mut text = mint.token().into_bytes();
        text.resize(field, 0);
        bytes.extend(text);
    }
    bytes.extend([99, 130, 83, 99, 53, 1, 3, 55, 3, 1, 3, 6]);
    for code in (0_u8..=255).filter(|code| !FORMED_V4.contains(code)) {
        let value = match (V4.iter().find(|(of, ..)| *of == code), broken) {
            (Some(_), Some((of, shape))) if of == code => mint.broken(shape).into_bytes(),
            (Some((_, value, of)), _) => {
                expected.push((*of, (*value).to_owned()));
                value.as_bytes().to_vec()
            }
            // Who is behind the port, and who pays for it.
            (None, _) if code == 82 => relay(&mut mint),
            (None, _) => mint.token().into_bytes(),
        };
        bytes.extend([code, value.len() as u8]);
        bytes.extend(value);
    }
    bytes.push(255);
    expected.push((Attribute::DhcpParameterList, "1,3,6".to_owned()));
    expected.push((Attribute::AttachedPort, "vlan 20 port 1/5".to_owned()));
    let name = broken.map_or("everything".to_owned(), |(of, shape)| format!("option {of} broken, {shape}"));
    stream(format!("dhcp {name}"), 67, mint, bytes, expected)
}

/// The port, and behind it a canary in each suboption (RFC 3046, 3993 and others).
fn relay(mint: &mut Mint) -> Vec<u8> {
    let mut value = vec![1, 6, 0, 4, 0, 20, 1, 5];
    for code in 2..=13 {
        let token = mint.token();
        value.extend([code, token.len() as u8]);
        value.extend(token.as_bytes());
    }
    value
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
}

/// A solicitation, with a canary in every option.
fn v6(broken: Option<(u16, &str)>) -> CanaryStream {
    let mut mint = Mint::default();
    let mut expected = vec![(Attribute::DhcpDuid, "00030001080027d410bb".to_owned())];
    let mut bytes = vec![1, 1, 2, 3];
    bytes.extend(option(1, &DUID));
    // 64 options are read, so that the listed ones come first. Those with numbers and names in a form of their own, and
    // the server's identifier, which a solicitation does not have, are left out.
    for (code, control, of) in [
        (16_u16, "MSFT 5.0", Attribute::DhcpVendorClass),
        (112, "https://pumps.example/p7", Attribute::MudUrl),
    ] {
        let text = match broken {
            Some((broken, shape)) if broken == code => mint.broken(shape),
            _ => {
                expected.push((of, control.to_owned()));
                control.to_owned()
            }
        };
        let value = match code {
            16 => [&311_u32.to_be_bytes()[..], &(text.len() as u16).to_be_bytes(), text.as_bytes()].concat(),
            _ => text.into_bytes(),
        };
        bytes.extend(option(code, &value));
    }
    for code in (7_u16..64).filter(|code| ![9, 16, 17, 39].contains(code)) {
        bytes.extend(option(code, mint.token().as_bytes()));
    }
    let name = broken.map_or("everything".to_owned(), |(of, shape)| format!("option {of} broken, {shape}"));
    stream(format!("dhcpv6 {name}"), 547, mint, bytes, expected)
}

fn stream(
    name: String,
    port: u16,
    mint: Mint,
    bytes: Vec<u8>,
    expected: Vec<(Attribute, String)>,
) -> CanaryStream {
    let turns = vec![from_initiator(bytes)];
    CanaryStream { name, transport: Transport::Udp, port, turns, canaries: mint.canaries, expected }
}
