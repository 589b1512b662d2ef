//! Where packets come from: capture files and network interfaces.
//!
//! Everything behind this crate sees one shape, [`Source`]: ask for the next [`Step`], get a [`Frame`] that borrows
//! the source's own memory, or [`Step::Idle`] when there is nothing to do but timers, or [`Step::End`].
//! Two sources exist:
//!
//! - [`CaptureFile`]: pcap and pcapng files, plain or compressed, at full speed or at the pace of the recording;
//! - [`PacketSocket`]: a Linux network interface, through an `AF_PACKET` socket with a `TPACKET_V3` ring.
//!
//! Frames are handed over as they were seen: nothing is decoded, filtered or put in order here. What could not be
//! handed over is counted in [`Statistics`].
//!
//! Unsafe code is denied in the whole crate but for the module of the packet socket, which talks to the kernel through
//! memory that both share; each of its unsafe blocks says why it is sound.

#[allow(unsafe_code, reason = "system calls, and memory shared with the kernel")]
mod afpacket;
mod error;
mod file;
mod frame;
mod source;

pub use afpacket::{PacketSocket, PacketSocketOptions};
pub use error::CaptureError;
pub use file::{CaptureFile, Pace};
pub use frame::{Frame, LinkType, VlanTag};
pub use source::{Source, Statistics, Step};
