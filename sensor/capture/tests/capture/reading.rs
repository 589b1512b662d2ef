//! A file read to its end, for looking at.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;
use wardwatch_capture::{
    CaptureError, CaptureFile, Frame, LinkType, MOST_FRAMES, Pace, Source, Statistics, Step,
};

/// A frame that outlives its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) at: u64,
    pub(crate) wire_length: u32,
    pub(crate) link: LinkType,
    pub(crate) bytes: Vec<u8>,
}

impl From<Frame<'_>> for Seen {
    fn from(frame: Frame<'_>) -> Self {
        assert_eq!(frame.vlan, None, "files keep VLAN tags in the bytes");
        Self { at: frame.at, wire_length: frame.wire_length, link: frame.link, bytes: frame.bytes.to_vec() }
    }
}

/// What came out of a file.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) frames: Vec<Seen>,
    pub(crate) statistics: Statistics,
    /// The error that reading stopped with, if any.
    pub(crate) error: Option<CaptureError>,
}

impl Reading {
    pub(crate) fn times(&self) -> Vec<u64> {
        self.frames.iter().map(|frame| frame.at).collect()
    }

    pub(crate) fn packets(&self) -> Vec<&[u8]> {
        self.frames.iter().map(|frame| frame.bytes.as_slice()).collect()
    }
}

/// A file with the given bytes, gone when dropped.
pub(crate) fn written(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("the temporary file takes the bytes");
    file
}

/// Reads a file from memory; it must open.
pub(crate) fn read(bytes: &[u8]) -> Reading {
    read_path(written(bytes).path()).expect("the file opens")
}

/// Reads a file until its end or an error, and checks what holds for every file.
pub(crate) fn read_path(path: &Path) -> Result<Reading, CaptureError> {
    let mut file = CaptureFile::open(path, Pace::Full)?;
    let mut frames = Vec::new();
    let error = loop {
        match file.next() {
            Ok(Step::Frames(some)) => {
                assert!((1..=MOST_FRAMES).contains(&some.len()));
                frames.extend(some.into_iter().map(Seen::from));
            }
            Ok(Step::Idle) => panic!("there is always something to do at full speed"),
            Ok(Step::End) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(file.next(), Ok(Step::End)), "after the end comes the end");
    let statistics = file.statistics();
    assert_eq!(statistics.frames, frames.len() as u64);
    assert_eq!(statistics.bytes, frames.iter().map(|frame| frame.bytes.len() as u64).sum());
    Ok(Reading { frames, statistics, error })
}
