//! Device descriptions (UPnP Device Architecture 2.0, 2.3): what a device answers at the address that SSDP announces.
//!
//! The root device is the sender of the answer; devices within it are not devices of their own on the network. The name
//! that its owner gave it is not read, nor the identifier that its name is made of.

use wardwatch_proto::v1::{Attribute, Protocol};

use super::{Described, Element, Reader};
use crate::Facts;

pub(super) const READER: Reader = Reader { marks: &["deviceType"], is_mine, read };

fn is_mine(described: &Described, root: &Element) -> bool {
    described.is_own_answer() && root.name == "root" && root.at(&["device", "deviceType"]).is_some()
}

fn read(_: &Described, root: &Element, facts: &mut Facts<'_>) {
    let mut facts = facts.within(Protocol::Upnp);
    for (name, attribute) in [
        ("manufacturer", Attribute::Manufacturer),
        ("modelName", Attribute::Model),
        ("modelNumber", Attribute::ModelNumber),
        ("serialNumber", Attribute::SerialNumber),
    ] {
        let value = root.text(&["device", name]);
        if !value.is_empty() {
            facts.of_sender(attribute, value);
        }
    }
}
