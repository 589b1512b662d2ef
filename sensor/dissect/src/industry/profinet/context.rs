//! PROFINET IO context management (IEC 61158-6-10, 4.10; its RPC: C706, connectionless): controllers connect to devices.
//!
//! Stated are roles, the vendor and device numbers that objects' identifiers hold, the controller's name of station,
//! and of answers to reading record AFF0 the identification and maintenance data (I&M0) of the device.
//!
//! The traps. The object's identifier names the end that serves the interface, which is the receiver of a request and the
//! sender of an answer; a request proves nothing about it. Fields of the RPC are in the sender's order of octets, blocks
//! are big endian always. I&M0 of another slot than 0 is of a module, which is stated as a third device.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::industry::text::fixed;
use crate::industry::whom::Whom;
use crate::octets::{be16, be32, le32, part, piece};
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// On any UDP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::ProfinetCm, probe, start: || Box::new(Context) };

/// Of the RPC.
const HEADER: usize = 80;
const REQUEST: u8 = 0;
const RESPONSE: u8 = 2;

/// What all identifiers of PROFINET's objects and interfaces have in common, behind their first four octets, in either
/// order of octets: 6C97-11D1-8271.
const FAMILY_BIG: [u8; 6] = [0x6C, 0x97, 0x11, 0xD1, 0x82, 0x71];
const FAMILY_LITTLE: [u8; 6] = [0x97, 0x6C, 0xD1, 0x11, 0x82, 0x71];

/// First field of an object's identifier, and of the interfaces'.
const OBJECT: u32 = 0xDEA0_0000;
const DEVICE: u32 = 0xDEA0_0001;
const CONTROLLER: u32 = 0xDEA0_0002;
const PARAMETER_SERVER: u32 = 0xDEA0_0004;

/// Operations, blocks, and a record.
const CONNECT: u16 = 0;
const BLOCK_CONNECT: u16 = 0x0101;
const BLOCK_READ: u16 = 0x8009;
const BLOCK_I_AND_M0: u16 = 0x0020;
const RECORD_I_AND_M0: u16 = 0xAFF0;

/// A call or its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call<'a> {
    is_request: bool,
    is_little: bool,
    /// Device and vendor number of the object.
    object: (u16, u16),
    interface: u32,
    operation: u16,
    body: &'a [u8],
}

fn read(datagram: &[u8]) -> Option<Call<'_>> {
    // Version 4, type, flags, data representation.
    let [4, kind @ (REQUEST | RESPONSE), _, _, representation, ..] = piece::<8>(datagram, 0)? else {
        return None;
    };
    let is_little = match representation {
        0x10 => true,
        0x00 => false,
        _ => return None,
    };
    let word = |at| if is_little { le32(datagram, at) } else { be32(datagram, at) };
    let half = |at| {
        let [a, b] = piece(datagram, at)?;
        Some(if is_little { u16::from_le_bytes([a, b]) } else { u16::from_be_bytes([a, b]) })
    };
    let family = if is_little { FAMILY_LITTLE } else { FAMILY_BIG };
    if word(8)? != OBJECT || piece(datagram, 12)? != family || piece(datagram, 28)? != family {
        return None;
    }
    let interface = word(24)?;
    if !(DEVICE..=PARAMETER_SERVER).contains(&interface) {
        return None;
    }
    // Behind the family stand instance, device and vendor, always the high octet first. Operation and length of the body.
    Some(Call {
        is_request: kind == REQUEST,
        is_little,
        object: (be16(datagram, 20)?, be16(datagram, 22)?),
        interface,
        operation: half(68)?,
        body: part(datagram, HEADER, half(74)?.into())?,
    })
}

fn probe(input: &Input<'_>) -> Probe {
    if read(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

#[derive(Debug)]
struct Context;

impl Dissector for Context {
    fn protocol(&self) -> Protocol {
        Protocol::ProfinetCm
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(call) = read(input.bytes) {
            // Whoever calls a device's interface is a controller, or a supervisor that looks like one.
            let role = match (call.interface, call.is_request) {
                (DEVICE, false) | (CONTROLLER, true) => Some("profinet-io-device"),
                (CONTROLLER, false) => Some("profinet-io-controller"),
                (DEVICE, true) if call.operation == CONNECT => Some("profinet-io-controller"),
                _ => None,
            };
            if let Some(role) = role {
                facts.of_sender(Attribute::Role, role);
            }
            if (call.interface, call.is_request) == (DEVICE, false) {
                let (device, vendor) = call.object;
                facts.of_sender(Attribute::ProfinetVendorId, &vendor.to_string());
                facts.of_sender(Attribute::ProfinetDeviceId, &device.to_string());
            }
            blocks(&call, facts);
        }
        Progress::Consumed(input.bytes.len())
    }
}

/// Behind the arguments' lengths: of a request the most that is wanted back, length, and an array's three numbers; of an
/// answer the same behind the status.
fn blocks(call: &Call<'_>, facts: &mut Facts<'_>) {
    let actual = if call.is_little { le32(call.body, 16) } else { be32(call.body, 16) };
    // A long call comes in fragments, of which the first begins so.
    let rest = call.body.get(20..).unwrap_or_default();
    let block = actual.and_then(|length| rest.get(..(length as usize).min(rest.len()))).unwrap_or_default();
    match (call.is_request, be16(block, 0)) {
        (true, Some(BLOCK_CONNECT)) => {
            // Length, version, type, relation (16), key, MAC (6), object (16), properties (4), timeout, port, the name.
            let name = be16(block, 56).and_then(|length| part(block, 58, length.into()));
            if let Some(name) = name {
                facts.of_sender(Attribute::DeviceTag, &fixed(name));
            }
            initiator(block, facts);
        }
        (false, Some(BLOCK_READ)) if be16(block, 34) == Some(RECORD_I_AND_M0) => {
            // Length, version, sequence, relation (16), API (4), slot, subslot, padding, index, length of the record.
            let slot = be16(block, 28).zip(be16(block, 30));
            if let (Some((slot, subslot)), Some(record)) = (slot, block.get(64..)) {
                let whom =
                    if slot == 0 { Whom::Sender } else { Whom::Behind(format!("profinet={slot}.{subslot}")) };
                maintenance(record, &whom, facts);
            }
        }
        _ => {}
    }
}

/// The object of who connects names its maker and device, as that of the device does; the numbers are big endian always.
/// Some leave them at nought.
fn initiator(connect: &[u8], facts: &mut Facts<'_>) {
    let is_object = be32(connect, 32) == Some(OBJECT) && piece(connect, 36) == Some(FAMILY_BIG);
    let device = be16(connect, 44).filter(|_| is_object);
    if let (Some(device), Some(vendor @ 1..)) = (device, be16(connect, 46)) {
        facts.of_sender(Attribute::ProfinetVendorId, &vendor.to_string());
        facts.of_sender(Attribute::ProfinetDeviceId, &device.to_string());
    }
}

/// I&M0 (IEC 61158-6-10, 5.2.3.1): header (6), vendor, order number (20), serial number (16), hardware revision, software
/// revision: a letter and three numbers.
fn maintenance(record: &[u8], whom: &Whom, facts: &mut Facts<'_>) {
    if be16(record, 0) != Some(BLOCK_I_AND_M0) {
        return;
    }
    if let Some(vendor) = be16(record, 6) {
        whom.state(Attribute::ProfinetVendorId, &vendor.to_string(), facts);
    }
    for (attribute, at, length) in [(Attribute::OrderNumber, 8, 20), (Attribute::SerialNumber, 28, 16)] {
        if let Some(text) = part(record, at, length).map(fixed).filter(|text| !text.is_empty()) {
            whom.state(attribute, &text, facts);
        }
    }
    if let Some(hardware) = be16(record, 44).filter(|revision| !matches!(*revision, 0 | u16::MAX)) {
        whom.state(Attribute::HardwareVersion, &hardware.to_string(), facts);
    }
    if let Some([letter @ (b'V' | b'R' | b'P' | b'U' | b'T'), a, b, c]) = piece(record, 46) {
        whom.state(Attribute::FirmwareVersion, &format!("{}{a}.{b}.{c}", char::from(letter)), facts);
    }
}

#[cfg(test)]
mod tests;
