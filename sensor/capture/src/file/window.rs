//! The part of a capture file that is in memory: a window that slides over the (decompressed) bytes.
//!
//! Files are far larger than memory, so records are read through this window, which grows to the largest record
//! and never beyond [`Window::LIMIT`]. The reader of pcap-parser is not used for this: it keeps neither the cause of a
//! failed read nor a place in the file, and cannot step over a block that exceeds its buffer.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::Path;

const GZIP: &[u8] = &[0x1f, 0x8b]; // RFC 1952, section 2.3.1
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd]; // RFC 8878, section 3.1.1

/// A window over a stream of bytes.
pub(super) struct Window {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// The bytes in `buffer[start..end]` were read and not yet consumed.
    start: usize,
    end: usize,
    /// Where `start` is in the stream.
    offset: u64,
    ended: bool,
    /// Compressed data ended in the middle.
    cut: bool,
}

impl Window {
    /// The most that is held at once. The largest record allowed is half of that; options of a pcapng block come on top.
    pub(super) const LIMIT: usize = 512 * 1024;
    const FIRST: usize = 128 * 1024;

    /// Opens a file, plain or compressed with gzip or Zstandard (told from its first bytes, not from its name).
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut magic = Vec::with_capacity(ZSTANDARD.len());
        file.by_ref().take(ZSTANDARD.len() as u64).read_to_end(&mut magic)?;
        let (gzip, zstandard) = (magic.starts_with(GZIP), magic.starts_with(ZSTANDARD));
        // Put back in front instead of seeking, so that a pipe can be read too.
        let whole = Cursor::new(magic).chain(file);
        Ok(if gzip {
            Self::over(flate2::read::MultiGzDecoder::new(whole))
        } else if zstandard {
            Self::over(zstd::Decoder::new(whole)?)
        } else {
            Self::over(whole)
        })
    }

    pub(super) fn over(input: impl Read + Send + 'static) -> Self {
        Self {
            input: Box::new(input),
            buffer: vec![0; Self::FIRST],
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            cut: false,
        }
    }

    /// What is in memory and not yet consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Where [`Window::bytes`] begins in the window's memory.
    pub(super) fn place(&self) -> usize {
        self.start
    }

    /// Bytes at a place of the window's memory. They stay there when they are consumed, until [`Window::fill`] is asked for
    /// more than is in memory.
    pub(super) fn lend(&self, place: usize, length: usize) -> &[u8] {
        self.buffer.get(place..place + length).unwrap_or_default()
    }

    /// Where [`Window::bytes`] begins in the stream.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the stream ended here, as far as one can tell: nothing is left, and nothing was cut off.
    pub(super) fn at_end(&self) -> bool {
        self.ended && !self.cut && self.start == self.end
    }

    /// Reads until at least `wanted` bytes are in memory; `false` if the stream ends before.
    pub(super) fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        debug_assert!(wanted <= Self::LIMIT, "callers bound the length of a record");
        if self.end - self.start < wanted && self.buffer.len() - self.start < wanted {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted.next_power_of_two().min(Self::LIMIT), 0);
            }
        }
        while self.end - self.start < wanted && !self.ended {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The decompressors' way to say that their input stops early.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    self.ended = true;
                    self.cut = true;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.end - self.start >= wanted)
    }

    /// Leaves `length` bytes behind, reading over those that are not in memory; `false` if the stream ends before.
    pub(super) fn skip(&mut self, length: u64) -> io::Result<bool> {
        let mut left = length;
        loop {
            let here = left.min((self.end - self.start) as u64);
            self.start += here as usize; // no more than is in memory
            self.offset += here;
            left -= here;
            if left == 0 {
                return Ok(true);
            }
            if !self.fill(1)? {
                return Ok(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn a_window_slides_and_grows_to_what_is_wanted() {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| n as u8).collect();
        let mut window = Window::over(std::io::Cursor::new(bytes.clone()));
        let mut at = 0;
        for wanted in [1, 100_000, 50_000, 400_000, 16, 300_000] {
            assert!(window.fill(wanted).unwrap());
            assert_eq!(window.offset(), at as u64);
            assert_eq!(window.bytes()[..wanted], bytes[at..at + wanted]);
            assert!(window.skip(wanted as u64).unwrap());
            at += wanted;
        }
        assert!(window.buffer.len() <= Window::LIMIT);
        assert!(!window.fill(200_000).unwrap(), "fewer are left");
        assert!(window.skip(1_000_000 - at as u64).unwrap());
        assert!(window.at_end());
        assert!(!window.skip(1).unwrap());
    }
}
