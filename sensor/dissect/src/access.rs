//! Access: log-ins, directories, files.

pub(crate) mod ntlm;
pub(crate) mod smb;
pub(crate) mod ssh;
