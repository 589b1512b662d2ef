//! The system calls of an AF_XDP socket (`linux/if_xdp.h`), each in a safe function.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use libc::{c_int, c_void, socklen_t};

use super::umem::Umem;
use crate::system_call::{check, option};

/// An AF_XDP socket.
pub(super) struct Socket(OwnedFd);

impl Socket {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: no memory is passed.
        let socket = unsafe { libc::socket(libc::AF_XDP, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        check(socket)?;
        // SAFETY: a descriptor that was just opened and that nothing else owns.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(socket) }))
    }

    /// Lets the kernel receive into this memory, as far as chunks of it are laid into the fill ring. It holds the pages
    /// for as long as the socket lives, whether or not the memory does.
    pub(super) fn register(&self, memory: &Umem) -> io::Result<()> {
        self.set(libc::XDP_UMEM_REG, &memory.registration())
    }

    /// Sets up the rings; numbers of entries are powers of two.
    pub(super) fn set_rings(&self, fill: u32, receive: u32) -> io::Result<()> {
        self.set(libc::XDP_UMEM_FILL_RING, &fill)?;
        // We send nothing, but a socket is not bound without it.
        self.set(libc::XDP_UMEM_COMPLETION_RING, &2_u32)?;
        self.set(libc::XDP_RX_RING, &receive)
    }

    /// Where things lie in the rings.
    pub(super) fn offsets(&self) -> io::Result<libc::xdp_mmap_offsets> {
        option(self.as_fd(), libc::SOL_XDP, libc::XDP_MMAP_OFFSETS)
    }

    /// Begins to receive what the program hands over from a queue.
    pub(super) fn bind(&self, interface: u32, queue: u32, flags: u16) -> io::Result<()> {
        let address = libc::sockaddr_xdp {
            sxdp_family: libc::AF_XDP as u16,
            sxdp_flags: flags,
            sxdp_ifindex: interface,
            sxdp_queue_id: queue,
            sxdp_shared_umem_fd: 0,
        };
        // SAFETY: a valid address and its size; the call only reads it.
        check(unsafe {
            libc::bind(
                self.0.as_raw_fd(),
                (&raw const address).cast(),
                size_of::<libc::sockaddr_xdp>() as socklen_t,
            )
        })
    }

    /// Whether the network card writes into the packet memory itself.
    pub(super) fn is_zero_copy(&self) -> io::Result<bool> {
        let options: libc::xdp_options = option(self.as_fd(), libc::SOL_XDP, libc::XDP_OPTIONS)?;
        Ok(options.flags & libc::XDP_OPTIONS_ZEROCOPY != 0)
    }

    /// The kernel's counts since the socket was made.
    pub(super) fn statistics(&self) -> io::Result<libc::xdp_statistics> {
        option(self.as_fd(), libc::SOL_XDP, libc::XDP_STATISTICS)
    }

    /// The error that the socket is in, which is cleared by that.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        let code: c_int = option(self.as_fd(), libc::SOL_SOCKET, libc::SO_ERROR)?;
        Ok((code != 0).then(|| io::Error::from_raw_os_error(code)))
    }

    /// Lets the kernel look into the fill ring.
    pub(super) fn wake(&self) {
        // What could fail here is told by the socket's error, or tried again with the next chunks.
        // SAFETY: room for no octet, at no address.
        unsafe {
            libc::recvfrom(
                self.0.as_raw_fd(),
                ptr::null_mut(),
                0,
                libc::MSG_DONTWAIT,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
    }

    fn set<T>(&self, option: c_int, value: &T) -> io::Result<()> {
        // SAFETY: the callers pass the structure that the option takes; the pointer and the size describe it, and the call
        // only reads it.
        check(unsafe {
            libc::setsockopt(
                self.0.as_raw_fd(),
                libc::SOL_XDP,
                option,
                ptr::from_ref(value).cast::<c_void>(),
                size_of::<T>() as socklen_t,
            )
        })
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
