//! What people decide: `acknowledge`, `reopen`, `override`, `label`, `assign`, `note`, `retire`, `join`, `separate`, `knowledge`,
//! `documents undo`, and what `import` brings. A decision goes to a collector, which lays it into
//! the log; the services do the rest in the order of the log.
//!
//! [`session`] finds the collector and what can be looked up beforehand, [`submit`] sends.

mod alert;
mod annotate;
mod documents;
mod fda;
mod import;
mod knowledge;
mod override_attribute;
mod recog;
mod retire;
mod sameness;
mod session;
mod submit;

pub(crate) use alert::{Acknowledge, Reopen, acknowledge, reopen};
pub(crate) use annotate::{Assign, Label, Note, assign, label, note};
pub(crate) use documents::{attach, withdraw};
pub(crate) use import::{PartlyRefused, Tables, Undo, import, undo};
pub(crate) use knowledge::{Knowledge, knowledge};
pub(crate) use override_attribute::{Override, override_attribute};
pub(crate) use retire::{Retire, retire};
pub(crate) use sameness::{Join, Separate, join, separate};

use std::path::PathBuf;

use clap::Args;

use crate::folder::Folder;
use crate::table::Format;

/// What commands take that decide something.
#[derive(Args, Debug)]
pub(crate) struct Deciding {
    /// Why, for those who look at it later
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    #[command(flatten)]
    sending: Sending,
}

/// What all commands take that are sent to a collector.
#[derive(Args, Debug)]
pub(crate) struct Sending {
    /// The site; without it that of the alert or device, or for knowledge all sites
    #[arg(long)]
    site: Option<String>,
    /// Wait until it has been done, and say what came of it
    #[arg(long)]
    wait: bool,
    /// How to print the receipt
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    way: Way,
}

/// Where a decision is sent.
#[derive(Args, Debug)]
struct Way {
    /// The collector, such as https://collector-1:7443 [default: that of the `wardwatch up` on the data folder]
    #[arg(long, value_name = "URL", env = "WARDWATCH_COLLECTOR")]
    collector: Option<String>,
    /// File with your token for the collector, where it is not in WARDWATCH_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The authorities that may vouch for the collector, PEM; needed for https
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Your certificate, PEM, where the collector asks for one
    #[arg(long, value_name = "FILE", requires = "ca", requires = "key")]
    certificate: Option<PathBuf>,
    /// The certificate's key, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    #[command(flatten)]
    folder: Folder,
}
