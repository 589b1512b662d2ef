//! Frames to flows: header parsing, fragments, the flow table, TCP reassembly.

#![forbid(unsafe_code)]
