//! The algorithms that a side offers (RFC 4253, 7.1), their fingerprint (HASSH), and the host key in the server's answer.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};

use crate::octets::{be32, part};

/// Lists in an offer.
const LISTS: usize = 10;

/// What a side offers; the lists as they are sent, names joined by commas.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offers<'a>([&'a str; LISTS]);

impl Offers<'_> {
    /// HASSH: of key exchange, and what the client would encrypt, authenticate and compress with.
    pub(super) fn of_client(&self) -> String {
        let Self([kex, _, cipher, _, mac, _, compression, ..]) = self;
        fingerprint([kex, cipher, mac, compression])
    }

    /// The same of a server.
    pub(super) fn of_server(&self) -> String {
        let Self([kex, _, _, cipher, _, mac, _, compression, ..]) = self;
        fingerprint([kex, cipher, mac, compression])
    }
}

fn fingerprint(lists: [&str; 4]) -> String {
    hexadecimal(&Md5::digest(lists.join(";")))
}

pub(super) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut digits, octet| {
        // Writing into a string does not fail.
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}

/// Reads the body of a KEXINIT: a cookie of 16 octets, the lists, a flag, four octets that are reserved.
pub(super) fn offers(body: &[u8]) -> Option<Offers<'_>> {
    let mut rest = body.get(16..)?;
    let mut lists = [""; LISTS];
    for list in &mut lists {
        let (text, behind) = string(rest)?;
        if !text.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        *list = str::from_utf8(text).ok()?;
        rest = behind;
    }
    let [kex, ..] = lists;
    (rest.len() == 5 && !kex.is_empty()).then_some(Offers(lists))
}

/// The host key at the beginning of the server's answer in all usual exchanges. In the exchange of groups, the same
/// number is that of the group, which has no algorithm's name in its place.
pub(super) fn host_key(body: &[u8]) -> Option<&[u8]> {
    let (key, _) = string(body)?;
    let (algorithm, parameters) = string(key)?;
    let is_name = (3..=64).contains(&algorithm.len())
        && algorithm.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.@_".contains(byte));
    (is_name && !parameters.is_empty()).then_some(key)
}

/// A string with its length before it (RFC 4251, 5), and what follows.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(be32(bytes, 0)?).ok()?;
    Some((part(bytes, 4, length)?, bytes.get(length.checked_add(4)?..)?))
}
