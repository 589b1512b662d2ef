//! Reads a capture file as fast as it goes and says how many frames that were and how fast:
//! `cargo run --release -p wardwatch-capture --example count -- FILE`
#![expect(clippy::print_stdout, reason = "the output of a command-line program")]

use std::error::Error;
use std::time::Instant;

use wardwatch_capture::{CaptureFile, Pace, Source, Step};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: count FILE")?;
    let started = Instant::now();
    let mut file = CaptureFile::open(path, Pace::Full)?;
    while !matches!(file.next()?, Step::End) {}
    let seconds = started.elapsed().as_secs_f64().max(f64::EPSILON);
    let counted = file.statistics();
    let (frames, bytes) = (counted.frames as f64, counted.bytes as f64);
    println!("{}", file.describe());
    println!("{counted:?}");
    println!("{seconds:.3} s, {:.0} frames/s, {:.0} MB/s", frames / seconds, bytes / seconds / 1e6);
    Ok(())
}
