//! Seeds for the fuzz targets, out of captures and of the streams that the dissectors' tests make up: a folder for each
//! target, and on standard output a line for each, `tcp/dicom 42`. `cargo xtask fuzz` runs it:
//! `cargo run -p wardwatch-sensor --example fuzz-seeds -- CORPUS CAPTURES...`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the output of a command-line program")]
#![forbid(unsafe_code)]

mod corpus;
mod flows;
mod frames;
mod made_up;
mod openings;

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};

use wardwatch_capture::{CaptureError, CaptureFile, Pace, Source, Step, captures_below};

use corpus::Corpus;
use flows::Flows;
use frames::Frames;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().ok_or("usage: fuzz-seeds CORPUS CAPTURES...")?;
    let mut corpus = Corpus::new();
    made_up::take(&mut corpus);
    openings::take(&mut corpus);
    let mut captures = Vec::new();
    for place in arguments {
        captures.extend(captures_below(&place)?);
    }
    for path in captures {
        if let Err(error) = capture(&path, &mut corpus) {
            // Some captures are broken on purpose; what came before the break has been taken.
            eprintln!("{error}");
        }
    }
    for (target, seeds) in corpus.write(&folder)? {
        println!("{target} {seeds}");
    }
    Ok(())
}

/// Takes what a file has.
fn capture(path: &Path, corpus: &mut Corpus) -> Result<(), CaptureError> {
    corpus.begin_source();
    let mut flows = Flows::new();
    let mut frames = Frames::new();
    let mut file = CaptureFile::open(path, Pace::Full)?;
    let read = loop {
        match file.next() {
            Ok(Step::Frames(some)) => {
                for frame in &some {
                    flows.frame(frame, corpus);
                    frames.frame(frame, corpus);
                }
            }
            Ok(Step::Idle) => {}
            Ok(Step::End) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    flows.finish(corpus);
    frames.finish(corpus);
    read
}
