//! The enricher: reads facts and commands from the log, concludes which devices there are, what they are and how risky
//! they are, and writes that to ClickHouse and to `wardwatch.events`.
//!
//! A partition of `wardwatch.facts` is worked on by one task with a memory of its own, as [`wardwatch_processor`] has it for
//! every service. What is the enricher's own, in the order of the data:
//!
//! - `enricher`: what is done with a message
//! - `record`: a message becomes a batch or a command, or a reason why not; statements are checked again
//! - `memory`: per site an inventory, and which batches have been received (`received`); what comes of commands
//! - `library`: the knowledge that each site's devices are concluded with
//! - `outputs`: what a run of messages gave rise to: rows (`rows`), sums over them (`rollup`), what has come of each
//!   sensor (`boots`), what manufacturers say of their products (`documents`), then events
//!
//! Who waits for what comes of a message looks at [`Progress`].

#![forbid(unsafe_code)]

mod boots;
mod command_rows;
pub mod config;
mod documents;
mod enricher;
mod error;
mod import_rows;
mod library;
mod memory;
mod outputs;
mod received;
mod record;
mod rollup;
mod rows;
mod serve;
mod tally;

pub use config::Config;
pub use error::Error;
pub use serve::{serve, serve_on};
pub use wardwatch_processor::{Parts, Progress};
