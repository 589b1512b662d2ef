//! The fault suite: services and engines are killed, stalled and restarted while they work, and everything must end as if they
//! had not been.
//!
//! A run is made from a number. In the order in which things happen:
//!
//! - [`facts`]: the log of facts, the same in every run
//! - [`plan`]: who runs, and what befalls whom when; [`guards`] has the runs in which one guard alone saves the day
//! - [`stage`]: a broker and a ClickHouse with the facts and empty tables; [`detour`]: a way to it on which an insert is late
//! - [`subject`]: the services' processes, built with their fail points armed
//! - [`run`]: carries the plan out until everything is settled
//! - [`content`], [`difference`]: what was written, held against a run without faults ([`reference`](mod@reference))
//! - [`upstream`]: the same for what is before the log: sensors, spools, collectors
//! - [`trial`] is all of these together, and [`ledger`] where it is written down
//!
//! `cargo xtask test faults` is the program; `tests/` has the runs of the continuous integration.

#![forbid(unsafe_code)]

pub mod content;
pub mod detour;
pub mod difference;
pub mod facts;
pub mod guards;
pub mod ledger;
pub mod plan;
pub mod reference;
pub mod run;
pub mod stage;
pub mod subject;
pub mod trial;
pub mod upstream;
