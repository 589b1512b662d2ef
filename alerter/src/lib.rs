//! The alerter: judges what the enricher concluded, and tells people and SIEMs.
//!
//! A partition of `wardwatch.events` is worked on by one task with a memory of its own, as [`wardwatch_processor`] has it
//! for every service. What is the alerter's own, in the order of the data:
//!
//! - `alerter`: what is done with a message
//! - `record`: a message becomes an event, or a reason why not
//! - `memory`: the alerts of each site, and which events have been judged already
//! - [`detectors`] say which events are worth a person's attention, the [`judge`] makes alerts of them and keeps their life
//! - `outputs`: what a run of messages gave rise to: rows (`rows`), then what a SIEM is told ([`ocsf`])
//!
//! Who waits for what comes of a message looks at [`Progress`].

#![forbid(unsafe_code)]

mod alerter;
pub mod config;
pub mod detectors;
mod error;
pub mod judge;
mod memory;
pub mod ocsf;
mod outputs;
mod record;
mod rows;
mod serve;

pub use config::Config;
pub use error::Error;
pub use serve::{serve, serve_on};
pub use wardwatch_processor::{Parts, Progress};
