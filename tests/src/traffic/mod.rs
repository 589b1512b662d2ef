//! Packets that are made for a purpose, as capture files.

pub mod canaries;

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use wardwatch_capture::CaptureWriter;

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

    /// Writes them to a file.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = CaptureWriter::ethernet(BufWriter::new(File::create(path)?))?;
        for (at, bytes) in &self.0 {
            file.frame(*at, u32::try_from(bytes.len()).map_err(io::Error::other)?, bytes)?;
        }
        file.finish()
    }
}
