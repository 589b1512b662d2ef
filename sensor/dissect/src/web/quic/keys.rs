//! The keys of Initial packets (RFC 9001, 5; RFC 9369, 3.3). They protect against nobody who sees the client's first
//! packet: they are made of a published salt and of the connection identifier in it.

use ring::aead::quic::{AES_128, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use super::packet::{Packet, Version};
use crate::octets::part;

/// RFC 9001, 5.2; RFC 9369, 3.3.1; and of the drafts.
const SALT_1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
    0xbb, 0x7f, 0x0a,
];
const SALT_2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
    0xbd, 0x2e, 0xd9,
];
const SALT_DRAFT_29: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
    0x90, 0xa8, 0x99,
];

/// Longest packet that is opened: what a jumbo frame holds.
const LONGEST_PACKET: usize = 9216;

/// Both sides' keys.
pub(super) struct Secrets {
    pub(super) client: Keys,
    pub(super) server: Keys,
}

/// What protects one side's Initial packets.
pub(super) struct Keys {
    contents: LessSafeKey,
    initial_vector: [u8; 12],
    header: HeaderProtectionKey,
}

impl Secrets {
    /// Of the connection that a client began with this identifier.
    pub(super) fn of(version: Version, identifier: &[u8]) -> Option<Self> {
        let salt = match version {
            Version::Draft29 => SALT_DRAFT_29,
            Version::One => SALT_1,
            Version::Two => SALT_2,
        };
        let initial = Salt::new(HKDF_SHA256, &salt).extract(identifier);
        Some(Self {
            client: Keys::of(version, &initial, "client in")?,
            server: Keys::of(version, &initial, "server in")?,
        })
    }
}

impl Keys {
    fn of(version: Version, initial: &Prk, side: &str) -> Option<Self> {
        let [key, vector, header] = match version {
            Version::Two => ["quicv2 key", "quicv2 iv", "quicv2 hp"],
            Version::One | Version::Draft29 => ["quic key", "quic iv", "quic hp"],
        };
        let secret = Prk::new_less_safe(HKDF_SHA256, &expand::<32>(initial, side)?);
        let contents = UnboundKey::new(&AES_128_GCM, &expand::<16>(&secret, key)?).ok()?;
        Some(Self {
            contents: LessSafeKey::new(contents),
            initial_vector: expand(&secret, vector)?,
            header: HeaderProtectionKey::new(&AES_128, &expand::<16>(&secret, header)?).ok()?,
        })
    }

    /// The frames in a packet, if these keys protect it: the tag of 16 octets proves it.
    pub(super) fn open(&self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        if packet.bytes.len() > LONGEST_PACKET {
            return None;
        }
        // RFC 9001, 5.4: the mask is made of what stands behind the longest possible number.
        let sample = part(packet.bytes, packet.number_at.checked_add(4)?, 16)?;
        let [of_first, of_number @ ..] = self.header.new_mask(sample).ok()?;
        let first = packet.bytes.first()? ^ of_first & 0x0F;
        let length = usize::from(first & 3) + 1;
        let (header, contents) = packet.bytes.split_at_checked(packet.number_at.checked_add(length)?)?;
        let mut header = header.to_vec();
        *header.first_mut()? = first;
        for (octet, mask) in header.iter_mut().skip(packet.number_at).zip(of_number) {
            *octet ^= mask;
        }
        // Initial packets are counted from 0 and are few: the number is not shortened (RFC 9000, 17.1).
        let mut nonce = self.initial_vector;
        for (octet, number) in nonce.iter_mut().rev().zip(header.iter().rev().take(length)) {
            *octet ^= number;
        }
        let mut contents = contents.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let frames = self.contents.open_in_place(nonce, Aad::from(&header), &mut contents).ok()?.len();
        contents.truncate(frames);
        Some(contents)
    }
}

/// HKDF-Expand-Label without a context (RFC 8446, 7.1).
fn expand<const N: usize>(secret: &Prk, label: &str) -> Option<[u8; N]> {
    let length = u16::try_from(N).ok()?.to_be_bytes();
    let label_length = [u8::try_from("tls13 ".len() + label.len()).ok()?];
    let info = [&length[..], &label_length, b"tls13 ", label.as_bytes(), &[0]];
    let mut key = [0; N];
    secret.expand(&info, Length(N)).ok()?.fill(&mut key).ok()?;
    Some(key)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
impl Keys {
    /// A protected packet of these frames; the header ends with the number.
    pub(super) fn seal(&self, header: &[u8], number_at: usize, frames: &[u8]) -> Vec<u8> {
        let number = header.get(number_at..).expect("a number");
        let mut nonce = self.initial_vector;
        for (octet, number) in nonce.iter_mut().rev().zip(number.iter().rev()) {
            *octet ^= number;
        }
        let mut contents = frames.to_vec();
        self.contents
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header), &mut contents)
            .expect("room for the tag");
        let mut packet = [header, &contents].concat();
        let [of_first, of_number @ ..] =
            self.header.new_mask(&packet[number_at + 4..number_at + 20]).expect("a sample");
        packet[0] ^= of_first & 0x0F;
        for (octet, mask) in packet[number_at..header.len()].iter_mut().zip(of_number) {
            *octet ^= mask;
        }
        packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9001, A.1 and RFC 9369, A.1: from the connection identifier 0x8394c8f03e515708.
    const IDENTIFIER: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

    #[test]
    fn the_keys_are_those_of_the_rfcs() {
        let initial = Salt::new(HKDF_SHA256, &SALT_1).extract(&IDENTIFIER);
        let client =
            Prk::new_less_safe(HKDF_SHA256, &expand::<32>(&initial, "client in").expect("32 octets"));
        assert_eq!(
            expand::<16>(&client, "quic key"),
            Some(0x1f36_9613_dd76_d546_7730_efcb_e3b1_a22d_u128.to_be_bytes())
        );
        assert_eq!(
            expand::<16>(&client, "quic hp"),
            Some(0x9f50_449e_04a0_e810_283a_1e99_33ad_edd2_u128.to_be_bytes())
        );
        let initial = Salt::new(HKDF_SHA256, &SALT_2).extract(&IDENTIFIER);
        let client =
            Prk::new_less_safe(HKDF_SHA256, &expand::<32>(&initial, "client in").expect("32 octets"));
        assert_eq!(
            expand::<16>(&client, "quicv2 key"),
            Some(0x8b1a_0bc1_2128_4290_a29e_0971_b5cd_045d_u128.to_be_bytes())
        );
    }
}
