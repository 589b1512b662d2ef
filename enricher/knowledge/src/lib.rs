//! What identifies a device: the declarative knowledge file and its rules.

#![forbid(unsafe_code)]
