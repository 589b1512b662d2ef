//! The enricher: reads facts and commands from the log, concludes which devices there are, what they are and how risky
//! they are, and writes that to ClickHouse and to `wardwatch.events`.
//!
//! A partition of `wardwatch.facts` is worked on by one task with a memory of its own. In the order of the data:
//!
//! - [`serve`]: joins the consumer group and hands each partition's messages to its task (`intake`, `inbox`)
//! - `partition`: one partition from assignment to the end: load the memory, seek to its end, then range after range
//! - `record`: a message becomes a batch or a command, or a reason why not; statements are checked again
//! - `memory`: per site an inventory, and which batches have been received (`received`)
//! - `range`: what a run of messages gave rise to, until it is worth writing
//! - `commit`: outputs, then events, then the memory, which is the commit point
//! - `state`, `marks`, `rows`, `deadletter`: how each of these looks outside
//!
//! What is written twice after a crash, and what is not, is decided in `commit`; who waits for it looks at [`Progress`].

#![forbid(unsafe_code)]

mod commit;
pub mod config;
mod deadletter;
mod error;
mod faults;
mod inbox;
mod intake;
mod marks;
mod memory;
mod partition;
mod progress;
mod range;
mod received;
mod record;
mod rows;
mod serve;
mod state;
mod tally;

pub use config::Config;
pub use error::Error;
pub use progress::Progress;
pub use serve::{Parts, serve, serve_on};
