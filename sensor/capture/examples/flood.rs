//! Sends the frames of a capture from an interface, again and again, for a while, and says how many it has sent:
//! `flood INTERFACE FILE SECONDS RATE (sendmmsg | kernel)`, where a rate of 0 is as fast as it goes.
//!
//! `sendmmsg` sends as programs do. `kernel` lets the kernel make the frames out of nothing (`BPF_F_TEST_XDP_LIVE_FRAMES` of
//! bpf(2)), which is several times as fast and works only into an interface whose peer runs an XDP program: many copies of each
//! of 100 frames in turn, each copy from one of 1,000 sources and with an identification of its own (RFC 791), so that they are
//! packets of 100,000 flows and none is a mirror's duplicate.
//! For benchmarks and in namespaces: it floods whatever is at the other end.
#![allow(unsafe_code, reason = "system calls")]
#![expect(clippy::print_stdout, reason = "the output of a command-line program")]

use std::error::Error;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use wardwatch_capture::{CaptureFile, Pace, Source, Step};

/// Frames between two looks at the clock.
const BATCH: usize = 64;
/// The longest frame that an Ethernet without jumbo frames carries.
const LONGEST: usize = 1514;
/// Frames that the kernel makes copies of.
const MODELS: usize = 100;
/// Sources of each of them.
const SOURCES: u32 = 1_000;
/// Copies that one call makes. Each has to get memory first, so few and long calls are faster.
const COPIES: u32 = 1 << 16;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [interface, file, seconds, rate, by] = arguments.as_slice() else {
        return Err("usage: flood INTERFACE FILE SECONDS RATE (sendmmsg | kernel)".into());
    };
    let (index, frames) = (index(interface)?, frames(file)?);
    let (seconds, rate): (f64, u32) = (seconds.parse()?, rate.parse()?);
    let begun = Instant::now();
    let mut sent = 0_usize;
    // Whether there is time left, after waiting for the time at which the next batch is due.
    let goes_on = |sent: usize| {
        while rate > 0 && sent as f64 > begun.elapsed().as_secs_f64() * f64::from(rate) {
            if rate < 50_000 {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        begun.elapsed().as_secs_f64() < seconds
    };
    match by.as_str() {
        "sendmmsg" => {
            let mut sender = Sender::new(index, &frames)?;
            while goes_on(sent) {
                sent += sender.send()?;
            }
        }
        "kernel" => {
            let program = redirect_to(index)?;
            // At a given rate fifty calls a second.
            let copies = if rate > 0 { (rate / 50).clamp(1, COPIES) } else { COPIES };
            let models = models(&frames);
            if models.is_empty() {
                return Err("there are no packets of IPv4 that carry anything in it".into());
            }
            for frame in models.into_iter().cycle() {
                if !goes_on(sent) {
                    break;
                }
                make(&program, frame, copies)?;
                sent += copies as usize;
            }
        }
        other => return Err(format!("cannot send by {other}").into()),
    }
    println!("{sent}");
    Ok(())
}

fn frames(file: &str) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut source = CaptureFile::open(file, Pace::Full)?;
    let mut frames = Vec::new();
    while let Step::Frames(some) = source.next()? {
        let short = some.iter().filter(|frame| frame.bytes.len() <= LONGEST);
        frames.extend(short.map(|frame| frame.bytes.to_vec()));
    }
    if frames.is_empty() { Err("there are no frames in it".into()) } else { Ok(frames) }
}

/// Frames of TCP and UDP over IPv4 that carry something, from all over the capture.
fn models(frames: &[Vec<u8>]) -> Vec<&Vec<u8>> {
    let carries = |frame: &&Vec<u8>| {
        let at = |place: usize| frame.get(place).copied().unwrap_or_default();
        let headers = 14
            + match at(23) {
                6 => 20 + usize::from(at(46) >> 4) * 4,
                17 => 28,
                _ => return false,
            };
        (at(12), at(13), at(14)) == (8, 0, 0x45) && frame.len() > headers
    };
    let carrying: Vec<_> = frames.iter().filter(carries).collect();
    let apart = carrying.len().div_ceil(MODELS).max(1);
    carrying.into_iter().step_by(apart).collect()
}

fn index(interface: &str) -> Result<u32, Box<dyn Error>> {
    let name = std::ffi::CString::new(interface)?;
    // SAFETY: a string with its terminating zero, which the call only reads.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    if index == 0 { Err(io::Error::last_os_error().into()) } else { Ok(index) }
}

/// Sends frames in turn through a packet socket.
struct Sender<'a> {
    socket: OwnedFd,
    frames: &'a [Vec<u8>],
    next: usize,
}

impl<'a> Sender<'a> {
    fn new(index: u32, frames: &'a [Vec<u8>]) -> io::Result<Self> {
        // SAFETY: no memory is passed.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a descriptor that was just opened and that nothing else owns.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        // SAFETY: integers, for which zeros will do.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = index.cast_signed();
        // SAFETY: an address and its size; the call only reads it.
        let bound = unsafe {
            libc::bind(
                socket.as_raw_fd(),
                (&raw const address).cast(),
                size_of::<libc::sockaddr_ll>() as libc::socklen_t,
            )
        };
        if bound < 0 { Err(io::Error::last_os_error()) } else { Ok(Self { socket, frames, next: 0 }) }
    }

    /// Sends a batch; how many frames of it went.
    fn send(&mut self) -> io::Result<usize> {
        let frames = self.frames.get(self.next..).unwrap_or_default();
        let mut pieces: Vec<libc::iovec> = frames
            .iter()
            .take(BATCH)
            .map(|frame| libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() })
            .collect();
        let mut messages: Vec<libc::mmsghdr> = pieces
            .iter_mut()
            .map(|piece| {
                // SAFETY: integers and pointers, for which zeros will do.
                let mut message: libc::mmsghdr = unsafe { zeroed() };
                message.msg_hdr.msg_iov = piece;
                message.msg_hdr.msg_iovlen = 1;
                message
            })
            .collect();
        // SAFETY: as many messages as it says, each with one piece of a frame; all of it outlives the call, and the frames
        // are only read.
        let sent = unsafe {
            libc::sendmmsg(self.socket.as_raw_fd(), messages.as_mut_ptr(), messages.len() as u32, 0)
        };
        match usize::try_from(sent) {
            Ok(sent) => {
                self.next = (self.next + sent) % self.frames.len();
                Ok(sent)
            }
            Err(_) => match io::Error::last_os_error() {
                // The way is full for now.
                error if error.raw_os_error() == Some(libc::ENOBUFS) => Ok(0),
                error => Err(error),
            },
        }
    }
}

/// A program that gives a frame of IPv4 it is run on a source in 10.0.0.0/8 and an identification, both by chance, and
/// sends it from an interface. The header's checksum is not that of the new header.
fn redirect_to(index: u32) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Attributes {
        kind: u32,
        count: u32,
        instructions: u64,
        licence: u64,
    }
    // Opcode, registers, offset, immediate (RFC 9669).
    let instruction = |code: u64, to: u64, from: u64, offset: u64, immediate: u32| {
        code | to << 8 | from << 12 | offset << 16 | u64::from(immediate) << 32
    };
    let instructions = [
        instruction(0x61, 7, 1, 0, 0),       // r7 = data
        instruction(0x61, 3, 1, 4, 0),       // r3 = data_end
        instruction(0xbf, 4, 7, 0, 0),       // r4 = r7
        instruction(0x07, 4, 0, 0, 34),      // r4 += 34: both headers
        instruction(0x2d, 4, 3, 7, 0),       // if r4 > r3, send it as it is
        instruction(0x85, 0, 0, 0, 7),       // r0 = BPF_FUNC_get_prandom_u32
        instruction(0x6b, 7, 0, 18, 0),      // identification = r0
        instruction(0x85, 0, 0, 0, 7),       // r0 = BPF_FUNC_get_prandom_u32
        instruction(0x94, 0, 0, 0, SOURCES), // r0 %= SOURCES
        instruction(0x64, 0, 0, 0, 8),       // r0 <<= 8
        instruction(0x44, 0, 0, 0, 10),      // r0 |= 10
        instruction(0x63, 7, 0, 26, 0),      // source = r0, its octets the other way round
        instruction(0xb7, 1, 0, 0, index),
        instruction(0xb7, 2, 0, 0, 0),
        instruction(0x85, 0, 0, 0, 23), // BPF_FUNC_redirect
        instruction(0x95, 0, 0, 0, 0),
    ];
    let attributes = Attributes {
        kind: 6, // BPF_PROG_TYPE_XDP
        count: instructions.len() as u32,
        instructions: instructions.as_ptr().expose_provenance() as u64,
        licence: c"Apache-2.0".as_ptr().expose_provenance() as u64,
    };
    // SAFETY: the attributes of BPF_PROG_LOAD; they point to as many instructions as they say and to a string with its
    // terminating zero, and the kernel only reads them.
    let program = unsafe { libc::syscall(libc::SYS_bpf, 5, &raw const attributes, size_of::<Attributes>()) };
    if program < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that was just opened and that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(program as i32) })
}

/// Lets the kernel run the program on copies of a frame.
fn make(program: &OwnedFd, frame: &[u8], copies: u32) -> io::Result<()> {
    #[repr(C)]
    #[derive(Default)]
    struct Attributes {
        program: u32,
        verdict: u32,
        length: u32,
        out_length: u32,
        bytes: u64,
        out_bytes: u64,
        repeat: u32,
        took: u32,
        context: [u32; 2],
        contexts: [u64; 2],
        flags: u32,
        processor: u32,
        batch: u32,
        padding: u32,
    }
    let mut attributes = Attributes {
        program: program.as_raw_fd().cast_unsigned(),
        length: frame.len() as u32,
        bytes: frame.as_ptr().expose_provenance() as u64,
        repeat: copies,
        flags: 1 << 1, // BPF_F_TEST_XDP_LIVE_FRAMES
        batch: BATCH as u32,
        ..Attributes::default()
    };
    // SAFETY: the attributes of BPF_PROG_TEST_RUN, which the call may write to; they point to as many octets as they say,
    // which it only reads.
    let ran = unsafe { libc::syscall(libc::SYS_bpf, 10, &raw mut attributes, size_of::<Attributes>()) };
    if ran < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
