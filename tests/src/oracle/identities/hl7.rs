//! Software and devices in HL7 v2, in the segments that Wireshark hands over: SFT, the observations that identify a device
//! (IHE PCD TF-2; ISO/IEEE 11073-10101), and participations.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use wardwatch_proto::v1::Protocol;

use super::super::tshark::fields;
use super::{Device, Kind};

/// What every message begins with, behind the mark of a block.
pub(super) const MARK: &[u8] = b"\x0bMSH";

/// Identifying observations by their codes.
const CODES: &[(&str, Kind)] = &[
    ("531969", Kind::Model),
    ("531970", Kind::Manufacturer),
    ("531972", Kind::SerialNumber),
    ("531973", Kind::Model),
    ("531974", Kind::Version),
    ("531975", Kind::Version),
    ("531976", Kind::Version),
];

pub(super) fn read(capture: &Path) -> Result<Vec<Device>> {
    let options = ["-d", "tcp.port==6661,hl7", "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "hl7"];
    let table = fields(capture, &options, &["ip.src", "hl7.segment"])?;
    let mut devices = Vec::new();
    for row in table.rows() {
        let source = row.all("ip.src").last().unwrap_or_default();
        let mut message = Message::new(source);
        for segment in row.all("hl7.segment") {
            if segment.starts_with("MSH") {
                devices.append(&mut std::mem::replace(&mut message, Message::new(source)).devices());
            }
            message.segment(segment.trim_end_matches("\\r"));
        }
        devices.append(&mut message.devices());
    }
    Ok(devices)
}

/// What one message says.
struct Message<'a> {
    source: &'a str,
    separator: char,
    component: char,
    /// Of SFT, one each; and of participations.
    single: Vec<Device>,
    /// By the first two arcs of OBX-4, device and module.
    observed: BTreeMap<String, Device>,
}

impl<'a> Message<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, separator: '|', component: '^', single: Vec::new(), observed: BTreeMap::new() }
    }

    fn devices(self) -> Vec<Device> {
        self.single.into_iter().chain(self.observed.into_values()).collect()
    }

    fn segment(&mut self, text: &str) {
        if let Some(header) = text.strip_prefix("MSH") {
            let mut marks = header.chars();
            self.separator = marks.next().unwrap_or('|');
            self.component = marks.next().unwrap_or('^');
            return;
        }
        let fields: Vec<&str> = text.split(self.separator).collect();
        let component = |field: usize, number: usize| {
            let field = fields.get(field).copied().unwrap_or_default();
            field.split(self.component).nth(number - 1).unwrap_or_default()
        };
        let said: &[(Kind, &str)] = match fields.first().copied() {
            Some("SFT") => &[
                (Kind::Manufacturer, component(1, 1)),
                (Kind::Version, component(2, 1)),
                (Kind::Model, component(3, 1)),
            ],
            // The instance, the identifier of the product, the serial number: what is no number is a name.
            Some("PRT") => &[(Kind::Model, component(16, 1)), (Kind::SerialNumber, component(21, 1))],
            Some("OBX") => {
                let of = CODES.iter().find(|(code, _)| *code == component(3, 1));
                if let Some((_, kind)) = of {
                    let coded = ["CE", "CWE", "CNE"].contains(&component(2, 1));
                    let meaning = component(5, 2);
                    let value = if coded && !meaning.is_empty() { meaning } else { component(5, 1) };
                    let place: Vec<&str> = component(4, 1).split('.').take(2).collect();
                    let device = || Device::new(Protocol::Hl7, self.source);
                    self.observed.entry(place.join(".")).or_insert_with(device).say(*kind, value);
                }
                return;
            }
            _ => return,
        };
        let mut device = Device::new(Protocol::Hl7, self.source);
        for (kind, value) in said {
            device.say(*kind, value);
        }
        self.single.push(device);
    }
}
