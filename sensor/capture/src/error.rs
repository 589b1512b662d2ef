//! What can go wrong when packets are captured or read.

use std::io;
use std::path::PathBuf;

/// Why a source could not be opened or went no further. Each names the file or the interface.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The capture file could not be opened.
    #[error("cannot open capture file {}", path.display())]
    Open {
        /// The file as it was named by the caller.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A folder of captures could not be read.
    #[error("cannot read the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The capture file could not be read on.
    #[error("cannot read capture file {} at byte {offset}", path.display())]
    Read {
        /// The file as it was named by the caller.
        path: PathBuf,
        /// Where reading failed, in bytes from the start, after decompression.
        offset: u64,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The file is not a capture file, or it is damaged so that what follows cannot be found.
    #[error("capture file {} is damaged or of another format at byte {offset}: {reason}", path.display())]
    Format {
        /// The file as it was named by the caller.
        path: PathBuf,
        /// Where the record that cannot be read begins, in bytes from the start, after decompression.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// A pace that is not a speed.
    #[error("cannot replay at {speed} times the original pace: it must be a positive number")]
    Pace {
        /// The factor asked for.
        speed: f64,
    },
    /// There is no interface of that name.
    #[error("there is no network interface {interface}")]
    NoInterface {
        /// The name that was asked for.
        interface: String,
    },
    /// The process may not capture.
    #[error(
        "capturing on interface {interface} needs the capability {capability}, which this process does not have"
    )]
    MissingCapability {
        /// The interface.
        interface: String,
        /// The capability by the name of capabilities(7); several are separated by commas.
        capability: String,
    },
    /// Someone else's XDP program is on the interface. Nothing was done to it.
    #[error(
        "another XDP program is attached to interface {interface} (`ip link show dev {interface}` tells which)"
    )]
    ProgramAttached {
        /// The interface.
        interface: String,
    },
    /// More memory than may be locked.
    #[error(
        "interface {interface}: {mebibytes} MiB of memory for packets are more than this process may lock \
         (RLIMIT_MEMLOCK: {limit} KiB); raise the limit, grant CAP_IPC_LOCK, or ask for less"
    )]
    LockedMemory {
        /// The interface.
        interface: String,
        /// What was asked for.
        mebibytes: u32,
        /// What is allowed for all processes of the user together, in KiB.
        limit: u64,
    },
    /// The interface's frames begin with something that is not known here.
    #[error("interface {interface} has a link layer that cannot be captured (ARPHRD type {hardware})")]
    LinkLayer {
        /// The interface.
        interface: String,
        /// The kernel's number for the kind of hardware.
        hardware: u16,
    },
    /// A step of setting up the capture failed.
    #[error("cannot capture on interface {interface}: failed to {step}")]
    Setup {
        /// The interface.
        interface: String,
        /// What was attempted.
        step: &'static str,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The interface went down or was removed; a source does not come back from that.
    #[error("interface {interface} is down or was removed; capture has to be opened again once it is back")]
    InterfaceDown {
        /// The interface.
        interface: String,
    },
    /// The interface is not as it was when capturing began.
    #[error("interface {interface} is not as it was: {change}; capture has to be opened again")]
    InterfaceChanged {
        /// The interface.
        interface: String,
        /// What is different.
        change: String,
    },
    /// Receiving failed.
    #[error("cannot receive from interface {interface}")]
    Receive {
        /// The interface.
        interface: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}
