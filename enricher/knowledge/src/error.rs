//! What can be wrong with a knowledge pack: always which file, which entry and which key.

use std::path::PathBuf;

/// A knowledge pack that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// A folder or file could not be read.
    #[error("cannot read knowledge from {}: {source}", path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// Why it could not be.
        source: std::io::Error,
    },
    /// A file is not TOML.
    #[error("{file}: not valid TOML: {problem}")]
    Syntax {
        /// The file.
        file: String,
        /// Where and what.
        problem: String,
    },
    /// An entry says something that cannot be.
    #[error("{file}: {entry}: {key}: {problem}")]
    Entry {
        /// The file.
        file: String,
        /// The entry, by its id or name, such as `rule "ct-scanner"`.
        entry: String,
        /// The key within the entry, such as `when[0].regex`.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}
