//! Bytes to facts: one dissector per protocol, found by content rather than by port.
//!
//! A [`Conversation`] belongs to one flow. While its protocol is unknown it shows the bytes of both directions to
//! the [`Candidate`]s of its transport, and the first that is certain takes over. From then on the conversation
//! hands the bytes to that protocol's [`Dissector`], keeps what the dissector could not use yet (bounded), skips
//! what it does not want to see, and ends as soon as there is nothing more to learn. Dissectors state facts through
//! [`Facts`], which lets nothing pass that is not on the closed list in its grammar (`wardwatch_proto::attribute`).
//!
//! Every dissector is a pure function of bytes: no clock, no I/O, no panic, whatever the bytes.

#![forbid(unsafe_code)]

mod access;
mod building;
#[cfg(any(test, feature = "canaries"))]
pub mod canary;
mod candidates;
mod conversation;
mod credentials;
mod dissector;
mod facts;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod industry;
mod media;
mod medical;
mod network;
mod octets;
mod pending;
mod scope;
mod standards;
#[cfg(test)]
mod test_flow;
mod web;

pub use candidates::{Candidate, IP, LINK, TCP, UDP};
pub use conversation::{Conversation, Interest, Outcome};
pub use dissector::{Address, Carrier, Direction, Dissector, Input, Probe, Progress};
pub use facts::{Facts, Statements};
pub use standards::{Standard, standard};
