//! The one shape that every place packets come from has.

use crate::{CaptureError, CaptureMode, Frame};

/// The most frames in a step: enough to ask for the memory of their flows all at once, few enough to lie in the
/// processor's caches until each had its turn.
pub const MOST_FRAMES: usize = 32;

/// A place that packets come from.
///
/// The contract: call [`Source::next`] again and again from one thread. After [`Step::End`] it goes on answering
/// `End`. After an error the source is used up: drop it, and open it anew if that makes sense.
pub trait Source: Send {
    /// The next step, waiting for a short time (100 ms or so) at most, and only while there is no frame at all.
    fn next(&mut self) -> Result<Step<'_>, CaptureError>;

    /// What was counted since the source was opened.
    fn statistics(&mut self) -> Statistics;

    /// The source in words, for logs: which file or interface, and how it is read.
    fn describe(&self) -> String;

    /// Whether frames come as they pass the wire: then their clock goes on while none come.
    fn is_live(&self) -> bool {
        false
    }

    /// What became of the source since this was asked last, in order, to be told to people.
    fn changes(&mut self) -> Vec<Change> {
        Vec::new()
    }
}

/// What became of a source that is meant to last.
#[derive(Debug)]
pub enum Change {
    /// Capturing has begun, or begun anew.
    Opened {
        /// How, never [`CaptureMode::Auto`].
        mode: CaptureMode,
        /// The source in words.
        description: String,
    },
    /// AF_XDP was wanted and is not used; the packet socket is.
    FellBack {
        /// Why.
        reason: String,
    },
    /// Nothing is captured until the interface can be opened again.
    Lost {
        /// Why.
        reason: CaptureError,
    },
    /// The interface's cable leads nowhere, or it was set down. What has been opened stays open.
    LinkDown,
    /// It leads somewhere again.
    LinkUp,
}

/// What a source has for its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// The next frames, in order: what lies there by now, one at least and [`MOST_FRAMES`] at most.
    Frames(Vec<Frame<'a>>),
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
    /// Times that capturing was interrupted: the interface had to be opened again.
    pub interruptions: u64,
}

impl Statistics {
    /// The counts of two sources together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            frames: self.frames + other.frames,
            bytes: self.bytes + other.bytes,
            dropped: self.dropped + other.dropped,
            freezes: self.freezes + other.freezes,
            malformed: self.malformed + other.malformed,
            truncated: self.truncated + other.truncated,
            untimed: self.untimed + other.untimed,
            backwards: self.backwards + other.backwards,
            interruptions: self.interruptions + other.interruptions,
        }
    }
}
