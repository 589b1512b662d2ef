//! Protocols that medical devices and their servers speak, and what these have in common.

pub(crate) mod dicom;
pub(crate) mod hl7;
pub(crate) mod udi;
