//! Captures as files: for what is made to be read again, in tests and to measure with. The sensor records nothing.

use std::io::{self, Write};

use super::record::LONGEST_PACKET;

/// Writes Ethernet frames in the classic pcap format (draft-ietf-opsawg-pcap), with nanoseconds.
#[derive(Debug)]
pub struct CaptureWriter<W> {
    out: W,
}

impl<W: Write> CaptureWriter<W> {
    /// Begins a capture: magic number, version 2.4, two fields that are not used, the longest frame, link type 1.
    pub fn ethernet(mut out: W) -> io::Result<Self> {
        for field in [0xa1b2_3c4d, 0x0004_0002, 0, 0, LONGEST_PACKET as u32, 1] {
            out.write_all(&u32::to_le_bytes(field))?;
        }
        Ok(Self { out })
    }

    /// Writes a frame that passed at this time, in nanoseconds since the Unix epoch, and that was so long on the wire.
    ///
    /// Fails for a time that the format cannot tell, which are those from the year 2106 on, and for a frame that is longer than any that is read.
    pub fn frame(&mut self, at: u64, wire_length: u32, bytes: &[u8]) -> io::Result<()> {
        let unfit = || io::Error::from(io::ErrorKind::InvalidInput);
        let seconds = u32::try_from(at / 1_000_000_000).map_err(|_| unfit())?;
        if bytes.len() > LONGEST_PACKET {
            return Err(unfit());
        }
        for field in [seconds, (at % 1_000_000_000) as u32, bytes.len() as u32, wire_length] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        self.out.write_all(bytes)
    }

    /// Sees that all of it has left this program's buffers.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}
