//! Where packets come from: capture files and network interfaces.
//!
//! Everything behind this crate sees one shape, [`Source`]: ask for the next [`Step`], get some [`Frame`]s that borrow
//! the source's own memory, or [`Step::Idle`] when there is nothing to do but timers, or [`Step::End`].
//! These sources exist:
//!
//! - [`CaptureFile`]: pcap and pcapng files, plain or compressed, at full speed or at the pace of the recording;
//! - [`PacketSocket`]: a Linux network interface, through an `AF_PACKET` socket with a `TPACKET_V3` ring: a copy of what
//!   passes;
//! - [`AfXdp`]: a Linux network interface, in place of the host's own network stack;
//! - [`Interface`]: one of the two last, for as long as the process lives: an interface that goes away is opened again when
//!   it is back.
//!
//! Frames are handed over as they were seen: nothing is decoded, filtered or put in order here. What could not be
//! handed over is counted in [`Statistics`].
//!
//! Unsafe code is denied in the whole crate but for the modules of the packet socket and of AF_XDP, which talk to the kernel
//! through memory that both share, of what their system calls have in common, and of the questions about interfaces; each
//! unsafe block says why it is sound.

#[allow(unsafe_code, reason = "system calls, and memory shared with the kernel")]
mod afpacket;
#[allow(unsafe_code, reason = "system calls, and memory shared with the kernel")]
mod afxdp;
mod error;
mod file;
mod frame;
mod interface;
#[allow(unsafe_code, reason = "system calls")]
mod link;
mod source;
#[allow(unsafe_code, reason = "system calls")]
mod system_call;

pub use afpacket::{PacketSocket, PacketSocketOptions};
pub use afxdp::{AfXdp, AfXdpOptions};
pub use error::CaptureError;
pub use file::{CaptureFile, CaptureWriter, Pace, captures_below};
pub use frame::{Frame, LinkType, VlanTag};
pub use interface::{CaptureMode, Interface, InterfaceOptions};
pub use source::{Change, MOST_FRAMES, Source, Statistics, Step};
