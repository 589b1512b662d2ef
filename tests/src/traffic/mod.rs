//! Packets that are made for a purpose, as capture files.

pub mod canaries;

use std::path::Path;
use std::{fs, io};

/// Packets as they are written into a capture file, each with its time in nanoseconds since the Unix epoch.
#[derive(Debug, Default)]
pub struct Capture(Vec<(u64, Vec<u8>)>);

impl Capture {
    /// Adds an Ethernet frame.
    pub fn frame(&mut self, at: u64, bytes: Vec<u8>) {
        self.0.push((at, bytes));
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.0.len()
    }

    /// Writes a pcap file with nanoseconds (magic number A1B23C4D) and link type 1, Ethernet.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = Vec::new();
        for word in [0xA1B2_3C4D_u32, 0x0004_0002, 0, 0, 1 << 18, 1] {
            file.extend(word.to_le_bytes());
        }
        for (at, bytes) in &self.0 {
            let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
            let seconds = u32::try_from(at / 1_000_000_000).map_err(io::Error::other)?;
            for word in [seconds, (at % 1_000_000_000) as u32, length, length] {
                file.extend(word.to_le_bytes());
            }
            file.extend(bytes);
        }
        fs::write(path, file)
    }
}
