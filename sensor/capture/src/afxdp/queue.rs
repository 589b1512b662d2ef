//! One receive queue: its socket, its memory, and the frames in it.
//!
//! A queue stands on its own and may be moved to a thread of its own; all it shares with the others is the program that hands
//! frames over. Chunks of its memory go round: laid into the fill ring at the start, named by a descriptor when something was
//! received into them, laid again when that was read. Frames are lent with `&self`; [`Queue::take_back`], which lays their
//! chunks again, takes `&mut self`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::clock;
use super::ring::{FillRing, ReceiveRing};
use super::socket::Socket;
use super::umem::{CHUNK, Piece, Umem};

/// Descriptors that are read before the kernel is told so.
const BATCH: u32 = 64;

/// The longest frame that is put together. The kernel's own superframes end at 64 KiB unless it was told otherwise.
const LONGEST: usize = 256 << 10;

/// How long a queue may stay taken by a socket that was closed, and how often to try.
const LEAVING: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A step of opening a queue that failed.
pub(super) struct Failure {
    pub(super) step: &'static str,
    pub(super) cause: io::Error,
}

/// How a queue is opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) interface: u32,
    pub(super) queue: u32,
    /// Chunks of memory.
    pub(super) chunks: u32,
    /// Whether the network card may write into the memory itself, if it can.
    pub(super) may_be_zero_copy: bool,
    /// Whether the program stores times before the frames.
    pub(super) has_times: bool,
}

/// A socket on one receive queue.
pub(super) struct Queue {
    /// Before the socket and the memory, so that the rings are unmapped first.
    receive: ReceiveRing,
    fill: FillRing,
    socket: Socket,
    memory: Umem,
    has_times: bool,
    /// Descriptors that were taken and not told to the kernel.
    untold: u32,
    /// When descriptors were last seen, by the monotonic clock.
    seen_at: u64,
    unfinished: Unfinished,
    /// The pieces of a frame that came in several.
    joined: Vec<u8>,
    head: Option<Head>,
    /// Frames on loan. Their chunks are not laid.
    lent: Vec<Head>,
    malformed: u64,
}

/// A frame of which not all pieces were seen yet.
#[derive(Clone, Copy)]
enum Unfinished {
    Nothing,
    Joining {
        time: u64,
        length: u32,
    },
    /// A piece could not be read: the others are left out.
    Leaving,
}

/// The frame that is next.
#[derive(Clone, Copy)]
struct Head {
    /// By the monotonic clock.
    at: u64,
    is_timed: bool,
    length: u32,
    /// Where it lies, if not in `joined`.
    piece: Option<Piece>,
}

/// A frame as it lies in the queue's memory.
pub(super) struct Received<'a> {
    /// When the kernel saw it, in nanoseconds of the monotonic clock; when we did, if the kernel does not tell.
    pub(super) at: u64,
    /// Whether the kernel told the time.
    pub(super) is_timed: bool,
    pub(super) wire_length: u32,
    pub(super) bytes: &'a [u8],
}

impl Queue {
    pub(super) fn open(plan: Plan) -> Result<Self, Failure> {
        let failing = |step| move |cause| Failure { step, cause };
        let socket = Socket::new().map_err(failing("open an AF_XDP socket"))?;
        let memory = Umem::new(plan.chunks).map_err(failing("get memory for packets"))?;
        socket.register(&memory).map_err(failing("register the memory for packets"))?;
        // As many entries as chunks: then no ring is ever fuller than it can be.
        let entries = plan.chunks.next_power_of_two();
        socket.set_rings(entries, entries).map_err(failing("set up the rings"))?;
        let offsets = socket.offsets().map_err(failing("ask for the layout of the rings"))?;
        let receive = ReceiveRing::map(socket.as_fd(), offsets.rx, entries);
        let receive = receive.map_err(failing("map the receive ring"))?;
        let fill = FillRing::map(socket.as_fd(), offsets.fr, entries);
        let mut fill = fill.map_err(failing("map the fill ring"))?;
        for chunk in memory.chunks() {
            // SAFETY: nothing has been borrowed yet, and each chunk is laid once; there are as many entries.
            unsafe { fill.lay(chunk) };
        }
        fill.publish();
        // Without either flag the kernel tries to go without copying, and copies if that is refused.
        let copying = if plan.may_be_zero_copy { 0 } else { libc::XDP_COPY };
        let flags = libc::XDP_USE_NEED_WAKEUP | libc::XDP_USE_SG | copying;
        bind(&socket, plan, flags).map_err(failing("bind an AF_XDP socket to a queue"))?;
        Ok(Self {
            receive,
            fill,
            socket,
            memory,
            has_times: plan.has_times,
            untold: 0,
            seen_at: 0,
            unfinished: Unfinished::Nothing,
            joined: Vec::new(),
            head: None,
            lent: Vec::new(),
            malformed: 0,
        })
    }

    /// When the frame at the head came. Where there is none, takes one in among the descriptors that were seen; `fresh`
    /// looks for new ones too.
    pub(super) fn look(&mut self, fresh: bool) -> Option<u64> {
        loop {
            if let Some(head) = &self.head {
                return Some(head.at);
            }
            match self.receive.take() {
                Some(descriptor) => {
                    self.untold += 1;
                    self.take_in(descriptor);
                }
                None if !fresh => return None,
                None => {
                    self.tell();
                    if self.receive.refresh() == 0 {
                        return None;
                    }
                    self.seen_at = clock::monotonic();
                }
            }
        }
    }

    fn take_in(&mut self, descriptor: libc::xdp_desc) {
        let is_last = descriptor.options & libc::XDP_PKT_CONTD == 0;
        let Some(piece) = self.memory.piece(descriptor) else {
            // Not seen from any kernel. The chunk it may have meant is not laid again.
            if !matches!(self.unfinished, Unfinished::Leaving) {
                self.malformed += 1;
            }
            self.unfinished = if is_last { Unfinished::Nothing } else { Unfinished::Leaving };
            return;
        };
        let (time, length) = match self.unfinished {
            Unfinished::Nothing => {
                // SAFETY: a descriptor has just named the piece, and no octets are borrowed, since that would borrow `self`.
                let time = if self.has_times { unsafe { self.memory.take_time(piece) } } else { 0 };
                if is_last {
                    self.head = Some(self.head_of(time, piece.length() as u32, Some(piece)));
                    return;
                }
                self.joined.clear();
                (time, 0)
            }
            Unfinished::Joining { time, length } => (time, length),
            Unfinished::Leaving => {
                self.lay(piece);
                self.unfinished = if is_last { Unfinished::Nothing } else { Unfinished::Leaving };
                return;
            }
        };
        // SAFETY: a descriptor has named the piece, and its chunk is laid only after this.
        let bytes = unsafe { self.memory.bytes(piece) };
        let room = LONGEST.saturating_sub(self.joined.len());
        self.joined.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.lay(piece);
        let length = length.saturating_add(piece.length() as u32);
        if is_last {
            self.unfinished = Unfinished::Nothing;
            self.head = Some(self.head_of(time, length, None));
        } else {
            self.unfinished = Unfinished::Joining { time, length };
        }
    }

    fn head_of(&self, time: u64, length: u32, piece: Option<Piece>) -> Head {
        let is_timed = time != 0;
        Head { at: if is_timed { time } else { self.seen_at }, is_timed, length, piece }
    }

    /// Lays the chunk of a piece that a descriptor has named, once for each descriptor.
    fn lay(&mut self, piece: Piece) {
        // SAFETY: a descriptor has named it since it was last laid, and what borrows from the memory borrows `self`.
        unsafe { self.fill.lay(piece.chunk()) };
    }

    /// Takes the frame at the head to be lent, and goes on behind it; its number until [`Queue::take_back`].
    pub(super) fn lend(&mut self) -> Option<usize> {
        let head = self.head.take()?;
        self.lent.push(head);
        Some(self.lent.len() - 1)
    }

    /// Whether the frame that was lent last came in several pieces: the memory that they were put together in is needed for
    /// the next such frame, so nothing more may be looked at before it is taken back.
    pub(super) fn has_lent_joined(&self) -> bool {
        self.lent.last().is_some_and(|head| head.piece.is_none())
    }

    /// A frame that is lent.
    pub(super) fn frame(&self, number: usize) -> Option<Received<'_>> {
        let &Head { at, is_timed, length: wire_length, piece } = self.lent.get(number)?;
        let bytes = match piece {
            // SAFETY: a descriptor has named the piece; its chunk is laid in `take_back`, which takes `&mut self`.
            Some(piece) => unsafe { self.memory.bytes(piece) },
            None => &self.joined,
        };
        Some(Received { at, is_timed, wire_length, bytes })
    }

    /// Takes back all frames on loan.
    pub(super) fn take_back(&mut self) {
        while let Some(head) = self.lent.pop() {
            if let Some(piece) = head.piece {
                self.lay(piece);
            }
        }
        if self.untold >= BATCH {
            self.tell();
        }
    }

    /// Tells the kernel what was read and which chunks are free.
    fn tell(&mut self) {
        if self.untold == 0 {
            return;
        }
        self.untold = 0;
        self.receive.release();
        self.fill.publish();
        if self.fill.needs_wakeup() {
            self.socket.wake();
        }
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(super) fn malformed(&self) -> u64 {
        self.malformed
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A queue stays taken for a moment after its last socket was closed: the kernel takes that down behind our back.
fn bind(socket: &Socket, plan: Plan, flags: u16) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match socket.bind(plan.interface, plan.queue, flags) {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) && begun.elapsed() < LEAVING => {
                std::thread::sleep(LOOK_AGAIN);
            }
            bound => return bound,
        }
    }
}

/// Chunks in a part of the memory.
pub(super) const fn chunks(bytes: usize) -> u32 {
    (bytes / CHUNK) as u32
}
