//! MAC and IP addresses and the Community ID, from the bytes in a message to their usual notation.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// `aa:bb:cc:dd:ee:ff`; empty for anything but six bytes.
pub fn mac_text(mac: &[u8]) -> String {
    let mut text = String::with_capacity(17);
    let _ = write_mac(mac, &mut text);
    text
}

/// Writes what [`mac_text`] gives, digit by digit: it stands in every row of a flow, twice.
///
/// # Errors
/// Those of `text`.
pub fn write_mac(mac: &[u8], text: &mut impl fmt::Write) -> fmt::Result {
    let Ok(octets) = <[u8; 6]>::try_from(mac) else { return Ok(()) };
    for (place, octet) in octets.into_iter().enumerate() {
        if place > 0 {
            text.write_char(':')?;
        }
        for digit in [octet >> 4, octet & 0xf] {
            text.write_char(char::from_digit(digit.into(), 16).unwrap_or_default())?;
        }
    }
    Ok(())
}

/// The MAC address that is written like this: six octets in hexadecimal, joined by colons.
pub fn mac_from_text(text: &str) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    let mut parts = text.split(':');
    for octet in &mut mac {
        let part =
            parts.next().filter(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *octet = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

/// The address in 4 or 16 bytes; `None` for any other length.
pub fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(four));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// The usual notation of an address in 4 or 16 bytes; empty for any other length.
pub fn ip_text(bytes: &[u8]) -> String {
    ip(bytes).map(|address| address.to_string()).unwrap_or_default()
}

/// An address as a message carries it.
pub fn ip_bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// Community ID 1.0: `1:` and the base64 of the hash; empty where there is none.
pub fn community_id_text(hash: &[u8]) -> String {
    if hash.is_empty() { String::new() } else { format!("1:{}", STANDARD.encode(hash)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_people_write_them() {
        assert_eq!(mac_text(&[0, 9, 0xfb, 1, 2, 3]), "00:09:fb:01:02:03");
        assert_eq!(mac_text(&[]), "");
        assert_eq!(ip_text(&[192, 0, 2, 7]), "192.0.2.7");
        assert_eq!(ip_text(&ip_bytes("2001:db8::1".parse().expect("a literal"))), "2001:db8::1");
        assert_eq!(ip_text(&[1, 2, 3]), "");
    }
}
