//! Protocols that medical devices and their servers speak, and what these have in common.

pub(crate) mod astm;
pub(crate) mod dicom;
pub(crate) mod hl7;
mod udi;
