//! The system call bpf(2), as far as it is needed: a map of sockets, a program, and the link that attaches it.
//!
//! The attributes are those of `union bpf_attr` in `linux/bpf.h`; the kernel takes what is missing at the end as zeros.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use libc::c_int;

use super::program::Instruction;

const MAP_CREATE: c_int = 0;
const MAP_UPDATE_ELEM: c_int = 2;
const PROG_LOAD: c_int = 5;
const OBJ_GET_INFO_BY_FD: c_int = 15;
const LINK_CREATE: c_int = 28;
const LINK_DETACH: c_int = 34;

const MAP_TYPE_XSKMAP: u32 = 17;
const PROG_TYPE_XDP: u32 = 6;
/// The attach type of XDP programs.
const XDP: u32 = 37;
/// The program can cope with frames that lie in several pieces: without it, drivers refuse it at a large MTU.
const XDP_HAS_FRAGS: u32 = 1 << 5;

const NAME: [u8; 16] = *b"wardwatch\0\0\0\0\0\0\0";

/// Where in the kernel the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hook {
    /// In the driver, before anything is made of a frame.
    Driver,
    /// Behind it, on what every driver delivers.
    Generic,
}

impl Hook {
    /// `XDP_FLAGS_DRV_MODE` and `XDP_FLAGS_SKB_MODE`.
    fn flags(self) -> u32 {
        match self {
            Self::Driver => 1 << 2,
            Self::Generic => 1 << 1,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Generic => "generic",
        }
    }
}

/// Which socket takes the frames of a queue.
pub(super) struct SocketMap(OwnedFd);

impl SocketMap {
    pub(super) fn new(queues: u32) -> io::Result<Self> {
        #[repr(C)]
        struct Attributes {
            kind: u32,
            key_size: u32,
            value_size: u32,
            entries: u32,
            flags: u32,
            inner: u32,
            numa_node: u32,
            name: [u8; 16],
        }
        let attributes = Attributes {
            kind: MAP_TYPE_XSKMAP,
            key_size: size_of::<u32>() as u32,
            value_size: size_of::<RawFd>() as u32,
            entries: queues,
            flags: 0,
            inner: 0,
            numa_node: 0,
            name: NAME,
        };
        // SAFETY: the attributes of this command; nothing is pointed to.
        unsafe { bpf_descriptor(MAP_CREATE, &attributes) }.map(Self)
    }

    pub(super) fn set(&self, queue: u32, socket: BorrowedFd<'_>) -> io::Result<()> {
        #[repr(C)]
        struct Attributes {
            map: RawFd,
            padding: u32,
            key: u64,
            value: u64,
            flags: u64,
        }
        let value = socket.as_raw_fd();
        let attributes = Attributes {
            map: self.raw(),
            padding: 0,
            key: address(&queue),
            value: address(&value),
            flags: 0,
        };
        // SAFETY: the attributes of this command; they point to a key and a value of the sizes that the map was made
        // with, and the kernel only reads them.
        unsafe { bpf(MAP_UPDATE_ELEM, &attributes) }.map(drop)
    }

    /// For instructions, which name a map by its descriptor.
    pub(super) fn raw(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// A program that the kernel has found harmless and keeps.
pub(super) struct Program(OwnedFd);

impl Program {
    pub(super) fn load(instructions: &[Instruction]) -> io::Result<Self> {
        #[repr(C)]
        struct Attributes {
            kind: u32,
            count: u32,
            instructions: u64,
            licence: u64,
            log_level: u32,
            log_size: u32,
            log: u64,
            kernel_version: u32,
            flags: u32,
            name: [u8; 16],
            interface: u32,
            attach_type: u32,
        }
        let attributes = Attributes {
            kind: PROG_TYPE_XDP,
            count: u32::try_from(instructions.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
            instructions: instructions.as_ptr().addr() as u64,
            licence: c"Apache-2.0".as_ptr().addr() as u64,
            log_level: 0,
            log_size: 0,
            log: 0,
            kernel_version: 0,
            flags: XDP_HAS_FRAGS,
            name: NAME,
            interface: 0,
            attach_type: XDP,
        };
        // SAFETY: the attributes of this command; they point to as many instructions as they say and to a string with
        // its terminating zero, and the kernel only reads them.
        unsafe { bpf_descriptor(PROG_LOAD, &attributes) }.map(Self)
    }
}

/// A program that is attached to an interface, until this is dropped or the process ends in whatever way.
pub(super) struct Attachment(OwnedFd);

impl Attachment {
    pub(super) fn new(program: &Program, interface: u32, hook: Hook) -> io::Result<Self> {
        #[repr(C)]
        struct Attributes {
            program: RawFd,
            interface: u32,
            attach_type: u32,
            flags: u32,
        }
        let attributes =
            Attributes { program: program.0.as_raw_fd(), interface, attach_type: XDP, flags: hook.flags() };
        // SAFETY: the attributes of this command; nothing is pointed to.
        unsafe { bpf_descriptor(LINK_CREATE, &attributes) }.map(Self)
    }

    /// The interface it is attached to; 0 if that was removed or someone detached the program.
    pub(super) fn interface(&self) -> io::Result<u32> {
        #[repr(C)]
        struct Attributes {
            link: RawFd,
            size: u32,
            info: u64,
        }
        /// `struct bpf_link_info` of XDP.
        #[repr(C)]
        #[derive(Default)]
        struct Info {
            kind: u32,
            id: u32,
            program: u32,
            padding: u32,
            interface: u32,
            padding_at_the_end: u32,
        }
        let mut info = Info::default();
        let attributes = Attributes {
            link: self.0.as_raw_fd(),
            size: size_of::<Info>() as u32,
            info: ptr::from_mut(&mut info).expose_provenance() as u64,
        };
        // SAFETY: the attributes of this command; they point to room of the size that they say.
        unsafe { bpf(OBJ_GET_INFO_BY_FD, &attributes) }?;
        // SAFETY: `info` is a local variable; the kernel wrote to it through the address exposed above.
        Ok(unsafe { ptr::read_volatile(&raw const info.interface) })
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        #[repr(C)]
        struct Attributes {
            link: RawFd,
        }
        // Closing it would do, but a process that is just being forked may hold a copy a moment longer. If this fails there is
        // nothing attached any more.
        // SAFETY: the attributes of this command; nothing is pointed to.
        let _ = unsafe { bpf(LINK_DETACH, &Attributes { link: self.0.as_raw_fd() }) };
    }
}

fn address<T>(value: &T) -> u64 {
    ptr::from_ref(value).expose_provenance() as u64
}

/// # Safety
/// The attributes must be those of the command, without implicit padding, and what they point to must be as it demands.
unsafe fn bpf<T>(command: c_int, attributes: &T) -> io::Result<c_int> {
    // SAFETY: the address and the size of the attributes, which the kernel reads; for the rest see above.
    let returned =
        unsafe { libc::syscall(libc::SYS_bpf, command, ptr::from_ref(attributes), size_of::<T>()) };
    if returned < 0 {
        return Err(io::Error::last_os_error());
    }
    c_int::try_from(returned).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// # Safety
/// As for [`bpf`]; the command must be one that opens a descriptor.
unsafe fn bpf_descriptor<T>(command: c_int, attributes: &T) -> io::Result<OwnedFd> {
    // SAFETY: see above.
    let descriptor = unsafe { bpf(command, attributes) }?;
    // SAFETY: the command has just opened it, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
