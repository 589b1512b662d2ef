//! A network interface for as long as the process lives: by the means that were chosen, and anew whenever it comes back.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::link::{Links, use_by_host};
use crate::{
    AfXdp, AfXdpOptions, CaptureError, Change, Frame, PacketSocket, PacketSocketOptions, Source, Statistics,
    Step,
};

/// How often the link is looked at while frames may come.
const LOOK: Duration = Duration::from_secs(1);
/// How often an interface that is away is looked for.
const SEARCH: Duration = Duration::from_millis(20);
/// How long to leave an interface alone that is there and cannot be opened.
const PAUSE: Duration = Duration::from_secs(1);
/// Steps with frames between two looks at the clock.
const STEPS_A_LOOK: u32 = 128;

/// By which means an interface is captured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptureMode {
    /// A packet socket with a `TPACKET_V3` ring: a copy of what passes. Disturbs nothing, and works everywhere.
    #[default]
    PacketSocket,
    /// AF_XDP or nothing. It takes the frames away from this host: only for interfaces that do nothing but listen.
    AfXdp,
    /// AF_XDP if this host uses the interface for nothing else, as far as can be seen, and if the kernel allows it; else the
    /// packet socket, and the reason is told.
    Auto,
}

impl CaptureMode {
    /// Its name in settings, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::PacketSocket => "packet-socket",
            Self::AfXdp => "af-xdp",
            Self::Auto => "auto",
        }
    }
}

/// How an interface is captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceOptions {
    /// The interface's name.
    pub interface: String,
    /// By which means.
    pub mode: CaptureMode,
    /// Memory in mebibytes for what the kernel has received and we have not read: 2 to 2048, and with AF_XDP at least 1
    /// for each receive queue.
    pub ring_mebibytes: u32,
    /// Whether to take in frames for other stations too, as a mirror port needs.
    pub promiscuous: bool,
}

impl InterfaceOptions {
    /// An interface by a packet socket with a ring of 32 MiB, in promiscuous mode.
    pub fn new(interface: impl Into<String>) -> Self {
        Self {
            interface: interface.into(),
            mode: CaptureMode::default(),
            ring_mebibytes: 32,
            promiscuous: true,
        }
    }
}

/// An interface that is captured, and captured anew when it has been away.
///
/// While it is away, set down, or cannot be opened, [`Step::Idle`] is all that comes. What happens is in
/// [`Source::changes`], and how often in [`Statistics::interruptions`]. Counts go on over interruptions.
pub struct Interface {
    options: InterfaceOptions,
    links: Links,
    means: Option<Means>,
    has_link: bool,
    looked: Instant,
    /// When an attempt to open it failed, and with what words.
    failed: Option<(Instant, String)>,
    steps: u32,
    changes: Vec<Change>,
    /// What was counted by means that are gone.
    past: Statistics,
}

/// What captures.
enum Means {
    PacketSocket(PacketSocket),
    AfXdp(AfXdp),
}

impl Interface {
    /// Starts to capture. Fails if there is no such interface, and as [`PacketSocket::open`] and [`AfXdp::open`] do; an
    /// interface that is down is waited for.
    pub fn open(options: InterfaceOptions) -> Result<Self, CaptureError> {
        let name = &options.interface;
        let links = Links::new().map_err(|cause| CaptureError::Setup {
            interface: name.clone(),
            step: "open a socket to ask for interfaces",
            cause,
        })?;
        let mut interface = Self {
            options,
            links,
            means: None,
            has_link: true,
            looked: Instant::now(),
            failed: None,
            steps: 0,
            changes: Vec::new(),
            past: Statistics::default(),
        };
        match interface.begin() {
            Ok(()) => {}
            Err(reason @ CaptureError::InterfaceDown { .. }) => {
                interface.changes.push(Change::Lost { reason });
            }
            Err(error) => return Err(error),
        }
        Ok(interface)
    }

    fn begin(&mut self) -> Result<(), CaptureError> {
        let mut fallen_back = None;
        let means = match self.options.mode {
            CaptureMode::PacketSocket => Means::PacketSocket(self.packet_socket()?),
            CaptureMode::AfXdp => Means::AfXdp(self.af_xdp()?),
            CaptureMode::Auto => match self.af_xdp_if_unused() {
                Ok(source) => Means::AfXdp(source),
                Err(Refusal::Away(error)) => return Err(error),
                Err(Refusal::Because(reason)) => {
                    fallen_back = Some(reason);
                    Means::PacketSocket(self.packet_socket()?)
                }
            },
        };
        self.changes.extend(fallen_back.map(|reason| Change::FellBack { reason }));
        self.changes.push(Change::Opened { mode: means.mode(), description: means.source().describe() });
        self.means = Some(means);
        self.failed = None;
        self.has_link = true;
        self.look();
        Ok(())
    }

    fn packet_socket(&self) -> Result<PacketSocket, CaptureError> {
        let InterfaceOptions { interface, ring_mebibytes, promiscuous, .. } = self.options.clone();
        PacketSocket::open(PacketSocketOptions { interface, ring_mebibytes, promiscuous })
    }

    fn af_xdp(&self) -> Result<AfXdp, CaptureError> {
        let InterfaceOptions { interface, ring_mebibytes, promiscuous, .. } = self.options.clone();
        AfXdp::open(AfXdpOptions { ring_mebibytes, promiscuous, ..AfXdpOptions::new(interface) })
    }

    fn af_xdp_if_unused(&self) -> Result<AfXdp, Refusal> {
        if let Some(used) = use_by_host(&self.options.interface) {
            return Err(Refusal::Because(format!(
                "AF_XDP would take the frames away from this host, and {used}"
            )));
        }
        self.af_xdp().map_err(|error| match error {
            CaptureError::InterfaceDown { .. } | CaptureError::NoInterface { .. } => Refusal::Away(error),
            error => Refusal::Because(in_full(&error)),
        })
    }

    /// Goes on to the next frames; `false` if there are none for now.
    fn advance(&mut self) -> bool {
        let Some(means) = &mut self.means else {
            self.search();
            return false;
        };
        let advanced = means.advance();
        self.steps = self.steps.wrapping_add(1);
        match advanced {
            Ok(has_frames) => {
                if (!has_frames || self.steps.is_multiple_of(STEPS_A_LOOK)) && self.looked.elapsed() >= LOOK {
                    self.look();
                }
                has_frames
            }
            Err(reason) => {
                self.lose(reason);
                false
            }
        }
    }

    fn lose(&mut self, reason: CaptureError) {
        if let Some(mut means) = self.means.take() {
            self.past = self.past.plus(means.source_mut().statistics());
            self.past.interruptions += 1;
        }
        self.changes.push(Change::Lost { reason });
    }

    /// Opens the interface if it is back.
    fn search(&mut self) {
        std::thread::sleep(SEARCH);
        if self.failed.as_ref().is_some_and(|(at, _)| at.elapsed() < PAUSE) {
            return;
        }
        let is_up = matches!(self.links.look(&self.options.interface), Ok(Some(link)) if link.is_up);
        if !is_up {
            return;
        }
        // It may be gone again.
        if let Err(reason) = self.begin() {
            let words = in_full(&reason);
            let is_new = self.failed.as_ref().is_none_or(|(_, before)| *before != words);
            self.failed = Some((Instant::now(), words));
            if is_new {
                self.changes.push(Change::Lost { reason });
            }
        }
    }

    /// Looks whether the cable leads somewhere.
    fn look(&mut self) {
        self.looked = Instant::now();
        // An interface that is gone is told by the means.
        let Ok(Some(link)) = self.links.look(&self.options.interface) else { return };
        if link.has_carrier != self.has_link {
            self.has_link = link.has_carrier;
            self.changes.push(if link.has_carrier { Change::LinkUp } else { Change::LinkDown });
        }
    }
}

impl Source for Interface {
    fn next(&mut self) -> Result<Step<'_>, CaptureError> {
        if !self.advance() {
            return Ok(Step::Idle);
        }
        Ok(self.means.as_mut().map_or(Step::Idle, |means| Step::Frames(means.frames())))
    }

    fn statistics(&mut self) -> Statistics {
        let now = self.means.as_mut().map(|means| means.source_mut().statistics());
        self.past.plus(now.unwrap_or_default())
    }

    fn describe(&self) -> String {
        let away = || format!("interface {} (away)", self.options.interface);
        self.means.as_ref().map_or_else(away, |means| means.source().describe())
    }

    fn is_live(&self) -> bool {
        true
    }

    fn changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }
}

/// Why AF_XDP is not used.
enum Refusal {
    /// The interface is not there: nothing else would work either.
    Away(CaptureError),
    /// Something that does not keep the packet socket from working.
    Because(String),
}

impl Means {
    fn mode(&self) -> CaptureMode {
        match self {
            Self::PacketSocket(_) => CaptureMode::PacketSocket,
            Self::AfXdp(_) => CaptureMode::AfXdp,
        }
    }

    fn advance(&mut self) -> Result<bool, CaptureError> {
        match self {
            Self::PacketSocket(source) => source.advance(),
            Self::AfXdp(source) => source.advance(),
        }
    }

    fn frames(&mut self) -> Vec<Frame<'_>> {
        match self {
            Self::PacketSocket(source) => source.frames(),
            Self::AfXdp(source) => source.frames(),
        }
    }

    fn source(&self) -> &dyn Source {
        match self {
            Self::PacketSocket(source) => source,
            Self::AfXdp(source) => source,
        }
    }

    fn source_mut(&mut self) -> &mut dyn Source {
        match self {
            Self::PacketSocket(source) => source,
            Self::AfXdp(source) => source,
        }
    }
}

/// An error with what it came from.
fn in_full(error: &CaptureError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
