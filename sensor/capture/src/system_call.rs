//! What the system calls of both kinds of socket have in common.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{c_int, c_void, socklen_t};

/// The value of a socket's option (`man 2 getsockopt`).
pub(crate) fn option<T: Plain>(socket: BorrowedFd<'_>, level: c_int, option: c_int) -> io::Result<T> {
    // SAFETY: `Plain` types consist of integers, so zeros are a value of theirs.
    let mut value: T = unsafe { zeroed() };
    let mut length = size_of::<T>() as socklen_t;
    // SAFETY: room for the value, and its size, which the call does not exceed.
    check(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw mut value).cast::<c_void>(),
            &raw mut length,
        )
    })?;
    Ok(value)
}

/// What a system call returned, as a result.
pub(crate) fn check(returned: c_int) -> io::Result<()> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Types that consist of integers only, so that any bytes are a value of theirs.
///
/// # Safety
/// Implement it for no other type.
pub(crate) unsafe trait Plain {}
// SAFETY: an integer.
unsafe impl Plain for c_int {}
// SAFETY: integers.
unsafe impl Plain for libc::tpacket_stats_v3 {}
// SAFETY: integers.
unsafe impl Plain for libc::xdp_mmap_offsets {}
// SAFETY: integers.
unsafe impl Plain for libc::xdp_options {}
// SAFETY: integers.
unsafe impl Plain for libc::xdp_statistics {}
