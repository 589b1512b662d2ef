//! Named places between two writes at which a test can kill, stop or delay a service, and guards that it can switch off.
//!
//! A service says [`point`] wherever a crash would leave the world half written. As it is shipped that is nothing: the calls
//! are empty and inlined. Built with the feature `armed`, a process reads from its environment, once:
//!
//! | variable | what it says |
//! |---|---|
//! | `WARDWATCH_FAULTS` | what happens where: `enricher.plan-after@3=kill;collector.after-enqueue@5=stall:2s` |
//! | `WARDWATCH_FAULTS_LEDGER` | the file to which hits are appended |
//! | `WARDWATCH_WITHOUT` | guards that are switched off: `mark,token,plan,epoch` |
//!
//! `point@n` is the n-th time that this process passes the point, from 1. What can happen there:
//!
//! - `kill`: the process ends by SIGKILL
//! - `stop`: the process stops by SIGSTOP until someone continues it
//! - `stall:<duration>`: whoever passes the point waits, the rest of the process goes on
//!
//! # The ledger
//! One line each, appended in a single write before anything happens, so that it outlives a SIGKILL:
//! `<process> hit <point> <n>` for the first hit and those whose number is a power of two (points may be passed a million times),
//! `<process> fired <point> <n> <action>` for each that did something.
//!
//! # What it insists on
//! An unknown point, guard or action in the environment ends the process with status 2 and the reason on standard error, so that
//! a slip of the pen cannot make a test pass. So does passing a point that is not in [`POINTS`].

#![forbid(unsafe_code)]

#[cfg(feature = "armed")]
mod armed;
#[cfg(not(feature = "armed"))]
mod disarmed;
mod points;

#[cfg(feature = "armed")]
pub use armed::{is_off, point, point_blocking, point_of};
#[cfg(not(feature = "armed"))]
pub use disarmed::{is_off, point, point_blocking, point_of};
pub use points::{POINTS, is_point};

/// What keeps a replay from writing something twice. Each covers cases that the others cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Rows at or below the highest position that a table holds are left out.
    Mark,
    /// An insert carries a token that the server drops the second time.
    Token,
    /// A recorded plan makes a new owner cut the same range.
    Plan,
    /// The server refuses an insert of an owner who has been replaced.
    Epoch,
}

impl Guard {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mark, Self::Token, Self::Plan, Self::Epoch];

    /// As it is called in the environment.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mark => "mark",
            Self::Token => "token",
            Self::Plan => "plan",
            Self::Epoch => "epoch",
        }
    }
}
