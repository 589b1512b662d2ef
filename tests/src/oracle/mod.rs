//! What independent tools say of a capture, and what the sensor states about it, in one form so that they can be held
//! against each other.
//!
//! - [`corpus`]: the captures, and how to look at each of them in parallel
//! - [`tshark`] and [`zeek`]: the oracles; Wireshark's dissectors are asked when the test runs, Zeek's logs stand
//!   beside the captures
//! - [`stated`]: the sensor's facts about a capture file, from the library and not from a running program
//! - [`agreement`]: how many of an oracle's statements the sensor makes as well, and the exceptions with their reasons

pub mod agreement;
pub mod conversation;
pub mod corpus;
pub mod exceptions;
pub mod stated;
pub mod tshark;
pub mod zeek;
