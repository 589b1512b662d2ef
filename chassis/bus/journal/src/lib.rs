//! Append-only streams of records on the local disk, synced before they are acknowledged.

#![forbid(unsafe_code)]

mod error;

pub use error::Error;
