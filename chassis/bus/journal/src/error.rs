//! What can go wrong with a journal.

use std::path::PathBuf;

/// What went wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the directory.
    #[error("the journal {} is in use by another process", directory.display())]
    Locked {
        /// The journal's directory.
        directory: PathBuf,
    },
}
