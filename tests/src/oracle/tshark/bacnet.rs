//! What BACnet devices say about themselves as Wireshark reads it: I-Am, I-Have, and the answers to ReadProperty and
//! ReadPropertyMultiple of the device object.

use std::path::Path;

use anyhow::Result;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::statement::Statements;
use super::details::{Frame, between, details};
use super::names::in_parentheses;

/// The instance that stands for "whichever device reads this" (ASHRAE 135, 15.5.2): it names none. A device that announces
/// itself by it was not set up yet.
const WILDCARD: &str = "4194303";

/// Adds what is said over UDP; BACnet directly on Ethernet is another thing.
pub(super) fn read(capture: &Path, said: &mut Statements) -> Result<()> {
    let services = "bacapp.unconfirmed_service in {0, 1} || bacapp.type == 3";
    for frame in details(capture, &format!("udp && bvlc && ({services})"), "bvlc,bacnet,bacapp")? {
        device(&frame, said);
    }
    Ok(())
}

/// Reads the tree of one frame from top to bottom.
fn device(frame: &Frame, said: &mut Statements) {
    let line =
        |start: &str| frame.lines.iter().map(|line| line.trim()).find_map(|line| line.strip_prefix(start));
    let service =
        line("Unconfirmed Service Choice: ").or_else(|| line("Service Choice: ")).unwrap_or_default();
    let is_answer = service.starts_with("readProperty");
    let is_i_am = service.starts_with("i-Am");
    let is_i_have = service.starts_with("i-Have");
    if !is_answer && !is_i_am && !is_i_have {
        return;
    }
    // A forwarded datagram names its origin; a routed message the network and the address there.
    let forwarded = line("Function: ").is_some_and(|function| function.starts_with("Forwarded"));
    let origin = line("IP: ").filter(|_| forwarded).unwrap_or(&frame.source);
    let behind = line("Source Network Address: ").zip(line("SADR: ")).map(|(network, address)| {
        let address =
            address.parse::<u8>().map_or_else(|_| address.to_owned(), |octet| format!("{octet:02x}"));
        format!("{} bacnet={network}:{address}", frame.source)
    });
    let subject = behind.unwrap_or_else(|| origin.to_owned());
    let mut say = |attribute, value: &str| said.say(Protocol::Bacnet, attribute, &subject, value);

    let mut object = "";
    let mut objects = Vec::new();
    let mut property = "";
    // Within the value of a property: what is named there is not what was asked for.
    let mut is_value = false;
    for line in frame.lines.iter().map(|line| line.trim()) {
        match line {
            "{[3]" | "{[4]" => is_value = is_answer,
            "}[3]" | "}[4]" => is_value = false,
            _ => {}
        }
        let is_device = object.starts_with("device, ");
        if let Some(name) = line.strip_prefix("Property Identifier: ") {
            property = name;
        } else if let Some(named) = line.strip_prefix("ObjectIdentifier: ") {
            if !is_value {
                object = named;
                objects.push(named);
            }
            let is_of_device = if is_value {
                is_device && property.starts_with("object-identifier ")
            } else {
                !is_i_have || objects.len() == 1
            };
            if let Some(instance) = named.strip_prefix("device, ").filter(|_| is_of_device) {
                if instance != WILDCARD {
                    say(Attribute::BacnetInstance, instance);
                } else if is_i_am {
                    return;
                }
            }
        } else if let Some(vendor) = line.strip_prefix("Vendor ID: ").filter(|_| is_i_am) {
            say(Attribute::BacnetVendorId, in_parentheses(vendor));
        } else if let Some(name) = line.strip_prefix("Object Name: ") {
            let is_own =
                is_answer && is_device || matches!(*objects, [device, named] if is_i_have && device == named);
            if is_own {
                say(Attribute::BacnetObjectName, name);
            }
        } else if is_value
            && is_device
            && let Some((property, value)) = line.split_once(": ")
        {
            let quoted =
                || value.split_once('\'').and_then(|(_, value)| value.strip_suffix('\'')).unwrap_or_default();
            match property {
                "vendor-identifier" => {
                    say(Attribute::BacnetVendorId, between(value, "(Unsigned) ", " "));
                }
                "application-software-version" => say(Attribute::SoftwareVersion, quoted()),
                "description" => say(Attribute::Description, quoted()),
                "firmware-revision" => say(Attribute::FirmwareVersion, quoted()),
                "location" => say(Attribute::Location, quoted()),
                "model-name" => say(Attribute::Model, quoted()),
                "vendor-name" => say(Attribute::Manufacturer, quoted()),
                "serial-number" => say(Attribute::SerialNumber, quoted()),
                _ => {}
            }
        }
    }
}
