//! What the kernel knows of a network interface: its number, whether it is up, how many receive queues it has.
//! `man 7 netdevice`, `linux/ethtool.h`.

mod host;

use std::fs;
use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

use libc::{c_char, c_int, c_short};

pub(crate) use host::use_by_host;

use crate::LinkType;

/// `linux/if_arp.h`: IP packets without a link layer, as modems give them.
const ARPHRD_RAWIP: u16 = 519;

/// `linux/ethtool.h`: asks for the numbers of queues.
const ETHTOOL_GCHANNELS: u32 = 0x3c;

/// `struct ethtool_channels`.
#[repr(C)]
#[derive(Default)]
struct Channels {
    command: u32,
    most: [u32; 4],
    receive: u32,
    transmit: u32,
    other: u32,
    combined: u32,
}

/// An interface as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its number. An interface that was removed and made anew under its name has another one.
    pub(crate) index: u32,
    /// The kind of hardware (`ARPHRD_*`).
    pub(crate) hardware: u16,
    /// Whether it was set up by an administrator.
    pub(crate) is_up: bool,
    /// Whether it is up and its cable leads somewhere.
    pub(crate) has_carrier: bool,
    /// Receive queues in use, at least 1.
    pub(crate) queues: u32,
}

impl Link {
    /// What its frames begin with; `None` if that is not known here.
    pub(crate) fn link_type(&self) -> Option<LinkType> {
        match self.hardware {
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Some(LinkType::Ethernet),
            libc::ARPHRD_NONE
            | ARPHRD_RAWIP
            | libc::ARPHRD_TUNNEL
            | libc::ARPHRD_TUNNEL6
            | libc::ARPHRD_SIT => Some(LinkType::RawIp),
            _ => None,
        }
    }
}

/// Answers questions about the interfaces of the network namespace in which it was made, in whatever thread it is asked.
pub(crate) struct Links(OwnedFd);

impl Links {
    pub(crate) fn new() -> io::Result<Self> {
        // Any kind of socket will do to ask; this one needs no permission.
        // SAFETY: no memory is passed.
        let socket = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a descriptor that was just opened and that nothing else owns.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(socket) }))
    }

    /// The interface of that name, `None` if there is none.
    pub(crate) fn look(&self, name: &str) -> io::Result<Option<Link>> {
        let Some(mut request) = request(name) else { return Ok(None) };
        match self.find(name, &mut request) {
            Ok(link) => Ok(Some(link)),
            // It may also go between two questions.
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn find(&self, name: &str, request: &mut libc::ifreq) -> io::Result<Link> {
        self.ask(libc::SIOCGIFINDEX, request)?;
        // SAFETY: the call has succeeded and filled this in.
        let index = unsafe { request.ifr_ifru.ifru_ifindex };
        self.ask(libc::SIOCGIFHWADDR, request)?;
        // SAFETY: as above.
        let hardware = unsafe { request.ifr_ifru.ifru_hwaddr.sa_family };
        self.ask(libc::SIOCGIFFLAGS, request)?;
        // SAFETY: as above.
        let flags = unsafe { request.ifr_ifru.ifru_flags };
        let has = |flag: c_int| flags & flag as c_short != 0;
        let index = u32::try_from(index).map_err(|_| io::ErrorKind::InvalidData)?;
        let is_up = has(libc::IFF_UP);
        let has_carrier = is_up && has(libc::IFF_RUNNING);
        Ok(Link { index, hardware, is_up, has_carrier, queues: self.queues(name, request) })
    }

    /// As the driver tells it; if it does not, as sysfs does.
    fn queues(&self, name: &str, request: &mut libc::ifreq) -> u32 {
        let mut channels = Channels { command: ETHTOOL_GCHANNELS, ..Channels::default() };
        request.ifr_ifru.ifru_data = ptr::from_mut(&mut channels).cast::<c_char>();
        let told = self.ask(libc::SIOCETHTOOL, request).map(|()| channels.receive + channels.combined);
        told.unwrap_or_else(|_| queues_in_sysfs(name)).max(1)
    }

    fn ask(&self, question: libc::Ioctl, request: &mut libc::ifreq) -> io::Result<()> {
        // SAFETY: the questions asked here take this structure and write into it only, but for SIOCETHTOOL, whose
        // pointer leads to the structure that its command writes to.
        let answer = unsafe { libc::ioctl(self.0.as_raw_fd(), question, ptr::from_mut(request)) };
        if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// A question about the interface of that name; `None` if no interface can have it.
fn request(name: &str) -> Option<libc::ifreq> {
    // SAFETY: the structure consists of integers and a union of such, for which zeros will do.
    let mut request: libc::ifreq = unsafe { zeroed() };
    // The last byte stays 0.
    let is_possible = !name.is_empty() && name.len() < request.ifr_name.len() && !name.contains('\0');
    is_possible.then(|| {
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = c_char::from_ne_bytes([from]);
        }
        request
    })
}

fn queues_in_sysfs(name: &str) -> u32 {
    let entries = fs::read_dir(format!("/sys/class/net/{name}/queues")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("rx-")).count() as u32
}
