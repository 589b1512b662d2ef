//! JA4, the fingerprint of a TLS client: <https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md>.
//!
//! `t13d1516h2_8daaf6152771_e5627efa2ab1`: transport, highest version, whether a server is named, counts of ciphers
//! and extensions, first and last character of the first application protocol; a hash of the sorted ciphers; a hash
//! of the sorted extensions and the signature algorithms as they came. GREASE values (RFC 8701), which clients draw
//! at random, are left out everywhere.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::hello::Transport;

/// Extensions that the first part tells of already.
const SERVER_NAME: u16 = 0;
const APPLICATION_PROTOCOLS: u16 = 16;

/// What stands for the hash of nothing.
const NOTHING: &str = "000000000000";

/// What a client's hello offers, GREASE included.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// The version in the hello itself.
    pub(super) version: u16,
    /// Cipher suites in their order.
    pub(super) ciphers: Vec<u16>,
    /// Types of the extensions in their order.
    pub(super) extensions: Vec<u16>,
    /// The extension of that name; empty without it.
    pub(super) supported_versions: Vec<u16>,
    /// The extension of that name, in its order.
    pub(super) signature_algorithms: Vec<u16>,
    /// The first protocol name in the ALPN extension; empty without it.
    pub(super) first_protocol: Vec<u8>,
}

/// The fingerprint of an offer made over this transport.
pub(super) fn fingerprint(transport: Transport, offer: &Offer) -> String {
    let mut ciphers = without_grease(&offer.ciphers);
    let mut extensions = without_grease(&offer.extensions);
    let head = format!(
        "{transport}{version}{named}{ciphers:02}{extensions:02}{protocol}",
        transport = transport.letter(),
        version = version(transport, offer),
        named = if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' },
        ciphers = ciphers.len().min(99),
        extensions = extensions.len().min(99),
        protocol = protocol(&offer.first_protocol),
    );
    ciphers.sort_unstable();
    extensions.retain(|kind| !matches!(*kind, SERVER_NAME | APPLICATION_PROTOCOLS));
    extensions.sort_unstable();
    let algorithms = list(&without_grease(&offer.signature_algorithms));
    let mut extended = list(&extensions);
    if !extended.is_empty() && !algorithms.is_empty() {
        extended = format!("{extended}_{algorithms}");
    }
    format!("{head}_{}_{}", hash(&list(&ciphers)), hash(&extended))
}

/// Both octets are equal and end in `A` (RFC 8701, 2).
fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0F == 0x0A
}

fn without_grease(values: &[u16]) -> Vec<u16> {
    values.iter().copied().filter(|value| !is_grease(*value)).collect()
}

/// The newest version that is offered. Those of DTLS count downwards.
fn version(transport: Transport, offer: &Offer) -> &'static str {
    let supported = without_grease(&offer.supported_versions).into_iter();
    let newest = if transport == Transport::Dtls { supported.min() } else { supported.max() };
    match newest.unwrap_or(offer.version) {
        0xFEFC => "d3",
        0xFEFD => "d2",
        0xFEFF => "d1",
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// First and last character of the name, or of its hexadecimal form when one of them is neither letter nor digit.
fn protocol(name: &[u8]) -> String {
    let (Some(first), Some(last)) = (name.first(), name.last()) else { return "00".to_owned() };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(*first), char::from(*last)].iter().collect();
    }
    format!("{:x}{:x}", first >> 4, last & 0x0F)
}

/// `0005,000a,...`
fn list(values: &[u16]) -> String {
    let mut text = String::with_capacity(values.len() * 5);
    for (position, value) in values.iter().enumerate() {
        let separator = if position == 0 { "" } else { "," };
        let _ = write!(text, "{separator}{value:04x}");
    }
    text
}

/// The first twelve hexadecimal digits of the SHA-256.
fn hash(text: &str) -> String {
    if text.is_empty() {
        return NOTHING.to_owned();
    }
    Sha256::digest(text).iter().take(6).fold(String::with_capacity(12), |mut digits, octet| {
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification, with GREASE values where Chrome puts them.
    fn specified() -> Offer {
        Offer {
            version: 0x0303,
            ciphers: vec![
                0x2A2A, 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013,
                0xC014, 0x009C, 0x009D, 0x002F, 0x0035,
            ],
            extensions: vec![
                0x8A8A, 0x001B, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002D, 0x000D, 0x0005, 0x0023,
                0x0012, 0x002B, 0xFF01, 0x000B, 0x000A, 0x0015, 0xBABA,
            ],
            supported_versions: vec![0x6A6A, 0x0304, 0x0303],
            signature_algorithms: vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            first_protocol: b"h2".to_vec(),
        }
    }

    #[test]
    fn the_specifications_example_comes_out() {
        assert_eq!(fingerprint(Transport::Tcp, &specified()), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn the_first_letter_tells_the_transport() {
        assert_eq!(fingerprint(Transport::Quic, &specified()), "q13d1516h2_8daaf6152771_e5627efa2ab1");
        // DTLS 1.3 is newer than 1.2 and a smaller number (RFC 9147, 5.3).
        let offer = Offer { supported_versions: vec![0xFEFD, 0xFEFC], ..specified() };
        assert!(fingerprint(Transport::Dtls, &offer).starts_with("dd3d1516h2_"));
    }

    #[test]
    fn the_order_of_ciphers_and_extensions_does_not_matter() {
        let mut offer = specified();
        offer.ciphers.reverse();
        offer.extensions.rotate_left(5);
        assert_eq!(fingerprint(Transport::Tcp, &offer), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn the_order_of_signature_algorithms_matters() {
        let mut offer = specified();
        offer.signature_algorithms.reverse();
        assert_ne!(fingerprint(Transport::Tcp, &offer), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn a_hello_without_anything_is_all_zeroes() {
        let bare = Offer { version: 0x0300, ..Offer::default() };
        assert_eq!(fingerprint(Transport::Tcp, &bare), "ts3i000000_000000000000_000000000000");
    }

    #[test]
    fn without_signature_algorithms_the_list_ends_with_the_extensions() {
        // sha256sum of "0005,000a".
        let offer = Offer { extensions: vec![0x0A, 0x05], ..Offer::default() };
        assert_eq!(fingerprint(Transport::Tcp, &offer), "t00i000200_000000000000_ecbe99380d04");
    }

    #[test]
    fn counts_end_at_99() {
        let offer = Offer { ciphers: (0..150).map(|n| 0x1000 + n).collect(), ..Offer::default() };
        assert!(fingerprint(Transport::Tcp, &offer).starts_with("t00i990000_"));
    }

    #[test]
    fn protocol_names_are_shortened_as_the_specification_says() {
        // The table of the specification for first and last octets that are no letters or digits.
        for (name, short) in [
            (&b""[..], "00"),
            (b"h2", "h2"),
            (b"http/1.1", "h1"),
            (b"h", "hh"),
            (b"\xAB", "ab"),
            (b"\xAB\xCD", "ad"),
            (b"\x30\xAB", "3b"),
            (b"\x30\x31\xAB\xCD", "3d"),
            (b"\x30\xAB\xCD\x31", "01"),
        ] {
            assert_eq!(protocol(name), short, "{name:x?}");
        }
    }

    #[test]
    fn grease_is_both_octets() {
        assert!(is_grease(0x0A0A) && is_grease(0xFAFA));
        assert!(!is_grease(0x1A2A) && !is_grease(0x0A0B));
    }
}
