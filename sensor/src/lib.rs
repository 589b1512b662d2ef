//! The sensor: states facts about what is on the wire, and draws no conclusions.
//!
//! In the order of the data: a [`wardwatch_capture::Source`] gives frames, the [`worker`] turns them into facts (on several
//! [`cores`] if there are), the
//! [`batch`] module cuts batches, the [`spool`] keeps them on the disk, and the uplink streams them to a collector until
//! each is acknowledged.
//! [`decode`] is the short way: the facts of capture files as JSON lines.

#![forbid(unsafe_code)]

pub mod batch;
mod clock;
pub mod config;
pub mod cores;
pub mod decode;
mod generations;
mod jsonl;
mod outgoing;
mod port;
mod repeats;
mod service;
pub mod spool;
mod sweeps;
mod telling;
mod uplink;
mod watch;
pub mod worker;

pub use config::Config;
pub use service::{Outlet, serve, serve_facts};
