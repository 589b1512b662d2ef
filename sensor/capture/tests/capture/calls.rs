//! What ip(8) has no command for: queues of an interface (`linux/ethtool.h`) and frames of any content (`man 7 packet`).
#![allow(unsafe_code, reason = "system calls")]

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const ETHTOOL_SCHANNELS: u32 = 0x3d;

/// Sets the receive and transmit queues of an interface of this thread's namespace.
pub(crate) fn set_queues(interface: &str, receive: u32, transmit: u32) -> io::Result<()> {
    // `struct ethtool_channels`: the command, four maxima, then receive, transmit, other, combined.
    let mut channels = [ETHTOOL_SCHANNELS, 0, 0, 0, 0, receive, transmit, 0, 0];
    // SAFETY: integers and a union of such, for which zeros will do.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_data = (&raw mut channels).cast();
    let socket = UdpSocket::bind("127.0.0.1:0").or_else(|_| UdpSocket::bind("0.0.0.0:0"))?;
    // SAFETY: the structure that the request takes, whose pointer leads to the structure of the command.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Sends a frame as it is from an interface of this thread's namespace.
pub(crate) fn send_frame(interface: &str, frame: &[u8]) -> io::Result<()> {
    // SAFETY: integers and a union of such, for which zeros will do.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = from.cast_signed();
    }
    // SAFETY: no memory is passed.
    let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that was just opened and that nothing else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: the structure that the request takes and fills in.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFINDEX, &raw mut request) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: integers, for which zeros will do.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    // SAFETY: the request has succeeded and filled this in.
    address.sll_ifindex = unsafe { request.ifr_ifru.ifru_ifindex };
    // SAFETY: octets and their number, an address and its size, all of which the call only reads.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            frame.as_ptr().cast(),
            frame.len(),
            0,
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
