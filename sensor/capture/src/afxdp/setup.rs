//! What has to be done, in this order, before frames come: map and program, attach it, one socket for each receive queue, and
//! the sockets into the map. What was done is undone by dropping it.

use std::io;
use std::os::fd::AsFd;

use rustix::process::{Resource, getrlimit};
use rustix::thread::{CapabilitySet, capabilities};

use super::bpf::{Attachment, Hook, Program, SocketMap};
use super::queue::{self, Failure, Plan, Queue};
use super::{AfXdpOptions, program};
use crate::afpacket::Promiscuity;
use crate::link::{Link, Links};
use crate::{CaptureError, LinkType};

/// What is needed, each by its bit and name.
const NEEDED: [(CapabilitySet, &str); 3] = [
    (CapabilitySet::NET_RAW, "CAP_NET_RAW"),
    (CapabilitySet::BPF, "CAP_BPF"),
    (CapabilitySet::NET_ADMIN, "CAP_NET_ADMIN"),
];

/// An interface with our program on it.
pub(super) struct Port {
    /// First, so that the program is detached before anything else goes.
    pub(super) attachment: Attachment,
    /// The map that the program looks sockets up in.
    _sockets: SocketMap,
    _promiscuity: Option<Promiscuity>,
    /// The interface as it was when it was opened.
    pub(super) link: Link,
    pub(super) hook: Hook,
    pub(super) has_times: bool,
    pub(super) is_zero_copy: bool,
}

/// An interface that is captured.
pub(super) struct Opened {
    pub(super) port: Port,
    pub(super) queues: Vec<Queue>,
    pub(super) links: Links,
    pub(super) link_type: LinkType,
}

/// Opens an interface at the first of the hooks that works.
pub(super) fn open(options: &AfXdpOptions) -> Result<Opened, CaptureError> {
    let opening = Opening { options };
    let interface = || options.interface.clone();
    let links = Links::new().map_err(opening.failing("open a socket to ask for interfaces"))?;
    let link = links.look(&options.interface).map_err(opening.failing("look at the interface"))?;
    let link = link.ok_or_else(|| CaptureError::NoInterface { interface: interface() })?;
    let link_type = link.link_type();
    let link_type = link_type
        .ok_or_else(|| CaptureError::LinkLayer { interface: interface(), hardware: link.hardware })?;
    if !(link.queues..=2048).contains(&options.ring_mebibytes) {
        return Err(opening
            .failing("choose a ring of 1 to 2048 MiB, and at least 1 MiB for each receive queue")(
            io::ErrorKind::InvalidInput.into(),
        ));
    }
    if !link.is_up {
        return Err(CaptureError::InterfaceDown { interface: interface() });
    }
    let (port, queues) = if options.in_driver {
        match opening.at(Hook::Driver, link) {
            // Many drivers know nothing of XDP: what is said behind them is what counts.
            Err(CaptureError::Setup { .. }) => opening.at(Hook::Generic, link)?,
            opened => opened?,
        }
    } else {
        opening.at(Hook::Generic, link)?
    };
    Ok(Opened { port, queues, links, link_type })
}

struct Opening<'a> {
    options: &'a AfXdpOptions,
}

impl Opening<'_> {
    fn at(&self, hook: Hook, link: Link) -> Result<(Port, Vec<Queue>), CaptureError> {
        let sockets = SocketMap::new(link.queues);
        let sockets = sockets.map_err(self.failing("make a map of sockets"))?;
        let (program, has_times) = self.load(&sockets)?;
        let attachment = Attachment::new(&program, link.index, hook).map_err(self.attaching())?;
        let queues = self.queues(hook, link, has_times)?;
        let mut is_zero_copy = true;
        for (number, queue) in (0..).zip(&queues) {
            is_zero_copy &=
                queue.socket().is_zero_copy().map_err(self.failing("ask whether packets are copied"))?;
            sockets
                .set(number, queue.as_fd())
                .map_err(self.failing("hand a queue's frames to its socket"))?;
        }
        let promiscuity = self
            .options
            .promiscuous
            .then(|| Promiscuity::new(link.index))
            .transpose()
            .map_err(self.failing("set promiscuous mode"))?;
        let port = Port {
            attachment,
            _sockets: sockets,
            _promiscuity: promiscuity,
            link,
            hook,
            has_times,
            is_zero_copy,
        };
        Ok((port, queues))
    }

    /// The program that stores times, if that is wanted and the kernel takes it; else the one that does not.
    fn load(&self, sockets: &SocketMap) -> Result<(Program, bool), CaptureError> {
        let map = sockets.raw();
        if self.options.kernel_times
            && let Ok(program) = Program::load(&program::redirect_with_time(map))
        {
            return Ok((program, true));
        }
        let program = Program::load(&program::redirect(map)).map_err(self.failing("load the XDP program"))?;
        Ok((program, false))
    }

    /// A socket for each receive queue, each with its share of the memory.
    fn queues(&self, hook: Hook, link: Link, has_times: bool) -> Result<Vec<Queue>, CaptureError> {
        let share = self.options.ring_mebibytes / link.queues;
        let open = |queue| {
            let plan = Plan {
                interface: link.index,
                queue,
                chunks: queue::chunks((share as usize) << 20),
                // The card fills our memory only with what a program in its driver hands over.
                may_be_zero_copy: hook == Hook::Driver,
                has_times,
            };
            Queue::open(plan).map_err(|Failure { step, cause }| self.failing(step)(cause))
        };
        (0..link.queues).map(open).collect()
    }

    /// What it means that the program cannot be attached.
    fn attaching(&self) -> impl Fn(io::Error) -> CaptureError + '_ {
        move |cause| match cause.raw_os_error() {
            // Of the same kind, and of another.
            Some(libc::EBUSY | libc::EEXIST) => {
                CaptureError::ProgramAttached { interface: self.options.interface.clone() }
            }
            _ => self.failing("attach the XDP program")(cause),
        }
    }

    /// What it means that a step failed.
    fn failing(&self, step: &'static str) -> impl Fn(io::Error) -> CaptureError + '_ {
        move |cause| {
            let interface = self.options.interface.clone();
            match cause.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => match missing_capabilities() {
                    Some(capability) => CaptureError::MissingCapability { interface, capability },
                    None => CaptureError::Setup { interface, step, cause },
                },
                Some(libc::ENETDOWN) => CaptureError::InterfaceDown { interface },
                // Only the memory for packets is counted so.
                Some(libc::ENOBUFS) => CaptureError::LockedMemory {
                    interface,
                    mebibytes: self.options.ring_mebibytes,
                    limit: getrlimit(Resource::Memlock).current.map_or(u64::MAX, |limit| limit >> 10),
                },
                _ => CaptureError::Setup { interface, step, cause },
            }
        }
    }
}

/// Those of the needed capabilities that this thread does not have; `None` if it has them all, or cannot tell.
fn missing_capabilities() -> Option<String> {
    let held = capabilities(None).ok()?.effective;
    let missing: Vec<_> =
        NEEDED.iter().filter(|(bit, _)| !held.contains(*bit)).map(|(_, name)| *name).collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}
