//! The one shape that every place packets come from has.

use crate::{CaptureError, Frame};

/// A place that packets come from.
///
/// The contract: call [`Source::next`] again and again from one thread. After [`Step::End`] it goes on answering
/// `End`. After an error the source is used up: drop it, and open it anew if that makes sense.
pub trait Source: Send {
    /// The next step, waiting for a short time (100 ms or so) at most.
    fn next(&mut self) -> Result<Step<'_>, CaptureError>;

    /// What was counted since the source was opened.
    fn statistics(&mut self) -> Statistics;

    /// The source in words, for logs: which file or interface, and how it is read.
    fn describe(&self) -> String;

    /// Whether frames come as they pass the wire: then their clock goes on while none come.
    fn is_live(&self) -> bool {
        false
    }
}

/// What a source has for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// Nothing for now: time to run timers and to see whether to stop.
    Idle,
    /// Nothing more will come.
    End,
}

/// Counters of a source, all of them since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Frames handed to the caller.
    pub frames: u64,
    /// Captured bytes handed to the caller.
    pub bytes: u64,
    /// Frames that the kernel dropped since the ring was full.
    pub dropped: u64,
    /// Times the kernel found the ring full and stopped filling it. Of AF_XDP: times it wanted memory and found none.
    pub freezes: u64,
    /// Records that could not be read as a frame and were left out.
    pub malformed: u64,
    /// Files that end in the middle of a record: 0 or 1. What came before the cut was handed over.
    pub truncated: u64,
    /// Frames without a usable time stamp; in a file they were given the time of the frame before, on an interface the
    /// time at which they were found.
    pub untimed: u64,
    /// Frames with an earlier time than the frame before.
    pub backwards: u64,
}
