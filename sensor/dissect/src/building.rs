//! Building automation.

pub(crate) mod bacnet;
pub(crate) mod fox;
pub(crate) mod knx;
