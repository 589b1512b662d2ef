//! The contracts between the services.
//!
//! `v1` holds the messages of the protobuf package `wardwatch.v1`, generated from `proto/wardwatch/v1/*.proto`;
//! the gRPC services are behind the feature `grpc`. Beside them stands what the messages alone cannot say:
//!
//! - [`attribute`]: the closed list of what may leave a sensor, each with its grammar
//! - [`name`]: the words under which enums appear in JSON, tables and configuration
//! - [`command`]: what a command of a person may say
//! - [`document`]: the bounds of a document that is attached to a product, and how one is cut into parts
//! - [`log`]: how facts and commands are laid into the log, and which partition a site lives in
//! - [`packed`]: how a batch travels from a sensor to a collector
//! - [`topic`]: the topics' names
//! - [`address`]: MAC and IP addresses and the Community ID in their usual notation

#![forbid(unsafe_code)]

pub mod address;
pub mod attribute;
pub mod command;
pub mod document;
pub mod log;
pub mod name;
pub mod packed;
pub mod topic;

/// The messages of `wardwatch.v1`, documented in the `.proto` files.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated")]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/wardwatch.v1.rs"));
}

/// The version of the sensor-to-collector contract that this build speaks.
pub const CONTRACT_VERSION: u32 = 2;
