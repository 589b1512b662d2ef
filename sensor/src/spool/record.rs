//! How a batch lies in the journal: the number of its facts, then its encoding.

use prost::bytes::Bytes;

use crate::batch::CutBatch;

const FACTS: usize = 4;

/// A batch as it is appended.
pub(super) fn lay_out(batch: &CutBatch) -> Vec<u8> {
    let mut payload = Vec::with_capacity(FACTS + batch.encoded.len());
    payload.extend_from_slice(&u32::try_from(batch.facts).unwrap_or(u32::MAX).to_le_bytes());
    payload.extend_from_slice(&batch.encoded);
    payload
}

/// The batch of this sequence; `None` when the record is too short to be one.
pub(super) fn read(sequence: u64, payload: &Bytes) -> Option<CutBatch> {
    let (facts, _) = payload.split_first_chunk::<FACTS>()?;
    Some(CutBatch { sequence, facts: u64::from(u32::from_le_bytes(*facts)), encoded: payload.slice(FACTS..) })
}

/// What a record takes of the disk when it counts `stored` bytes in the journal. The store gives a record of half a page or
/// more a run of pages that is a power of two, and may leave pages of smaller ones half empty.
pub(super) fn on_disk(stored: u64) -> u64 {
    const PAGE: u64 = 4096;
    /// Key, lengths and the page's own header.
    const FRAME: u64 = 48;
    let framed = stored.saturating_add(FRAME);
    if framed < PAGE / 2 { framed * 2 } else { framed.max(PAGE).next_power_of_two() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_batch_comes_back_as_it_was(sequence: u64, facts: u32, encoded: Vec<u8>) {
            let batch = CutBatch { sequence, facts: facts.into(), encoded: encoded.into() };
            let back = read(sequence, &lay_out(&batch).into()).expect("laid out here");
            prop_assert_eq!((back.sequence, back.facts, back.encoded), (batch.sequence, batch.facts, batch.encoded));
        }

        #[test]
        fn a_record_takes_no_less_than_it_holds(stored in 12..(8_u64 << 20)) {
            prop_assert!(on_disk(stored) > stored && on_disk(stored) < 2 * stored + 4096);
        }
    }
}
