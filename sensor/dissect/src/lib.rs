//! Bytes to facts: one dissector per protocol, found by content.

#![forbid(unsafe_code)]
