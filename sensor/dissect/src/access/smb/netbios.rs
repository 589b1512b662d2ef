//! Packets of a NetBIOS session (RFC 1002, 4.3), which SMB directly on TCP has only one kind of.

/// Kinds of packets.
pub(super) const MESSAGE: u8 = 0x00;
pub(super) const SESSION_REQUEST: u8 = 0x81;
pub(super) const POSITIVE_RESPONSE: u8 = 0x82;
pub(super) const NEGATIVE_RESPONSE: u8 = 0x83;
pub(super) const RETARGET: u8 = 0x84;
pub(super) const KEEPALIVE: u8 = 0x85;

/// Longest pair of names: with scopes of 255 octets.
pub(super) const LONGEST_REQUEST: usize = 2 * 289;

/// What the last octet of a host's names says ([MS-NBTE], 1.8): for itself, and for what it serves. Users have others.
const OF_HOSTS: [u8; 2] = [0x00, 0x20];

/// The names of the called and the calling end, where they are those of hosts.
pub(super) fn names(body: &[u8]) -> Option<[Option<String>; 2]> {
    let (called, rest) = name(body)?;
    let (calling, rest) = name(rest)?;
    rest.is_empty().then_some([called, calling])
}

/// A name in its first-level encoding (RFC 1001, 14.1), each half of an octet a letter from A to P, padded with blanks; the
/// last octet tells what the name is for. What follows is the scope, whose labels are passed over.
fn name(bytes: &[u8]) -> Option<(Option<String>, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (letters, mut rest) = rest.split_first_chunk::<32>()?;
    if *length != 32 || !letters.iter().all(|letter| (b'A'..=b'P').contains(letter)) {
        return None;
    }
    let (pairs, _) = letters.as_chunks::<2>();
    let octets: Vec<u8> = pairs.iter().map(|[high, low]| (high - b'A') << 4 | (low - b'A')).collect();
    let (suffix, name) = octets.split_last()?;
    let is_of_host = OF_HOSTS.contains(suffix);
    let name = is_of_host.then(|| String::from_utf8_lossy(name).trim_end().to_owned());
    loop {
        let (length, behind) = rest.split_first()?;
        rest = behind.get(usize::from(*length)..)?;
        if *length == 0 {
            return Some((name, rest));
        }
    }
}
