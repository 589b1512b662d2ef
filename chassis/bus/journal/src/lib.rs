//! Append-only streams of records on the local disk, synced before they are acknowledged.
//!
//! One journal serves the sensor's spool and the embedded bus. It holds any number of named streams, in each of which records
//! lie at consecutive offsets from 0, and a few small named values (an epoch, a consumer's position). A [`Writer`]
//! collects appends, trims and values; [`Writer::sync`] puts them on the disk all together or not at all, and only then
//! can they be read or promised to anyone.
//!
//! A stream may also have holes: records at offsets of the caller's ([`Writer::append_at`]), removed in any order
//! ([`Writer::remove_at`]), and read past what is not there ([`Journal::read_sparse`]).
//!
//! - **Bounded**: [`Writer::append`] refuses what would take the journal over its [`Limits`]; trimming makes room. The file
//!   does not shrink: freed pages are used again. It takes up to twice the live bytes, since a record lies in a
//!   power-of-two run of pages (1.3 times with records of 100 KiB, measured).
//! - **Crash-safe**: the store beneath (redb) writes pages aside and switches over after a sync, and opens after a kill without
//!   a scan. Why redb: `docs/decisions/0002-embedded-journal.md`.
//! - **Checked**: every record carries a CRC-32. A record that does not match it is [`Error::Corrupt`] and never returned.
//! - **One clock**: each record is stamped when it is appended, in nanoseconds since 1970, and stamps never run backwards
//!   within a journal, whatever the system's clock does.
//!
//! ```
//! # fn main() -> Result<(), wardwatch_journal::Error> {
//! # let directory = tempfile::tempdir().map_err(|_| ()).unwrap();
//! use wardwatch_journal::{Journal, Limits};
//!
//! let journal = Journal::open(directory.path(), Limits { max_bytes: 1 << 30 })?;
//! let mut writer = journal.writer()?;
//! let offset = writer.append("live", b"a batch")?;
//! writer.sync()?; // now the batch may be acknowledged
//!
//! let records = journal.read("live", offset, 100, 1 << 20)?;
//! assert_eq!(records[0].payload, &b"a batch"[..]);
//!
//! let mut writer = journal.writer()?;
//! writer.trim("live", |record| record.offset <= offset)?;
//! writer.sync()?;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod clock;
mod error;
mod journal;
mod record;
mod shield;
mod writer;

pub use error::Error;
pub use journal::{Extent, Journal, Limits, Sparse};
pub use record::{Record, RecordInfo};
pub use writer::{Oldest, Writer};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
