//! Packets from a Linux network interface by AF_XDP: before the kernel's network stack sees them, and instead of it.
//!
//! A program of a few instructions is attached to the interface and hands each frame to the socket of its receive queue. It
//! hangs on a `bpf_link`, so it is gone when the source is dropped and when the process is killed. **This host does not get
//! the frames**: it is for interfaces that do nothing but listen. Needs Linux 6.6 and the capabilities `CAP_NET_RAW`,
//! `CAP_BPF` and `CAP_NET_ADMIN`; `CAP_IPC_LOCK` for more memory than may be locked.
//!
//! Of the places where a program can be attached, the driver is tried first and the generic one behind it next. In the
//! driver, the network card writes into our memory itself where it can ("zero copy"): that is asked for and reported, but has
//! not been seen working, since virtual cables cannot do it.

mod bpf;
mod clock;
mod program;
mod queue;
mod ring;
mod setup;
mod socket;
mod umem;

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use clock::Clock;
use queue::{Queue, Received};
use setup::{Opened, Port};

use crate::link::Links;
use crate::{CaptureError, Frame, LinkType, MOST_FRAMES, Source, Statistics, Step};

/// How long to wait for frames before the caller is let go.
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// With all rings empty it is cheaper to look again a moment later than to have the kernel wake us for each frame.
const NAP: Duration = Duration::from_micros(100);
/// So many naps without a frame, and the kernel is asked to wake us.
const NAPS: u32 = 10;
/// Steps with frames between two looks at the clock.
const STEPS_A_CHECK: u32 = 128;
/// How often the interface is looked at: what becomes of it is not told on the sockets.
const CHECK: Duration = Duration::from_secs(1);

/// How an interface is captured by AF_XDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfXdpOptions {
    /// The interface's name.
    pub interface: String,
    /// Memory for packets in mebibytes, shared out among the receive queues: 1 to 2048, and at least 1 for each queue.
    pub ring_mebibytes: u32,
    /// Whether to take in frames for other stations too, as a mirror port needs.
    pub promiscuous: bool,
    /// Whether the program may run in the driver. Without, it runs in the generic place, where all drivers are alike.
    pub in_driver: bool,
    /// Whether the kernel stores the time of each frame, which costs some of the rate. Without, a frame has the time at
    /// which we found it.
    pub kernel_times: bool,
}

impl AfXdpOptions {
    /// An interface with 32 MiB of memory, in promiscuous mode, in the driver if it can, with the kernel's times.
    pub fn new(interface: impl Into<String>) -> Self {
        Self {
            interface: interface.into(),
            ring_mebibytes: 32,
            promiscuous: true,
            in_driver: true,
            kernel_times: true,
        }
    }
}

/// An interface all of whose receive queues are captured by AF_XDP.
///
/// Of the queues' frames the one with the earliest time comes first, as far as they have been received. Frames that came in
/// several pieces are put together; VLAN tags stay in the bytes.
///
/// A link that goes down and up again is nothing to it. When the interface is removed, its number of queues changes or
/// someone detaches the program, it fails with [`CaptureError::InterfaceDown`] or [`CaptureError::InterfaceChanged`]; the
/// frames of a removed interface come first.
pub struct AfXdp {
    options: AfXdpOptions,
    link_type: LinkType,
    /// Before the queues, so that the program is detached first.
    port: Port,
    queues: Vec<Queue>,
    links: Links,
    clock: Clock,
    /// Frames on loan, in order: the queue, and the frame's number in it.
    lent: Vec<(usize, usize)>,
    /// Whether the last wait ended without a frame.
    is_quiet: bool,
    /// Steps with frames.
    steps: u32,
    checked: Instant,
    /// The time of the last frame, in nanoseconds since the epoch.
    last: u64,
    statistics: Statistics,
}

impl AfXdp {
    /// Starts to capture.
    ///
    /// Fails with [`CaptureError::NoInterface`], [`CaptureError::InterfaceDown`], [`CaptureError::MissingCapability`],
    /// [`CaptureError::ProgramAttached`] if someone else's program is there, [`CaptureError::LockedMemory`], or, with what
    /// else the system says, [`CaptureError::Setup`]. Nothing of it stays then.
    pub fn open(options: AfXdpOptions) -> Result<Self, CaptureError> {
        let Opened { port, queues, links, link_type } = setup::open(&options)?;
        Ok(Self {
            options,
            link_type,
            port,
            queues,
            links,
            clock: Clock::new(),
            lent: Vec::new(),
            is_quiet: false,
            steps: 0,
            checked: Instant::now(),
            last: 0,
            statistics: Statistics::default(),
        })
    }

    /// Goes on to the next frames; `false` if none came in a while.
    pub(crate) fn advance(&mut self) -> Result<bool, CaptureError> {
        self.lent.clear();
        self.queues.iter_mut().for_each(Queue::take_back);
        if self.pick() {
            self.steps = self.steps.wrapping_add(1);
            if self.steps.is_multiple_of(STEPS_A_CHECK) {
                self.check_under_load()?;
            }
            return Ok(true);
        }
        if !self.is_quiet {
            for _ in 0..NAPS {
                std::thread::sleep(NAP);
                if self.pick() {
                    return Ok(true);
                }
            }
        }
        self.wait()?;
        self.is_quiet = !self.pick();
        if self.is_quiet {
            self.check_sockets()?;
            self.check_if_due()?;
        }
        Ok(!self.is_quiet)
    }

    /// Lends frames, each the earliest among the heads of the queues, after one look for new ones; `false` if there are none.
    fn pick(&mut self) -> bool {
        let mut fresh = true;
        while self.lent.len() < MOST_FRAMES
            && let Some(number) = self.earliest(fresh)
            && let Some(queue) = self.queues.get_mut(number)
            && let Some(frame) = queue.lend()
        {
            fresh = false;
            self.lent.push((number, frame));
            if queue.has_lent_joined() {
                break;
            }
        }
        !self.lent.is_empty()
    }

    fn earliest(&mut self, fresh: bool) -> Option<usize> {
        let heads = self.queues.iter_mut().enumerate();
        let heads = heads.filter_map(|(number, queue)| Some((queue.look(fresh)?, number)));
        heads.min().map(|(_, number)| number)
    }

    /// Waits for any of the sockets.
    fn wait(&self) -> Result<(), CaptureError> {
        let mut sockets: Vec<_> = self.queues.iter().map(|queue| PollFd::new(queue, PollFlags::IN)).collect();
        match poll(&mut sockets, Some(&WAIT)) {
            // A signal: the time is not over, and looking once more costs nothing.
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(self.receiving(error.into())),
        }
    }

    /// A removed interface is told by its sockets, once.
    fn check_sockets(&self) -> Result<(), CaptureError> {
        for queue in &self.queues {
            match queue.socket().take_error() {
                Ok(None) => {}
                Ok(Some(error)) if error.raw_os_error() == Some(libc::ENETDOWN) => return Err(self.gone()),
                Ok(Some(error)) | Err(error) => return Err(self.receiving(error)),
            }
        }
        Ok(())
    }

    /// Of an interface that is gone, the frames that are left come first; what is wrong is found again behind them.
    fn check_under_load(&mut self) -> Result<(), CaptureError> {
        match self.check_if_due() {
            Err(CaptureError::InterfaceDown { .. }) => Ok(()),
            checked => checked,
        }
    }

    /// What the sockets do not tell: the interface was made anew, it has other queues, the program was taken away.
    fn check_if_due(&mut self) -> Result<(), CaptureError> {
        if self.checked.elapsed() < CHECK {
            return Ok(());
        }
        self.checked = Instant::now();
        self.clock = Clock::new();
        let look = self.links.look(&self.options.interface).map_err(|cause| self.receiving(cause))?;
        let Some(now) = look.filter(|now| now.index == self.port.link.index) else {
            return Err(self.gone());
        };
        let (before, after) = (self.port.link.queues, now.queues);
        if after != before {
            return Err(
                self.changed(format!("the number of its receive queues went from {before} to {after}"))
            );
        }
        let attached = self.port.attachment.interface().map_err(|cause| self.receiving(cause))?;
        if attached != now.index {
            return Err(self.changed("the XDP program was detached by someone else".to_owned()));
        }
        Ok(())
    }

    fn gone(&self) -> CaptureError {
        CaptureError::InterfaceDown { interface: self.options.interface.clone() }
    }

    fn changed(&self, change: String) -> CaptureError {
        CaptureError::InterfaceChanged { interface: self.options.interface.clone(), change }
    }

    fn receiving(&self, cause: std::io::Error) -> CaptureError {
        CaptureError::Receive { interface: self.options.interface.clone(), cause }
    }

    /// The frames that [`AfXdp::advance`] went to.
    pub(crate) fn frames(&mut self) -> Vec<Frame<'_>> {
        let Self { lent, queues, clock, link_type, last, statistics, .. } = self;
        let frames = lent.iter().filter_map(|&(queue, frame)| {
            let received = queues.get(queue)?.frame(frame)?;
            let at = clock.utc(received.at);
            statistics.untimed += u64::from(!received.is_timed);
            statistics.backwards += u64::from(at < *last);
            *last = at;
            statistics.frames += 1;
            statistics.bytes += received.bytes.len() as u64;
            let Received { wire_length, bytes, .. } = received;
            Some(Frame { at, wire_length, link: *link_type, vlan: None, bytes })
        });
        frames.collect()
    }
}

impl Source for AfXdp {
    fn next(&mut self) -> Result<Step<'_>, CaptureError> {
        Ok(if self.advance()? { Step::Frames(self.frames()) } else { Step::Idle })
    }

    fn statistics(&mut self) -> Statistics {
        let mut statistics = self.statistics;
        for queue in &self.queues {
            statistics.malformed += queue.malformed();
            // A socket whose interface has gone still answers; if one did not, its counts would be missing.
            if let Ok(kernel) = queue.socket().statistics() {
                // A frame for which the fill ring had no chunk is in `rx_dropped`, and in `rx_fill_ring_empty_descs` again.
                statistics.dropped += kernel.rx_dropped + kernel.rx_ring_full;
                statistics.freezes += kernel.rx_fill_ring_empty_descs;
            }
        }
        statistics
    }

    fn describe(&self) -> String {
        let AfXdpOptions { interface, ring_mebibytes, promiscuous, .. } = &self.options;
        let hook = self.port.hook.name();
        let copying = if self.port.is_zero_copy { "zero copy" } else { "copying" };
        let queues = self.queues.len();
        let plural = if queues == 1 { "" } else { "s" };
        let times = if self.port.has_times { "kernel's times" } else { "times of arrival" };
        let mode = if *promiscuous { "promiscuous" } else { "own address only" };
        format!(
            "interface {interface} (AF_XDP, {hook} mode, {copying}, {queues} queue{plural}, {ring_mebibytes} MiB, \
             {times}, {mode})"
        )
    }

    fn is_live(&self) -> bool {
        true
    }
}
