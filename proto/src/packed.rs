//! How a batch travels: packed by the sensor into one frame of Zstandard (RFC 8878) which states the length of its content.
//!
//! gRPC can compress messages by itself. But a collector does little else than unpack what sensors send and lay it into the
//! log, and unpacked here it goes straight into the record that the log takes: in one step and into memory of the right size.

use std::cell::RefCell;
use std::io::{self, Cursor};

use prost::bytes::Bytes;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::get_frame_content_size;

use crate::log;

/// What the library takes unless told otherwise: it packs half a megabyte in some three milliseconds to half of that.
const LEVEL: i32 = zstd::DEFAULT_COMPRESSION_LEVEL;

/// Packs batches, one after the other.
pub struct Packer(Compressor<'static>);

impl std::fmt::Debug for Packer {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Packer").finish_non_exhaustive()
    }
}

impl Packer {
    /// # Errors
    /// Where there is no memory for it.
    pub fn new() -> io::Result<Self> {
        Compressor::new(LEVEL).map(Self)
    }

    /// An encoded [`crate::v1::Batch`] as it travels.
    ///
    /// # Errors
    /// Where there is no memory for it.
    pub fn pack(&mut self, batch: &[u8]) -> io::Result<Bytes> {
        self.0.compress(batch).map(Bytes::from)
    }
}

/// Why a batch cannot be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Its content is larger than may be.
    #[error("the batch is too large")]
    TooLarge,
    /// No frame of Zstandard that states how long its content is, or another length than it states.
    #[error("the batch is not packed as a batch is")]
    Unreadable,
}

/// A batch, and the log's record around it: the same memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// An encoded [`crate::v1::Batch`], unless the sensor packed something else.
    pub batch: Bytes,
    /// An encoded [`crate::v1::LogRecord`] that holds it.
    pub record: Bytes,
}

/// Unpacks a batch of `largest` octets at most. No more memory is taken than that, whatever the frame holds.
///
/// # Errors
/// See [`Flaw`].
pub fn unpack(packed: &[u8], largest: usize) -> Result<Unpacked, Flaw> {
    thread_local! {
        /// Its tables are some hundred kilobytes: one for each thread, not one for each sensor.
        static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    let stated = get_frame_content_size(packed).ok().flatten().ok_or(Flaw::Unreadable)?;
    let length = usize::try_from(stated).ok().filter(|length| *length <= largest).ok_or(Flaw::TooLarge)?;
    let mut record = log::begin_record(length);
    let begin = record.len();
    let mut rest = Cursor::new(&mut record);
    rest.set_position(begin as u64);
    let unpacked = UNPACKER.with_borrow_mut(|unpacker| {
        let unpacker = match unpacker {
            Some(unpacker) => unpacker,
            none => none.insert(Decompressor::new().map_err(|_| Flaw::Unreadable)?),
        };
        unpacker.decompress_to_buffer(packed, &mut rest).map_err(|_| Flaw::Unreadable)
    })?;
    if unpacked != length {
        return Err(Flaw::Unreadable);
    }
    let record = Bytes::from(record);
    Ok(Unpacked { batch: record.slice(begin..), record })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(batch: &[u8]) -> Bytes {
        Packer::new().and_then(|mut packer| packer.pack(batch)).expect("memory")
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back_in_the_logs_record(batch: Vec<u8>) {
            let unpacked = unpack(&packed(&batch), batch.len()).expect("packed here");
            prop_assert_eq!(&unpacked.record, &log::record_of_encoded_batch(&batch));
            prop_assert_eq!(unpacked.batch, batch);
        }

        #[test]
        fn other_bytes_are_told(bytes: Vec<u8>) {
            prop_assert!(unpack(&bytes, 1 << 20).is_err());
        }
    }

    #[test]
    fn a_small_frame_of_a_giant_is_not_unpacked() {
        let giant = packed(&vec![0; 1 << 20]);
        assert!(giant.len() < 1000);
        assert_eq!(unpack(&giant, (1 << 20) - 1), Err(Flaw::TooLarge));
    }

    #[test]
    fn a_frame_holds_what_it_states_and_is_alone() {
        let whole = packed(&[7; 1000]);
        assert_eq!(unpack(&whole[..whole.len() - 1], 4096), Err(Flaw::Unreadable));
        assert_eq!(unpack(&[&whole[..], &whole[..]].concat(), 4096), Err(Flaw::Unreadable));
        // A frame that states no length: written as a stream.
        let stream = zstd::stream::encode_all(&[7; 1000][..], LEVEL).expect("memory");
        assert_eq!(unpack(&stream, 4096), Err(Flaw::Unreadable));
    }
}
