//! One way to work on a topic of the log, for every service that concludes something from it.
//!
//! What a service knows about a partition is its **memory**, changed only by the partition's messages in their order. Messages
//! are taken in **ranges**; what a range gave rise to is written out first, then the changed memory with the end of the
//! range: that insert is the commit point. A partition that changes hands, or whose service was killed, is taken up from
//! the stored memory and replays what came after it. A service says what is its own by implementing [`Processor`];
//! [`serve`] does the rest:
//!
//! - `intake`, `inbox`: joins the consumer group and hands each partition's messages to its task
//! - `partition`, `takeup`, `run`: one partition from assignment to the end: claim it, load the memory, seek to its end, then
//!   range after range
//! - `turn`: how many partitions write at a time
//! - `range`: a run of messages and what came of it, until it is worth writing
//! - `committing`: a range is written while the next is gathered
//! - `commit`, [`Sink`], [`Block`]: the plan, then outputs, then what could not be read, then the memory
//! - `plan`, `state`, `marks`, `deadletter`: how each of these looks outside
//! - `witness`, `loss`: whether the log is still the one that was worked on, and what it has lost
//! - `ledger`: what the work on a partition has added up to, across all owners
//! - [`Progress`], `faults`: how far each partition is, and which stand still and why
//!
//! # Nothing lost, nothing twice
//! A crash before the commit point replays the range. Current-state tables do not mind. Append-only tables have four guards,
//! each of which covers what another cannot see:
//!
//! - the **mark**: rows that a table holds already are left out;
//! - the **token**: an insert whose answer was lost, or which a former owner has on the way, is dropped by the server;
//! - the **plan**: a range is recorded before it is written, so that the next owner repeats exactly that range and its inserts
//!   have the tokens of those on the way;
//! - the **fence**: the server refuses inserts of an owner after whom someone else has claimed the partition.
//!
//! Messages of other topics come twice; their readers know them by what does not change (a source position, a stable id).
//! The whole argument, with every place where a service may die, is in `docs/delivery.md`.

#![forbid(unsafe_code)]

mod block;
mod commit;
mod committing;
mod config;
mod deadletter;
mod entry;
mod error;
mod faults;
mod inbox;
mod intake;
mod ledger;
mod loss;
mod marks;
mod partition;
mod plan;
mod processor;
mod progress;
mod range;
mod run;
mod serve;
mod sink;
mod state;
mod takeup;
mod tally;
mod turn;
mod witness;

pub use block::Block;
pub use config::{CommitConfig, IntakeConfig};
pub use entry::{Entry, escape, unescape};
pub use error::Error;
pub use processor::{Moment, Processor, Reason};
pub use progress::Progress;
pub use serve::{Parts, serve};
pub use sink::{Published, Sink};
pub use tally::Tally;
pub use wardwatch_proto::name::is_name;
