//! How a record lies on the disk: CRC-32 of the rest, stamp, payload; integers little-endian.

use bytes::Bytes;

/// A record out of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the stream.
    pub offset: u64,
    /// When it was appended, in nanoseconds since 1970; never less than that of a record appended before.
    pub timestamp: i64,
    /// As appended.
    pub payload: Bytes,
}

/// What is known of a record without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordInfo {
    /// Its place in the stream.
    pub offset: u64,
    /// When it was appended, in nanoseconds since 1970.
    pub timestamp: i64,
    /// What it counts against the journal's bound.
    pub bytes: u64,
}

const CRC: usize = 4;
const HEADER: usize = CRC + 8;

/// What a record of this payload counts against the journal's bound.
pub(crate) fn stored_bytes(payload: usize) -> u64 {
    (payload + HEADER) as u64
}

/// Lays a record out; the offset is part of what the CRC covers, so that a record cannot turn up at another's place.
pub(crate) fn encode(stream: u32, offset: u64, timestamp: i64, payload: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(HEADER + payload.len());
    stored.extend_from_slice(&[0; CRC]);
    stored.extend_from_slice(&timestamp.to_le_bytes());
    stored.extend_from_slice(payload);
    let crc = crc(stream, offset, &stored[CRC..]);
    stored[..CRC].copy_from_slice(&crc.to_le_bytes());
    stored
}

/// The record, or `None` when it is not what was laid out here.
pub(crate) fn decode(stream: u32, offset: u64, stored: &[u8]) -> Option<Record> {
    let (expected, body) = stored.split_first_chunk::<CRC>()?;
    if crc(stream, offset, body) != u32::from_le_bytes(*expected) {
        return None;
    }
    let (timestamp, payload) = body.split_first_chunk::<8>()?;
    Some(Record {
        offset,
        timestamp: i64::from_le_bytes(*timestamp),
        payload: Bytes::copy_from_slice(payload),
    })
}

/// What the first bytes tell, unchecked: good for deciding what to trim.
pub(crate) fn peek(offset: u64, stored: &[u8]) -> Option<RecordInfo> {
    let (timestamp, _) = stored.get(CRC..)?.split_first_chunk::<8>()?;
    Some(RecordInfo { offset, timestamp: i64::from_le_bytes(*timestamp), bytes: stored.len() as u64 })
}

/// Lays out a small named value: CRC-32 of name and value, value.
pub(crate) fn encode_value(name: &str, value: &[u8]) -> Vec<u8> {
    let mut stored = value_crc(name, value).to_le_bytes().to_vec();
    stored.extend_from_slice(value);
    stored
}

/// The value, or `None` when it is not what was laid out here.
pub(crate) fn decode_value(name: &str, stored: &[u8]) -> Option<Vec<u8>> {
    let (expected, value) = stored.split_first_chunk::<CRC>()?;
    (value_crc(name, value) == u32::from_le_bytes(*expected)).then(|| value.to_vec())
}

fn value_crc(name: &str, value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(name.as_bytes());
    hasher.update(&[0]);
    hasher.update(value);
    hasher.finalize()
}

fn crc(stream: u32, offset: u64, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&stream.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_record_comes_back_as_it_was(stream: u32, offset: u64, timestamp: i64, payload: Vec<u8>) {
            let stored = encode(stream, offset, timestamp, &payload);
            let expected = Record { offset, timestamp, payload: payload.into() };
            prop_assert_eq!(stored.len() as u64, stored_bytes(expected.payload.len()));
            prop_assert_eq!(decode(stream, offset, &stored), Some(expected));
        }

        #[test]
        fn a_flipped_bit_or_another_place_is_noticed(payload: Vec<u8>, at: prop::sample::Index, bit in 0..8_u32) {
            let mut stored = encode(1, 2, 3, &payload);
            prop_assert_eq!(decode(1, 3, &stored), None);
            prop_assert_eq!(decode(2, 2, &stored), None);
            let at = at.index(stored.len());
            stored[at] ^= 1 << bit;
            prop_assert_eq!(decode(1, 2, &stored), None);
        }

        #[test]
        fn any_bytes_are_read_without_panic(stored: Vec<u8>) {
            let _ = decode(0, 0, &stored);
            let _ = peek(0, &stored);
        }
    }
}
