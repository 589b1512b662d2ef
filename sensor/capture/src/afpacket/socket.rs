//! The system calls of a packet socket (`man 7 packet`), each in a safe function.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use libc::{c_int, c_void, socklen_t};

use super::ring::BLOCK;
use crate::system_call::{check, option};

/// Frames share a block without slots of their own; this only has to divide the block.
const FRAME_SLOT: usize = 2048;

/// What poll(2) found out.
pub(super) enum Wait {
    Ready,
    TimedOut,
    /// The socket is in an error state, with this error.
    Failed(io::Error),
}

/// A packet socket.
pub(super) struct Socket(OwnedFd);

impl Socket {
    /// A new socket that receives nothing yet: without a protocol, nothing arrives before [`Socket::bind`].
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: no memory is passed.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        check(socket)?;
        // SAFETY: a descriptor that was just opened and that nothing else owns.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(socket) }))
    }

    /// Sets up the ring: `TPACKET_V3`, as many blocks, each handed over when full or after the time-out.
    pub(super) fn set_ring(&self, blocks: u32, timeout: Duration) -> io::Result<()> {
        self.set(libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as c_int))?;
        self.set(
            libc::PACKET_RX_RING,
            &libc::tpacket_req3 {
                tp_block_size: BLOCK as u32,
                tp_block_nr: blocks,
                tp_frame_size: FRAME_SLOT as u32,
                tp_frame_nr: ((BLOCK / FRAME_SLOT) as u32).saturating_mul(blocks),
                tp_retire_blk_tov: timeout.as_millis() as u32,
                tp_sizeof_priv: 0,
                tp_feature_req_word: 0,
            },
        )
    }

    /// Leaves out what this host sends itself.
    pub(super) fn ignore_outgoing(&self) -> io::Result<()> {
        self.set(libc::PACKET_IGNORE_OUTGOING, &(1 as c_int))
    }

    /// Lets the interface take in frames for others, for as long as the socket lives.
    pub(super) fn set_promiscuous(&self, interface: u32) -> io::Result<()> {
        self.set(libc::PACKET_ADD_MEMBERSHIP, &promiscuous(interface))
    }

    /// Takes that back.
    pub(super) fn unset_promiscuous(&self, interface: u32) -> io::Result<()> {
        self.set(libc::PACKET_DROP_MEMBERSHIP, &promiscuous(interface))
    }

    /// Begins to receive every frame of an interface.
    pub(super) fn bind(&self, interface: u32) -> io::Result<()> {
        let mut address = empty_address();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = interface.cast_signed();
        // SAFETY: a valid address and its size; the call only reads it.
        check(unsafe {
            libc::bind(
                self.0.as_raw_fd(),
                (&raw const address).cast(),
                size_of::<libc::sockaddr_ll>() as socklen_t,
            )
        })
    }

    /// Waits until a block is ready.
    pub(super) fn wait(&self, timeout: Duration) -> io::Result<Wait> {
        let mut poll = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let milliseconds = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: one valid pollfd, and the count says one.
        match check(unsafe { libc::poll(&raw mut poll, 1, milliseconds) }) {
            Ok(()) => {}
            // A signal: the time is not over, and looking once more costs nothing.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Wait::Ready),
            Err(error) => return Err(error),
        }
        if poll.revents & !libc::POLLIN != 0 {
            // Reading the error also clears it.
            let code: c_int = option(self.as_fd(), libc::SOL_SOCKET, libc::SO_ERROR)?;
            if code != 0 {
                return Ok(Wait::Failed(io::Error::from_raw_os_error(code)));
            }
        }
        Ok(if poll.revents & libc::POLLIN != 0 { Wait::Ready } else { Wait::TimedOut })
    }

    /// The kernel's counts since they were asked for the last time. `tp_packets` includes what was dropped.
    pub(super) fn take_statistics(&self) -> io::Result<libc::tpacket_stats_v3> {
        option(self.as_fd(), libc::SOL_PACKET, libc::PACKET_STATISTICS)
    }

    fn set<T>(&self, option: c_int, value: &T) -> io::Result<()> {
        let value: *const T = value;
        // SAFETY: the callers pass the structure that the option takes; the pointer and the size describe it, and the
        // call only reads it.
        check(unsafe {
            libc::setsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                option,
                value.cast::<c_void>(),
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

fn promiscuous(interface: u32) -> libc::packet_mreq {
    libc::packet_mreq {
        mr_ifindex: interface.cast_signed(),
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    }
}

fn empty_address() -> libc::sockaddr_ll {
    // SAFETY: the structure consists of integers, for which zeros will do.
    unsafe { zeroed() }
}
