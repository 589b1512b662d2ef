//! What the readers of both file formats have in common.

use std::io;

use super::window::Window;
use crate::LinkType;

/// The longest packet taken from a file, in bytes: what Wireshark and libpcap take at most. A longer one is a sign of
/// damage, not of a packet.
pub(super) const LONGEST_PACKET: usize = 256 * 1024;

/// A packet that lies in the window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    /// Nanoseconds since the Unix epoch, `None` if the record tells no time that can be expressed so.
    pub(super) time: Option<u64>,
    pub(super) wire_length: u32,
    pub(super) link: LinkType,
    /// Where the packet begins, in the window's bytes before the record is consumed and in its memory after that, and how many
    /// bytes were captured.
    pub(super) start: usize,
    pub(super) length: usize,
    /// How much of the window the record takes, headers and all.
    pub(super) size: usize,
}

/// What comes next in a file.
pub(super) enum Next {
    Record(Record),
    /// A record that is no packet although it should be one, and how much of the window it takes.
    Malformed(usize),
    /// The file ends behind a record.
    End,
    /// The file ends in the middle of a record.
    Cut,
}

/// Why reading cannot go on.
#[derive(Debug)]
pub(super) enum Fault {
    /// The bytes behind the window could not be read.
    Read(io::Error),
    /// What begins at an offset of the file is not what it should be.
    Format { offset: u64, reason: String },
}

impl Fault {
    /// A fault in what the window begins with.
    pub(super) fn here(window: &Window, reason: impl Into<String>) -> Self {
        Self::Format { offset: window.offset(), reason: reason.into() }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// The byte order of a file (pcap) or a section (pcapng).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The 16-bit number at a place, 0 beyond the end.
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let field = bytes.get(at..at + 2).and_then(|field| field.try_into().ok()).unwrap_or_default();
        match self {
            Self::Little => u16::from_le_bytes(field),
            Self::Big => u16::from_be_bytes(field),
        }
    }

    /// The 32-bit number at a place, 0 beyond the end.
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok()).unwrap_or_default();
        match self {
            Self::Little => u32::from_le_bytes(field),
            Self::Big => u32::from_be_bytes(field),
        }
    }
}
