//! Packets from a Linux network interface, through an `AF_PACKET` socket with a `TPACKET_V3` ring.
//!
//! The kernel writes frames into memory that it shares with us and hands over whole blocks, so there is no system call
//! and no copy for each frame. The host's own traffic is not disturbed: the socket sees a copy. Opening it takes the
//! capability `CAP_NET_RAW` and nothing else.

mod ring;
mod socket;

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use ring::Ring;
use socket::{Socket, Wait};

use crate::link::Links;
use crate::{CaptureError, Frame, LinkType, Source, Statistics, Step, VlanTag};

/// A block that is not full is handed over after this time: what a frame is late at most when there is little traffic.
const BLOCK_TIMEOUT: Duration = Duration::from_millis(60);
/// How long to wait for a block before the caller is let go. Longer than the time above: when the interface has gone,
/// one wait without a block says that there is none left.
const WAIT: Duration = Duration::from_millis(100);

/// How an interface is captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketSocketOptions {
    /// The interface's name.
    pub interface: String,
    /// Size of the ring in mebibytes, 2 to 2048: what the kernel can hold while we are busy. 32 hold a quarter of a
    /// second of a full Gbit/s link. Each is a block that is handed over after 60 ms, full or not: of a link with little
    /// traffic 32 hold 1.9 s.
    pub ring_mebibytes: u32,
    /// Whether to take in frames for other stations too, as a mirror port needs.
    pub promiscuous: bool,
}

impl PacketSocketOptions {
    /// An interface with a ring of 32 MiB, in promiscuous mode.
    pub fn new(interface: impl Into<String>) -> Self {
        Self { interface: interface.into(), ring_mebibytes: 32, promiscuous: true }
    }
}

/// An interface that is being captured, but for what this host sends on it.
///
/// When the interface goes down or is removed, the frames that are still in the ring come first, then
/// [`CaptureError::InterfaceDown`]; the socket would not see an interface that is made anew under the same name.
pub struct PacketSocket {
    options: PacketSocketOptions,
    link: LinkType,
    /// Before the socket, so that the ring is unmapped first.
    ring: Ring,
    socket: Socket,
    /// What the socket failed with, told once the ring is empty.
    failure: Option<io::Error>,
    /// The time of the last frame, in nanoseconds since the epoch.
    last: u64,
    statistics: Statistics,
}

impl PacketSocket {
    /// Starts to capture.
    ///
    /// Fails with [`CaptureError::NoInterface`], [`CaptureError::MissingCapability`] or, with what else the system says,
    /// [`CaptureError::Setup`]. An interface that is down can be opened; the first step then fails.
    pub fn open(options: PacketSocketOptions) -> Result<Self, CaptureError> {
        let name = &options.interface;
        let setup = |step| move |cause| CaptureError::Setup { interface: name.clone(), step, cause };
        if !(2..=2048).contains(&options.ring_mebibytes) {
            return Err(setup("choose a ring of 2 to 2048 MiB")(io::ErrorKind::InvalidInput.into()));
        }
        let found =
            Links::new().and_then(|links| links.look(name)).map_err(setup("look at the interface"))?;
        let found = found.ok_or_else(|| CaptureError::NoInterface { interface: name.clone() })?;
        let link = found.link_type();
        let link = link
            .ok_or_else(|| CaptureError::LinkLayer { interface: name.clone(), hardware: found.hardware })?;
        let socket = Socket::new().map_err(|cause| match cause.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => CaptureError::MissingCapability {
                interface: name.clone(),
                capability: "CAP_NET_RAW".to_owned(),
            },
            _ => setup("open a packet socket")(cause),
        })?;
        socket.set_ring(options.ring_mebibytes, BLOCK_TIMEOUT).map_err(setup("set up the ring"))?;
        let ring =
            Ring::map(socket.as_fd(), options.ring_mebibytes as usize).map_err(setup("map the ring"))?;
        socket.ignore_outgoing().map_err(setup("leave out the frames sent by this host"))?;
        socket.bind(found.index).map_err(setup("bind the socket"))?;
        if options.promiscuous {
            socket.set_promiscuous(found.index).map_err(setup("set promiscuous mode"))?;
        }
        let statistics = Statistics::default();
        Ok(Self { options, link, ring, socket, failure: None, last: 0, statistics })
    }

    /// Waits for the kernel to hand over a block.
    fn wait(&mut self) -> Result<(), CaptureError> {
        let interface = &self.options.interface;
        let receive = |cause| CaptureError::Receive { interface: interface.clone(), cause };
        match self.socket.wait(WAIT).map_err(receive)? {
            Wait::Ready => Ok(()),
            // The ring may hold frames from before; the next wait tells.
            Wait::Failed(error) => {
                self.failure = Some(error);
                Ok(())
            }
            Wait::TimedOut => match self.failure.take() {
                None => Ok(()),
                Some(error) if error.raw_os_error() == Some(libc::ENETDOWN) => {
                    Err(CaptureError::InterfaceDown { interface: interface.clone() })
                }
                Some(error) => Err(receive(error)),
            },
        }
    }

    /// Adds the kernel's counters, which begin at 0 each time they are read.
    fn count_dropped(&mut self) {
        // A socket whose interface has gone still answers; if one did not, the counters would just stay as they are.
        if let Ok(kernel) = self.socket.take_statistics() {
            self.statistics.dropped += u64::from(kernel.tp_drops);
            self.statistics.freezes += u64::from(kernel.tp_freeze_q_cnt);
        }
    }

    /// Goes on to the next frames; `false` if none came in a while.
    pub(crate) fn advance(&mut self) -> Result<bool, CaptureError> {
        if self.ring.advance() {
            return Ok(true);
        }
        self.wait()?;
        Ok(self.ring.advance())
    }

    /// The frames that [`PacketSocket::advance`] went to.
    pub(crate) fn frames(&mut self) -> Vec<Frame<'_>> {
        let Self { ring, link, last, statistics, .. } = self;
        let frames = ring.frames().map(|frame| {
            let at = u64::from(frame.seconds) * 1_000_000_000 + u64::from(frame.nanoseconds);
            statistics.backwards += u64::from(at < *last);
            *last = at;
            statistics.frames += 1;
            statistics.bytes += frame.bytes.len() as u64;
            let tag = if frame.vlan.is_some() { VlanTag::LENGTH } else { 0 };
            let wire_length = frame.wire_length.saturating_add(tag);
            Frame { at, wire_length, link: *link, vlan: frame.vlan, bytes: frame.bytes }
        });
        frames.collect()
    }
}

impl Source for PacketSocket {
    fn next(&mut self) -> Result<Step<'_>, CaptureError> {
        Ok(if self.advance()? { Step::Frames(self.frames()) } else { Step::Idle })
    }

    fn is_live(&self) -> bool {
        true
    }

    fn statistics(&mut self) -> Statistics {
        self.count_dropped();
        Statistics { malformed: self.ring.malformed(), ..self.statistics }
    }

    fn describe(&self) -> String {
        let PacketSocketOptions { interface, ring_mebibytes, promiscuous } = &self.options;
        let mode = if *promiscuous { "promiscuous" } else { "own address only" };
        format!("interface {interface} (AF_PACKET, TPACKET_V3, ring of {ring_mebibytes} MiB, {mode})")
    }
}

/// Lets an interface take in frames for other stations for as long as this lives, without receiving any itself.
pub(crate) struct Promiscuity {
    socket: Socket,
    interface: u32,
}

impl Promiscuity {
    pub(crate) fn new(interface: u32) -> io::Result<Self> {
        let socket = Socket::new()?;
        socket.set_promiscuous(interface)?;
        Ok(Self { socket, interface })
    }
}

impl Drop for Promiscuity {
    fn drop(&mut self) {
        // Closing the socket would do, but a process that is just being forked may hold a copy a moment longer. An interface that
        // has gone has forgotten it.
        let _ = self.socket.unset_promiscuous(self.interface);
    }
}
