//! The sensor: states facts about what is on the wire.

#![forbid(unsafe_code)]
