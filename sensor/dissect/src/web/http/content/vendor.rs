//! Descriptions that makers defined for their own devices and that many of them answer without encryption: cameras and
//! recorders (`/ISAPI/System/deviceInfo`, Hikvision and those that it makes for others), and printers
//! (`/DevMgmt/ProductConfigDyn.xml`, HP LEDM).
//!
//! Both describe the sender of the answer. Names that owners gave are not read.

use wardwatch_proto::v1::Attribute;

use super::{Described, Element, Reader};
use crate::Facts;

pub(super) const READER: Reader = Reader { marks: &["<DeviceInfo", "ProductConfigDyn"], is_mine, read };

/// Where something stands, and what it is.
type Field = (&'static [&'static str], Attribute);

const CAMERA: &[Field] = &[
    (&["manufacturer"], Attribute::Manufacturer),
    (&["model"], Attribute::Model),
    (&["serialNumber"], Attribute::SerialNumber),
    (&["firmwareVersion"], Attribute::FirmwareVersion),
    (&["hardwareVersion"], Attribute::HardwareVersion),
    (&["macAddress"], Attribute::MacAddress),
];

const PRINTER: &[Field] = &[
    (&["ProductInformation", "MakeAndModel"], Attribute::Model),
    (&["ProductInformation", "ProductNumber"], Attribute::ModelNumber),
    (&["ProductInformation", "SerialNumber"], Attribute::SerialNumber),
    (&["ProductInformation", "Version", "Revision"], Attribute::FirmwareVersion),
];

fn is_mine(described: &Described, root: &Element) -> bool {
    described.is_own_answer() && !fields(root).is_empty()
}

/// The elements of a document with this root.
fn fields(root: &Element) -> &'static [Field] {
    match root.name.as_str() {
        "DeviceInfo" if root.child("model").is_some() && root.child("firmwareVersion").is_some() => CAMERA,
        "ProductConfigDyn" => PRINTER,
        _ => &[],
    }
}

fn read(_: &Described, root: &Element, facts: &mut Facts<'_>) {
    for (way, attribute) in fields(root) {
        let value = root.text(way);
        if !value.is_empty() {
            facts.of_sender(*attribute, value);
        }
    }
}
