//! Industry: controllers, field devices, telecontrol, meters.

mod once;
mod text;
mod whom;

pub(crate) mod enip;
pub(crate) mod modbus;
