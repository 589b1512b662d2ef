//! Industry: controllers, field devices, telecontrol, meters.

mod once;
mod text;
mod tpkt;
mod whom;

pub(crate) mod ads;
pub(crate) mod dlms;
pub(crate) mod dnp3;
pub(crate) mod enip;
pub(crate) mod ge_srtp;
pub(crate) mod hart_ip;
pub(crate) mod iec104;
pub(crate) mod modbus;
pub(crate) mod opcua;
pub(crate) mod profinet;
pub(crate) mod s7comm;

#[cfg(test)]
mod tests;
