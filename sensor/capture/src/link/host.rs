//! Whether this host uses a network interface for itself: then its frames must not be taken away.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

use libc::c_int;

/// What this host uses an interface for, in words; `None` if it only listens there, as far as can be seen.
pub(crate) fn use_by_host(name: &str) -> Option<String> {
    match addresses(name) {
        Ok(addresses) => {
            if let Some(address) = addresses.into_iter().find(|address| !is_of_the_link(*address)) {
                return Some(format!("it has the address {address}"));
            }
        }
        Err(error) => return Some(format!("it cannot be told whether it has addresses: {error}")),
    }
    // Bridges, bonds and VLAN interfaces on top of it. What is not there cannot be read, and says nothing.
    let entries = fs::read_dir(format!("/sys/class/net/{name}")).ok()?;
    entries.flatten().find_map(|entry| {
        let above = entry.file_name();
        let above = above.to_str()?.strip_prefix("upper_")?;
        Some(format!("interface {above} is on top of it"))
    })
}

/// Every interface that is up has an IPv6 address of the link, asked for or not.
fn is_of_the_link(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

fn addresses(name: &str) -> io::Result<Vec<IpAddr>> {
    let mut first: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: room for a pointer, which the call sets to a list if it succeeds.
    if unsafe { libc::getifaddrs(&raw mut first) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let mut addresses = Vec::new();
    let mut next = first;
    // SAFETY: the list is as getifaddrs(3) describes it, ends with a null pointer, and lives until it is freed below.
    while let Some(entry) = unsafe { next.as_ref() } {
        next = entry.ifa_next;
        // SAFETY: the name is a string with its terminating zero.
        let is_of_it = unsafe { CStr::from_ptr(entry.ifa_name) }.to_bytes() == name.as_bytes();
        // SAFETY: null, or an address that begins with its family.
        let family = unsafe { entry.ifa_addr.as_ref() }.map(|address| c_int::from(address.sa_family));
        match family {
            Some(libc::AF_INET) if is_of_it => {
                // SAFETY: the family says which structure it is.
                let address = unsafe { entry.ifa_addr.cast::<libc::sockaddr_in>().read_unaligned() };
                addresses.push(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)).into());
            }
            Some(libc::AF_INET6) if is_of_it => {
                // SAFETY: the family says which structure it is.
                let address = unsafe { entry.ifa_addr.cast::<libc::sockaddr_in6>().read_unaligned() };
                addresses.push(Ipv6Addr::from(address.sin6_addr.s6_addr).into());
            }
            _ => {}
        }
    }
    // SAFETY: the list that was made above; nothing points into it any more.
    unsafe { libc::freeifaddrs(first) };
    Ok(addresses)
}
