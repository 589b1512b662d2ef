//! The target description, which a TwinCAT system answers when an engineering station reads it from its system service: XML
//! with the kind of hardware, its serial number, and the image of the operating system.
//!
//! ```text
//! <TcTargetDesc><TargetFeatures><NetId>5.13.117.96.1.1</NetId></TargetFeatures>
//!   <Hardware><SerialNo>63667</SerialNo></Hardware>
//!   <OsImage><ImageDevice>CX1020</ImageDevice><ImageVersion>3.52</ImageVersion><OsName>Windows CE</OsName>...
//! ```
//!
//! Only Beckhoff's own controllers have an image, and with it a model and serial number: of any other computer nothing is
//! read. The description holds the NetId of what it describes, which must be the system that answers.

use wardwatch_proto::v1::Attribute;

use crate::Facts;
use crate::octets::{le32, part};

/// Octets of a description that are read; it takes less than one kilobyte.
const LONGEST: usize = 8 * 1024;

/// What stands in the answer to a read of the system with this NetId: result (4), length (4), description.
pub(super) fn state(data: &[u8], net_id: &str, facts: &mut Facts<'_>) {
    let (Some(0), Some(length)) = (le32(data, 0), le32(data, 4)) else { return };
    let text = part(data, 8, (length as usize).min(LONGEST)).and_then(|bytes| str::from_utf8(bytes).ok());
    let Some(description) = text.and_then(|text| element(text, "TcTargetDesc")) else { return };
    if element(description, "NetId") != Some(net_id) {
        return;
    }
    let Some(image) = element(description, "OsImage") else { return };
    let Some(model) = element(image, "ImageDevice").filter(|model| !model.is_empty()) else { return };
    facts.of_sender(Attribute::Model, model);
    let hardware = element(description, "Hardware").unwrap_or_default();
    // Zero where the hardware keeps none.
    let serial = element(hardware, "SerialNo").filter(|serial| serial.bytes().any(|byte| byte != b'0'));
    for (attribute, value) in [
        (Attribute::SerialNumber, serial),
        (Attribute::FirmwareVersion, element(image, "ImageVersion")),
        (Attribute::OperatingSystem, element(image, "OsName")),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.of_sender(attribute, value);
        }
    }
}

/// What stands between the tags of the first element of this name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (content, _) = rest.split_once(&format!("</{name}>"))?;
    Some(content.trim())
}
