//! One capture made of many: each several times, every time between other addresses and later, so that each copy is of new
//! flows.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use wardwatch_capture::{CaptureWriter, LinkType, captures_below};
use wardwatch_tests::oracle::stated::{self, Framed};

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Mix {
    /// Captures that are in it.
    pub(super) captures: usize,
    /// Captures that are not, since their frames begin with another link's header: a file of the classic format has one.
    pub(super) other_links: usize,
    pub(super) frames: u64,
    /// Captured octets of all frames.
    pub(super) octets: u64,
}

/// Between two captures, in nanoseconds.
const PAUSE: u64 = 1_000_000_000;

/// Between two frames of one capture at most, in nanoseconds: nobody waits for the night to pass.
const LONGEST_SILENCE: u64 = 5_000_000_000;

/// When the mix begins, in nanoseconds since the Unix epoch.
const BEGIN: u64 = 1_750_000_000_000_000_000;

impl Mix {
    /// Writes all captures in a folder so many times each to one file.
    pub(super) fn write(folder: &Path, copies: u8, to: &Path) -> Result<Self> {
        let mut mix = Self::default();
        let mut captures = Vec::new();
        for path in captures_below(folder)? {
            match read(&path).with_context(|| format!("read {}", path.display()))? {
                Some(frames) => captures.push(frames),
                None => mix.other_links += 1,
            }
        }
        ensure!(!captures.is_empty(), "there is no capture of Ethernet in {}", folder.display());
        mix.captures = captures.len();
        let out = BufWriter::with_capacity(1 << 20, File::create(to).context("make the mix")?);
        let mut out = CaptureWriter::ethernet(out)?;
        let (mut clock, mut bytes) = (BEGIN, Vec::new());
        for copy in 0..copies {
            for frames in &captures {
                for frame in frames {
                    bytes.clone_from(&frame.bytes);
                    readdress(&mut bytes, copy);
                    out.frame(clock + frame.at, frame.wire_length, &bytes)?;
                    mix.frames += 1;
                    mix.octets += bytes.len() as u64;
                }
                clock += frames.last().map_or(0, |last| last.at) + PAUSE;
            }
        }
        out.finish().context("write the mix")?;
        Ok(mix)
    }
}

/// The frames of a capture, in the order of the file, their times since it began; nothing where one is no Ethernet frame.
fn read(path: &Path) -> Result<Option<Vec<Framed>>> {
    let mut frames = stated::frames(path)?;
    if frames.iter().any(|frame| frame.link != LinkType::Ethernet) {
        return Ok(None);
    }
    let (mut before, mut at) = (None, 0);
    for frame in &mut frames {
        let passed = before.map_or(0, |before| frame.at.saturating_sub(before));
        before = Some(frame.at);
        at += passed.min(LONGEST_SILENCE);
        frame.at = at;
    }
    Ok(Some(frames))
}

/// Moves who talks to whom elsewhere: hardware addresses, and those of the outermost IP header, unless they are of groups. Copy 0
/// stays where it is.
fn readdress(frame: &mut [u8], copy: u8) {
    let Some((macs, rest)) = frame.split_first_chunk_mut::<12>() else { return };
    for (group, changed) in [(0, 3), (6, 9)] {
        if macs[group] & 1 == 0 {
            macs[changed] ^= copy;
        }
    }
    let mut at = 0;
    while let Some([0x81, 0x00] | [0x88, 0xa8]) = rest.get(at..at + 2) {
        at += 4;
    }
    let (addresses, changed) = match rest.get(at..at + 2) {
        Some([0x08, 0x00]) => ([12, 16], 1),
        Some([0x86, 0xdd]) => ([8, 24], 6),
        _ => return,
    };
    let Some(packet) = rest.get_mut(at + 2..) else { return };
    for address in addresses {
        // Groups, the broadcast, and hosts that have no address yet (RFC 5771, 919, 4291).
        let is_group = packet.get(address).is_none_or(|first| matches!(first, 0 | 224..));
        if let Some(octet) = packet.get_mut(address + changed).filter(|_| !is_group) {
            *octet ^= copy;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_between_others_and_groups_stay_groups() {
        let frame = |from: [u8; 4], to: [u8; 4]| {
            let mut frame = vec![2, 0, 0, 0, 0, 1, 1, 0, 0x5e, 0, 0, 1, 0x81, 0, 0, 5, 8, 0];
            frame.extend([0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0]);
            frame.extend(from);
            frame.extend(to);
            frame
        };
        let mut moved = frame([10, 0, 0, 1], [239, 1, 2, 3]);
        readdress(&mut moved, 9);
        let mut expected = frame([10, 9, 0, 1], [239, 1, 2, 3]);
        expected[3] = 9;
        assert_eq!(moved, expected);
        for length in 0..moved.len() {
            readdress(&mut moved[..length], 3);
        }
    }
}
