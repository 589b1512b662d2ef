//! What is checked of a batch before it is published: whose it is, and nothing of what it says.

use bytes::Bytes;
use prost::Message as _;
use wardwatch_proto::packed;
use wardwatch_proto::v1::{BatchHeader, Hello, Submission};

/// Why a batch can never be taken; the words are a closed list and label a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Larger than the largest batch.
    TooLarge,
    /// Not packed as a batch is, or no protobuf message with a batch's header.
    Unreadable,
    /// Not of the sensor, site or boot epoch that the stream was opened for.
    Foreign,
    /// The sequence inside is not the one it was submitted under.
    OtherSequence,
}

impl Flaw {
    pub(crate) const ALL: [Self; 4] = [Self::TooLarge, Self::Unreadable, Self::Foreign, Self::OtherSequence];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too large",
            Self::Unreadable => "unreadable",
            Self::Foreign => "of another sensor",
            Self::OtherSequence => "of another sequence",
        }
    }
}

/// The log record of a batch that may be published.
pub(crate) fn check(submission: &Submission, hello: &Hello, largest: usize) -> Result<Bytes, Flaw> {
    let unpacked = packed::unpack(&submission.batch, largest).map_err(|flaw| match flaw {
        packed::Flaw::TooLarge => Flaw::TooLarge,
        packed::Flaw::Unreadable => Flaw::Unreadable,
    })?;
    let header = BatchHeader::decode(unpacked.batch).map_err(|_| Flaw::Unreadable)?;
    if header.site != hello.site || header.sensor != hello.sensor || header.epoch != hello.epoch {
        return Err(Flaw::Foreign);
    }
    if header.sequence != submission.sequence || header.sequence == 0 {
        return Err(Flaw::OtherSequence);
    }
    Ok(unpacked.record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_proto::v1::Batch;

    fn hello() -> Hello {
        Hello { site: "north".into(), sensor: "s1".into(), epoch: 7, ..Default::default() }
    }

    fn submission(batch: &Batch) -> Submission {
        packed_as_3(&batch.encode_to_vec())
    }

    fn packed_as_3(content: &[u8]) -> Submission {
        let batch = packed::Packer::new().and_then(|mut packer| packer.pack(content)).expect("memory");
        Submission { sequence: 3, batch, ..Default::default() }
    }

    fn batch() -> Batch {
        Batch { site: "north".into(), sensor: "s1".into(), epoch: 7, sequence: 3, ..Default::default() }
    }

    #[test]
    fn a_batch_of_its_sensor_passes() {
        assert!(check(&submission(&batch()), &hello(), 1000).is_ok());
    }

    #[test]
    fn a_sensor_speaks_for_itself_alone() {
        for foreign in [
            Batch { site: "south".into(), ..batch() },
            Batch { sensor: "s2".into(), ..batch() },
            Batch { epoch: 8, ..batch() },
        ] {
            assert_eq!(check(&submission(&foreign), &hello(), 1000), Err(Flaw::Foreign));
        }
        let renumbered = Batch { sequence: 4, ..batch() };
        assert_eq!(check(&submission(&renumbered), &hello(), 1000), Err(Flaw::OtherSequence));
    }

    #[test]
    fn garbage_and_giants_are_told_apart() {
        let garbage = Bytes::from_static(b"\xff\xff\xff");
        assert_eq!(check(&packed_as_3(&garbage), &hello(), 1000), Err(Flaw::Unreadable));
        let unpacked = Submission { sequence: 3, batch: garbage, ..Default::default() };
        assert_eq!(check(&unpacked, &hello(), 1000), Err(Flaw::Unreadable));
        assert_eq!(check(&submission(&batch()), &hello(), 3), Err(Flaw::TooLarge));
    }
}
