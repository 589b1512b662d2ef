//! What the sensor states about the project's captures.

use anyhow::{Context as _, Result};
use wardwatch_capture::{CaptureFile, Pace, Source as _, Step};
use wardwatch_proto::v1::Fact;
use wardwatch_sensor::worker::{Limits, Worker};
use wardwatch_tests::pipeline;

/// The facts of all captures, each a world of its own, as one process of the sensor plays them.
pub(super) fn facts() -> Result<Vec<Fact>> {
    of_process(&[0, 1, 2, 3, 4])
}

/// What a process of the sensor states that plays these captures, by their place in [`pipeline::recorded`], to their end.
pub fn of_process(captures: &[usize]) -> Result<Vec<Fact>> {
    let mut facts = Vec::new();
    let mut worker = Worker::new(&Limits::default());
    let recorded = pipeline::recorded();
    for capture in captures {
        let path = recorded.get(*capture).context("there is no such capture")?;
        let mut source = CaptureFile::open(path, Pace::Full)?;
        loop {
            match source.next()? {
                Step::Frames(frames) => worker.frames(&frames, &mut facts),
                Step::Idle => {}
                Step::End => break,
            }
        }
        worker.finish(&mut facts);
    }
    Ok(facts)
}
