//! Building automation.

pub(crate) mod bacnet;
