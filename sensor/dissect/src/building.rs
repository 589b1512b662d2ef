//! Building automation.

pub(crate) mod bacnet;
pub(crate) mod knx;
