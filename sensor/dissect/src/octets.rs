//! Numbers and pieces out of bytes that may be too few: always an answer, never a panic.

/// Two bytes in network order at this offset.
pub(crate) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    piece(bytes, at).map(u16::from_be_bytes)
}

/// Four bytes in network order at this offset.
pub(crate) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    piece(bytes, at).map(u32::from_be_bytes)
}

/// Two bytes, the lowest first, at this offset.
pub(crate) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    piece(bytes, at).map(u16::from_le_bytes)
}

/// Four bytes, the lowest first, at this offset.
pub(crate) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    piece(bytes, at).map(u32::from_le_bytes)
}

/// `N` bytes at this offset.
pub(crate) fn piece<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The part of this length at this offset.
pub(crate) fn part(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

/// The index at which this sequence begins.
pub(crate) fn find(bytes: &[u8], sequence: &[u8]) -> Option<usize> {
    bytes.windows(sequence.len().max(1)).position(|window| window == sequence)
}

/// Text in UTF-16, the least significant octet first; `None` where it is not.
pub(crate) fn utf16le(bytes: &[u8]) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    String::from_utf16(&units).ok().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_beyond_the_end_or_beyond_all_numbers_give_nothing() {
        assert_eq!(be16(&[1, 2, 3], 1), Some(0x0203));
        assert_eq!(be16(&[1, 2, 3], 2), None);
        assert_eq!(be32(&[1, 2, 3, 4], usize::MAX), None);
        assert_eq!(le16(&[1, 2, 3], 1), Some(0x0302));
        assert_eq!(le32(&[1, 2, 3, 4], 0), Some(0x0403_0201));
        assert_eq!(le32(&[1, 2, 3], 0), None);
        assert_eq!(part(&[1, 2, 3], 1, usize::MAX), None);
        assert_eq!(part(&[1, 2, 3], 1, 2), Some(&[2_u8, 3][..]));
    }

    #[test]
    fn text_of_two_octets_each_is_read_whole_or_not_at_all() {
        assert_eq!(utf16le(b"P\0C\0\xe9\0").as_deref(), Some("PCé"));
        assert_eq!(utf16le(b"P\0C"), None);
        assert_eq!(utf16le(b"\x00\xd8"), None);
        assert_eq!(find(b"abcabd", b"abd"), Some(3));
        assert_eq!(find(b"ab", b"abc"), None);
    }
}
