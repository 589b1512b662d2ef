//! Where packets come from: capture files and network interfaces.
//!
//! Everything behind this crate sees one shape, [`Source`]: ask for the next [`Step`], get a [`Frame`] that borrows
//! the source's own memory, or [`Step::Idle`] when there is nothing to do but timers, or [`Step::End`].
//! [`CaptureFile`] reads pcap and pcapng files, plain or compressed, at full speed or at the pace of the recording.
//!
//! Frames are handed over as they were seen: nothing is decoded, filtered or put in order here. What could not be
//! handed over is counted in [`Statistics`].

mod error;
mod file;
mod frame;
mod source;

pub use error::CaptureError;
pub use file::{CaptureFile, Pace};
pub use frame::{Frame, LinkType, VlanTag};
pub use source::{Source, Statistics, Step};
