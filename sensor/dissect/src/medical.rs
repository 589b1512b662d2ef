//! Protocols that medical devices and their servers speak, and what these have in common.

mod address;
pub(crate) mod astm;
pub(crate) mod bcc;
pub(crate) mod dicom;
pub(crate) mod espa444;
pub(crate) mod hl7;
pub(crate) mod ieee20601;
pub(crate) mod intellivue;
mod mds;
pub(crate) mod medibus;
pub(crate) mod poct1;
pub(crate) mod tap;
pub(crate) mod udi;
pub(crate) mod unity;
pub(crate) mod ws_discovery;
