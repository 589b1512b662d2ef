//! Fields of Wireshark's that only the comparison of identities needs: CIP's Identity object however it is asked for, the
//! identification and maintenance data of PROFINET, OPC UA's build information, DNP3's device attributes, and the model's
//! name in a Modbus identification.

use std::path::Path;

use anyhow::Result;
use wardwatch_proto::v1::Protocol;

use super::super::tshark::{Row, fields};
use super::{Device, Kind};

const NAMES: &[&str] = &[
    "ip.src",
    "modbus.object_id",
    "modbus.object_str_value",
    "cip.rr",
    "cip.id.vendor_id",
    "cip.id.product_code",
    "cip.id.major_rev",
    "cip.id.minor_rev",
    "cip.id.serial_number",
    "cip.id.product_name",
    "pn_io.vendor_id_high",
    "pn_io.vendor_id_low",
    "pn_io.order_id",
    "pn_io.im_serial_number",
    "pn_io.im_hardware_revision",
    "pn_io.cminitiator_uuid",
    "opcua.ManufacturerName",
    "opcua.ProductName",
    "opcua.SoftwareVersion",
    "dnp3.al.obj",
    "dnp3.al.da.value",
];

const FILTER: &str = "modbus.object_id || cip.id.vendor_id || cip.id.serial_number || cip.id.product_name \
                      || cip.id.product_code || cip.id.major_rev || pn_io.order_id || pn_io.cminitiator_uuid || opcua.ManufacturerName \
                      || opcua.ProductName || opcua.SoftwareVersion || dnp3.al.da.value";

pub(super) fn read(capture: &Path) -> Result<Vec<Device>> {
    let table = fields(capture, &["-Y", FILTER], NAMES)?;
    Ok(table.rows().flat_map(|row| [modbus(row), cip(row), profinet(row), opc_ua(row), dnp3(row)]).collect())
}

fn device(protocol: Protocol, row: Row<'_>) -> Device {
    Device::new(protocol, row.all("ip.src").last().unwrap_or_default())
}

/// Object 5 (specification, 6.21); the three basic ones are compared anyway.
fn modbus(row: Row<'_>) -> Device {
    let mut device = device(Protocol::Modbus, row);
    for (number, value) in row.all("modbus.object_id").zip(row.all("modbus.object_str_value")) {
        if number == "5" {
            device.say(Kind::Model, value);
        }
    }
    device
}

/// Attributes of the Identity object; those of an electronic key, which asks for what it wants, have other fields.
fn cip(row: Row<'_>) -> Device {
    let mut device = device(Protocol::EthernetIp, row);
    for (field, kind) in [
        ("cip.id.vendor_id", Kind::Manufacturer),
        ("cip.id.product_code", Kind::Model),
        ("cip.id.product_name", Kind::Model),
    ] {
        for value in row.all(field) {
            let number = number(value).filter(|_| field != "cip.id.product_name");
            device.say(kind, &number.map_or_else(|| value.to_owned(), |number| number.to_string()));
        }
    }
    for (major, minor) in row.all("cip.id.major_rev").zip(row.all("cip.id.minor_rev")) {
        device.say(Kind::Version, &format!("{major}.{}", number(minor).unwrap_or_default()));
    }
    for serial in row.all("cip.id.serial_number").filter_map(number) {
        device.say(Kind::SerialNumber, &format!("{serial:08X}"));
    }
    device
}

fn profinet(row: Row<'_>) -> Device {
    let mut device = device(Protocol::ProfinetCm, row);
    for (high, low) in row.all("pn_io.vendor_id_high").zip(row.all("pn_io.vendor_id_low")) {
        let vendor = number(high).unwrap_or_default() << 8 | number(low).unwrap_or_default();
        device.say(Kind::Manufacturer, &vendor.to_string());
    }
    for (field, kind) in [
        ("pn_io.order_id", Kind::Model),
        ("pn_io.im_serial_number", Kind::SerialNumber),
        ("pn_io.im_hardware_revision", Kind::Version),
    ] {
        for value in row.all(field) {
            device.say(kind, value);
        }
    }
    // The last group of digits of who connects: instance, device, vendor.
    for group in row.all("pn_io.cminitiator_uuid").filter_map(|id| id.rsplit('-').next()) {
        for (digits, kind) in [(group.get(4..8), Kind::Model), (group.get(8..), Kind::Manufacturer)] {
            if let Some(number) = digits.and_then(|digits| number(&format!("0x{digits}"))) {
                device.say(kind, &number.to_string());
            }
        }
    }
    device
}

/// Wireshark writes a string that is null in brackets.
fn opc_ua(row: Row<'_>) -> Device {
    let mut device = device(Protocol::OpcUa, row);
    for (field, kind) in [
        ("opcua.ManufacturerName", Kind::Manufacturer),
        ("opcua.ProductName", Kind::Model),
        ("opcua.SoftwareVersion", Kind::Version),
    ] {
        for value in row.all(field).filter(|value| !value.starts_with("[OpcUa ")) {
            device.say(kind, value);
        }
    }
    device
}

/// Group and variation of each object, and the texts of the attributes among them in the same order.
fn dnp3(row: Row<'_>) -> Device {
    let mut device = device(Protocol::Dnp3, row);
    let variations = row.all("dnp3.al.obj").filter_map(number).filter(|object| object >> 8 == 0);
    for (variation, value) in variations.zip(row.all("dnp3.al.da.value")) {
        match variation & 0xFF {
            242 | 243 => device.say(Kind::Version, value),
            248 => device.say(Kind::SerialNumber, value),
            250 => device.say(Kind::Model, value),
            252 => device.say(Kind::Manufacturer, value),
            _ => {}
        }
    }
    device
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
