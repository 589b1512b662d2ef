//! What is wrong with the stored memory.

/// What is wrong with the stored memory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An entry of the stored memory cannot be read by this program.
    #[error("cannot restore the entry {key:?}")]
    Restore {
        /// Its key.
        key: String,
        /// Why not.
        source: prost::DecodeError,
    },
    /// A key of the stored memory that this program does not know.
    #[error("the stored memory has the entry {key:?}, which is of no known kind")]
    UnknownEntry {
        /// The key.
        key: String,
    },
}
