//! What the sensor states about the project's captures.

use anyhow::Result;
use wardwatch_capture::{CaptureFile, Pace, Source as _, Step};
use wardwatch_proto::v1::Fact;
use wardwatch_sensor::worker::{Limits, Worker};
use wardwatch_tests::pipeline;

/// The facts of all captures, each a world of its own, as the sensor plays them.
pub(super) fn facts() -> Result<Vec<Fact>> {
    let mut facts = Vec::new();
    let mut worker = Worker::new(&Limits::default());
    for path in pipeline::recorded() {
        let mut source = CaptureFile::open(&path, Pace::Full)?;
        loop {
            match source.next()? {
                Step::Frame(frame) => worker.frame(&frame, &mut facts),
                Step::Idle => {}
                Step::End => break,
            }
        }
        worker.finish(&mut facts);
    }
    Ok(facts)
}
