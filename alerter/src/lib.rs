//! The alerter: judges what the enricher concluded, and tells people and SIEMs.
//!
//! [`detectors`] say which events are worth a person's attention, the [`judge`] makes alerts of them and keeps their
//! life, [`ocsf`] puts them into a SIEM's words.

#![forbid(unsafe_code)]

pub mod detectors;
pub mod judge;
pub mod ocsf;
