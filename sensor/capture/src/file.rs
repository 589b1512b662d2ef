//! Packets from capture files: pcap and pcapng, plain or compressed with gzip or Zstandard.
//!
//! A file that ends in the middle of a record (a capture that was killed, a copy that was cut off) gives all records
//! before the cut, then [`Step::End`], and counts the cut in [`Statistics::truncated`]. A file that is damaged in its
//! middle gives all records before the damage, then an error that names the file and the place.

mod folder;
mod pace;
mod pcap;
mod pcapng;
mod record;
mod window;
mod writer;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

pub use folder::captures_below;
pub use pace::Pace;
use pace::Schedule;
use pcap::Pcap;
use pcapng::PcapNg;
use record::{Fault, Next, Record};
use window::Window;
pub use writer::CaptureWriter;

use crate::{CaptureError, Frame, MOST_FRAMES, Source, Statistics, Step};

/// The longest time spent waiting for a frame's turn before the caller is let go.
const SLICE: Duration = Duration::from_millis(100);

/// A capture file that is being read.
///
/// Memory does not depend on the size of the file: half a mebibyte at most, and what a decompressor needs (Zstandard up
/// to 128 MiB, if the file was compressed for that).
pub struct CaptureFile {
    path: PathBuf,
    window: Window,
    format: Format,
    pace: Pace,
    schedule: Option<Schedule>,
    /// What the window holds for the caller: handed over, or a record that waits for its turn.
    records: Vec<Record>,
    waiting: bool,
    ended: bool,
    /// The time of the last frame that had one.
    last: u64,
    statistics: Statistics,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl CaptureFile {
    /// Opens a file and reads its header.
    ///
    /// The format is told from the file's first bytes. Fails if the file cannot be opened or is no capture file, or if
    /// the speed of [`Pace::Original`] is not a positive number.
    pub fn open(path: impl AsRef<Path>, pace: Pace) -> Result<Self, CaptureError> {
        let path = path.as_ref();
        let schedule = match pace {
            Pace::Full => None,
            Pace::Original { speed } if speed.is_finite() && speed > 0.0 => Some(Schedule::new(speed)),
            Pace::Original { speed } => return Err(CaptureError::Pace { speed }),
        };
        let mut window =
            Window::open(path).map_err(|cause| CaptureError::Open { path: path.to_owned(), cause })?;
        let format = Format::of(&mut window).map_err(|fault| fault.in_file(path, &window))?;
        Ok(Self {
            path: path.to_owned(),
            window,
            format,
            pace,
            schedule,
            records: Vec::new(),
            waiting: false,
            ended: false,
            last: 0,
            statistics: Statistics::default(),
        })
    }

    /// Goes on to the next record, and to those behind it that are in memory anyway; `false` at the end of the file.
    fn advance(&mut self) -> Result<bool, Fault> {
        self.records.clear();
        while self.records.is_empty() || self.has_another() {
            let next = match &mut self.format {
                Format::Pcap(pcap) => pcap.next(&mut self.window),
                Format::PcapNg(pcapng) => pcapng.next(&mut self.window),
            };
            match next {
                Ok(Next::Record(record)) => {
                    let record = self.timed(record);
                    self.records.push(Record { start: self.window.place() + record.start, ..record });
                    self.window.skip(record.size as u64)?;
                }
                Ok(Next::Malformed(size)) => {
                    self.statistics.malformed += 1;
                    self.window.skip(size as u64)?;
                }
                Ok(Next::End) => return Ok(false),
                Ok(Next::Cut) => {
                    self.statistics.truncated = 1;
                    return Ok(false);
                }
                Err(fault) if self.records.is_empty() => return Err(fault),
                // Nothing was consumed, so it is met again behind what came before it.
                Err(_) => break,
            }
        }
        Ok(true)
    }

    /// Whether a record may join those that are to be handed over: reading it moves nothing in memory and waits for nothing.
    fn has_another(&self) -> bool {
        self.schedule.is_none()
            && self.records.len() < MOST_FRAMES
            && match &self.format {
                Format::Pcap(pcap) => pcap.is_in_memory(&self.window),
                Format::PcapNg(pcapng) => pcapng.is_in_memory(&self.window),
            }
    }

    /// Counts what is odd about a record's time, and gives it the time before if it has none.
    fn timed(&mut self, record: Record) -> Record {
        match record.time {
            Some(time) if time < self.last => self.statistics.backwards += 1,
            Some(_) => {}
            None => self.statistics.untimed += 1,
        }
        self.last = record.time.unwrap_or(self.last);
        Record { time: Some(self.last), ..record }
    }

    /// Waits for the record's turn, a slice at most; `true` when it has come.
    fn wait(&mut self) -> bool {
        let (Some(schedule), Some(record)) = (&mut self.schedule, self.records.first()) else {
            return true;
        };
        // What has no time anchors nothing.
        let Some(time) = record.time.filter(|&time| time != 0) else {
            return true;
        };
        let wait = schedule.wait(time, Instant::now());
        thread::sleep(wait.min(SLICE));
        wait <= SLICE
    }
}

impl Source for CaptureFile {
    fn next(&mut self) -> Result<Step<'_>, CaptureError> {
        if self.ended {
            return Ok(Step::End);
        }
        if !self.waiting {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    return Ok(Step::End);
                }
                Err(fault) => {
                    self.ended = true;
                    return Err(fault.in_file(&self.path, &self.window));
                }
            }
        }
        self.waiting = !self.wait();
        if self.waiting {
            return Ok(Step::Idle);
        }
        let Self { window, records, statistics, .. } = self;
        let frames = records.iter().map(|record| {
            let bytes = window.lend(record.start, record.length);
            statistics.frames += 1;
            statistics.bytes += bytes.len() as u64;
            let Record { wire_length, link, .. } = *record;
            Frame { at: record.time.unwrap_or_default(), wire_length, link, vlan: None, bytes }
        });
        Ok(Step::Frames(frames.collect()))
    }

    fn statistics(&mut self) -> Statistics {
        self.statistics
    }

    fn describe(&self) -> String {
        let format = match &self.format {
            Format::Pcap(pcap) => pcap.describe(),
            Format::PcapNg(_) => "pcapng",
        };
        let path = self.path.display();
        match self.pace {
            Pace::Full => format!("capture file {path} ({format}) at full speed"),
            Pace::Original { speed } => {
                format!("capture file {path} ({format}) at {speed} times the original pace")
            }
        }
    }
}

impl Format {
    fn of(window: &mut Window) -> Result<Self, Fault> {
        if !window.fill(4)? {
            return Err(Fault::here(window, "the file is too short to be a capture file"));
        }
        let magic = window.bytes().get(..4).unwrap_or_default();
        if Pcap::recognizes(magic) {
            Pcap::open(window).map(Self::Pcap)
        } else if PcapNg::recognizes(magic) {
            Ok(Self::PcapNg(PcapNg::open()))
        } else {
            Err(Fault::here(window, format!("neither pcap nor pcapng begins with {magic:02x?}")))
        }
    }
}

impl Fault {
    fn in_file(self, path: &Path, window: &Window) -> CaptureError {
        let path = path.to_owned();
        match self {
            Self::Read(cause) => CaptureError::Read { path, offset: window.offset(), cause },
            Self::Format { offset, reason } => CaptureError::Format { path, offset, reason },
        }
    }
}
