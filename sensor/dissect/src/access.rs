//! Access: log-ins, directories, files.

pub(crate) mod ssh;
