//! How facts and commands are laid into `wardwatch.facts`.

use prost::bytes::{BufMut, Bytes};
use prost::encoding::{WireType, encode_key, encode_varint};
use sha2::{Digest as _, Sha256};

/// How many partitions a site may fall into unless configured otherwise. Adding some would move sites away from
/// their state, so the number is fixed when the topic is made.
pub const DEFAULT_PARTITIONS: u32 = 64;

/// The partition a site lives in: the first eight bytes of SHA-256 of its name, modulo the number of partitions.
/// Stable over versions and languages, unlike a hash map's.
pub fn partition_of(site: &str, partitions: u32) -> u32 {
    let digest = Sha256::digest(site.as_bytes());
    let mut first = [0_u8; 8];
    first.copy_from_slice(&digest[..8]);
    (u64::from_be_bytes(first) % u64::from(partitions.max(1))) as u32
}

/// A [`crate::v1::LogRecord`] around a batch that is already encoded, without decoding it: the field's key, its
/// length, its bytes.
pub fn record_of_encoded_batch(batch: &[u8]) -> Bytes {
    let mut record = begin_record(batch.len());
    record.put_slice(batch);
    record.into()
}

/// What stands before an encoded batch of this length, and room for it.
pub(crate) fn begin_record(length: usize) -> Vec<u8> {
    let mut record = Vec::with_capacity(length + 8);
    encode_key(1, WireType::LengthDelimited, &mut record);
    encode_varint(length as u64, &mut record);
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{Batch, BatchHeader, Fact, LogRecord, Observation, fact, log_record};
    use prost::Message as _;

    fn batch() -> Batch {
        let observation = Observation { value: "x".repeat(300), ..Default::default() };
        Batch {
            site: "north".into(),
            sensor: "s1".into(),
            epoch: 7,
            sequence: 3,
            cut_at: 9,
            scope: "east".into(),
            facts: vec![Fact { fact: Some(fact::Fact::Observation(observation)) }],
        }
    }

    #[test]
    fn a_wrapped_batch_is_the_record_that_encoding_it_would_give() {
        let expected = LogRecord { record: Some(log_record::Record::Batch(batch())) }.encode_to_vec();
        assert_eq!(record_of_encoded_batch(&batch().encode_to_vec()), expected);
    }

    #[test]
    fn a_header_is_read_without_the_facts() {
        let header = BatchHeader::decode(batch().encode_to_vec().as_slice()).expect("a batch");
        assert_eq!((header.site.as_str(), header.epoch, header.sequence), ("north", 7, 3));
    }

    #[test]
    fn a_site_stays_in_its_partition() {
        // `printf north | sha256sum` begins dc365e79d41cfae1, and 0xe1 modulo 64 is 33.
        assert_eq!(partition_of("north", 64), 33);
        assert!((0..1000).map(|n| partition_of(&format!("site-{n}"), 64)).all(|p| p < 64));
        assert_eq!(partition_of("any", 0), 0);
    }
}
