//! Built-in types in their binary encoding (OPC 10000-6, 5.2.2).

use crate::octets::{le16, le32};

/// Most entries of an array that are read.
const MOST_ENTRIES: u32 = 64;

/// What is left to be read. Every reading takes what it gives away, and gives nothing where too little is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(|_| ())
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        le32(self.take(4)?, 0)
    }

    /// A ByteString or String, empty where it is null.
    fn octets(&mut self) -> Option<&'a [u8]> {
        match self.number()? {
            u32::MAX => Some(&[]),
            length => self.take(length as usize),
        }
    }

    /// A ByteString; nothing where it is null or empty, and then only its length is taken.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        self.octets().filter(|octets| !octets.is_empty())
    }

    /// Steps over a String or ByteString, null or not.
    pub(super) fn bytes_or_null(&mut self) -> Option<()> {
        self.octets().map(|_| ())
    }

    /// A String, empty where it is null.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        str::from_utf8(self.octets()?).ok()
    }

    /// A LocalizedText's text.
    pub(super) fn localized(&mut self) -> Option<&'a str> {
        let mask = self.byte()?;
        if mask & 1 != 0 {
            self.bytes_or_null()?;
        }
        if mask & 2 != 0 { self.string() } else { Some("") }
    }

    /// The number of a NodeId in namespace 0; 0 for those that are no number.
    pub(super) fn node_number(&mut self) -> Option<u32> {
        // An ExpandedNodeId has two more fields, told of by the two highest bits; none of the types read has them.
        match self.byte()? {
            0 => Some(self.byte()?.into()),
            1 => {
                let id = self.take(3)?;
                let number = le16(id, 1)?;
                Some(if id.first() == Some(&0) { number.into() } else { 0 })
            }
            2 => {
                let id = self.take(6)?;
                Some(if le16(id, 0)? == 0 { le32(id, 2)? } else { 0 })
            }
            3 | 5 => {
                self.skip(2)?;
                self.bytes_or_null()?;
                Some(0)
            }
            4 => self.skip(18).map(|()| 0),
            _ => None,
        }
    }

    /// An ExtensionObject: its type's number, and its body where it is binary.
    pub(super) fn extension(&mut self) -> Option<(u32, &'a [u8])> {
        let number = self.node_number()?;
        match self.byte()? {
            0 => Some((number, &[])),
            1 => Some((number, self.octets()?)),
            2 => self.bytes_or_null().map(|()| (number, &[][..])),
            _ => None,
        }
    }

    /// How many entries an array has; nothing where it has more than are read.
    pub(super) fn count(&mut self) -> Option<u32> {
        match self.number()? {
            u32::MAX => Some(0),
            count => (count <= MOST_ENTRIES).then_some(count),
        }
    }

    /// Steps over an array of strings.
    pub(super) fn strings(&mut self) -> Option<()> {
        for _ in 0..self.count()? {
            self.bytes_or_null()?;
        }
        Some(())
    }
}
