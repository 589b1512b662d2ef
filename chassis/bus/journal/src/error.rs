//! What can go wrong with a journal.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What went wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process, or another part of this one, has it open.
    #[error("the journal {} is already open elsewhere", path.display())]
    Locked {
        /// The journal's file.
        path: PathBuf,
    },
    /// The directory cannot be made or entered.
    #[error("cannot make the journal's directory {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The journal would grow over its bound.
    #[error("the journal is full: {bytes} bytes of {limit} are in use and {more} more do not fit")]
    Full {
        /// What is in use.
        bytes: u64,
        /// The bound.
        limit: u64,
        /// What was to be added.
        more: u64,
    },
    /// The offset has been trimmed, or is not written yet.
    #[error("stream {stream} has no offset {wanted}: it holds {start}..{end}")]
    OutOfRange {
        /// The stream.
        stream: String,
        /// The offset that was asked for.
        wanted: u64,
        /// The lowest offset that is left.
        start: u64,
        /// The offset that the next record will get.
        end: u64,
    },
    /// What is on the disk is not what was written.
    #[error("the journal {} is corrupt: {problem}", path.display())]
    Corrupt {
        /// The journal's file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// The disk or the store failed while doing something.
    #[error("cannot {action} the journal {}", path.display())]
    Store {
        /// What was attempted.
        action: &'static str,
        /// The journal's file.
        path: PathBuf,
        /// What the store said.
        source: Box<redb::Error>,
    },
}

impl Error {
    /// What the system said, where it was the system that refused: no room, no permission.
    pub fn system(&self) -> Option<&std::io::Error> {
        match self {
            Self::Directory { source, .. } => Some(source),
            Self::Store { source, .. } => match &**source {
                redb::Error::Io(error) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn store(action: &'static str, path: &Path, error: impl Into<redb::Error>) -> Self {
        let path = path.to_owned();
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::Locked { path },
            redb::Error::Corrupted(problem) => Self::Corrupt { path, problem },
            // A header that is none, or a file that ends too early.
            redb::Error::Io(error)
                if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
            {
                Self::Corrupt { path, problem: error.to_string() }
            }
            source => Self::Store { action, path, source: Box::new(source) },
        }
    }
}
