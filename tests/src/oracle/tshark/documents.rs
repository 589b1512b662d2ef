//! Documents that HTTP carries: Wireshark joins and decodes the bodies and shows XML as a tree; FHIR's JSON is read by
//! its members.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;
use wardwatch_proto::v1::{Attribute, Protocol};

use super::super::statement::Statements;
use super::details::{Frame, details};

/// Where something stands in an answer in XML, from the innermost element outwards.
const IN_XML: &[(Protocol, &[&str], Attribute)] = &[
    (Protocol::Upnp, &["manufacturer", "device", "root"], Attribute::Manufacturer),
    (Protocol::Upnp, &["modelName", "device", "root"], Attribute::Model),
    (Protocol::Upnp, &["modelNumber", "device", "root"], Attribute::ModelNumber),
    (Protocol::Upnp, &["serialNumber", "device", "root"], Attribute::SerialNumber),
    (Protocol::Soap, &["Manufacturer", "ThisModel"], Attribute::Manufacturer),
    (Protocol::Soap, &["ModelName", "ThisModel"], Attribute::Model),
    (Protocol::Soap, &["ModelNumber", "ThisModel"], Attribute::ModelNumber),
    (Protocol::Soap, &["FirmwareVersion", "ThisDevice"], Attribute::FirmwareVersion),
    (Protocol::Soap, &["SerialNumber", "ThisDevice"], Attribute::SerialNumber),
    (Protocol::Soap, &["Manufacturer", "MetaData", "Mds"], Attribute::Manufacturer),
    (Protocol::Soap, &["ModelName", "MetaData", "Mds"], Attribute::Model),
    (Protocol::Soap, &["ModelNumber", "MetaData", "Mds"], Attribute::ModelNumber),
    (Protocol::Soap, &["SerialNumber", "MetaData", "Mds"], Attribute::SerialNumber),
];

/// Whether a header line of an answer announces a document.
pub(super) fn is_announced(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    line.starts_with("content-type:") && (line.contains("xml") || line.contains("fhir"))
}

/// Adds what answers say.
pub(super) fn read(capture: &Path, said: &mut Statements) -> Result<()> {
    for frame in details(capture, "http.response && xml", "xml")? {
        xml(&frame, said);
    }
    let filter = "http.response && http.content_type contains \"fhir+json\"";
    let names = ["ip.src", "http.file_data"];
    for row in super::fields(capture, &["-Y", filter], &names)?.rows() {
        let body = row.first("http.file_data").and_then(|body| serde_json::from_str(body).ok());
        if let (Some(source), Some(resource)) = (row.all("ip.src").last(), body) {
            fhir(source, &resource, said);
        }
    }
    Ok(())
}

/// The lines of an element's tree are indented by four blanks for each level; text stands one deeper than its element.
fn xml(frame: &Frame, said: &mut Statements) {
    let mut open: Vec<&str> = Vec::new();
    for line in &frame.lines {
        let text = line.trim_start();
        let depth = (line.len() - text.len()) / 4;
        if depth == 0 {
            open.clear();
            continue;
        }
        if is_end_or_attribute(text) {
            continue;
        }
        if let Some(tag) = text.strip_prefix('<') {
            let name = tag.trim_end_matches(['>', '/']);
            open.truncate(depth - 1);
            open.push(name.split_once(':').map_or(name, |(_, local)| local));
        } else if depth == open.len() + 1 {
            for (protocol, way, attribute) in IN_XML {
                let is_there = way.iter().eq(open.iter().rev().take(way.len()));
                if is_there && (*protocol != Protocol::Upnp || open.len() == way.len()) {
                    said.say(*protocol, *attribute, &frame.source, text);
                }
            }
        }
    }
}

fn is_end_or_attribute(line: &str) -> bool {
    line.starts_with("</") || line.contains("=\"")
}

/// A server's software, or a device with its serial number.
fn fhir(source: &str, resource: &Value, said: &mut Statements) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if resource["resourceType"] == "CapabilityStatement" {
        let software = &resource["software"];
        said.say(Protocol::Fhir, Attribute::SoftwareName, source, &text(&software["name"]));
        said.say(Protocol::Fhir, Attribute::SoftwareVersion, source, &text(&software["version"]));
    } else if resource["resourceType"] == "Device" {
        let [maker, model, serial] =
            ["manufacturer", "modelNumber", "serialNumber"].map(|name| text(&resource[name]));
        let subject = format!("{source} serial={maker}|{model}|{serial}");
        let carrier = &resource["udiCarrier"][0];
        for (attribute, value) in [
            (Attribute::Manufacturer, maker),
            (Attribute::Model, model),
            (Attribute::SerialNumber, serial),
            (Attribute::SoftwareVersion, text(&resource["version"][0]["value"])),
            (Attribute::UdiDi, text(&carrier["deviceIdentifier"])),
        ] {
            said.say(Protocol::Fhir, attribute, &subject, &value);
        }
    }
}
