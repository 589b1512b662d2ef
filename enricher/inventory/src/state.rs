//! What survives a restart: one entry for each device, endpoint and MAC address, each holding its absolute state.

/// One piece of an inventory's state. The newest entry of each key, in any order, rebuilds the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateEntry {
    /// Unique within the site.
    pub key: String,
    /// Protobuf; empty for an entry that is no longer needed.
    pub value: Vec<u8>,
}

/// A state entry that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A key that this version does not know.
    #[error("state entry {key:?} is of no known kind")]
    UnknownKind {
        /// The entry's key.
        key: String,
    },
    /// A value that does not fit its key.
    #[error("state entry {key:?} cannot be read: {problem}")]
    Unreadable {
        /// The entry's key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}
