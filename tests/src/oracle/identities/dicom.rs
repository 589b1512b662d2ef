//! Equipment in DICOM's datasets, in the tree that Wireshark makes of them: one line for each element, indented by four
//! blanks for each level, `(0008,0070) 18 Manufacturer [LO] GE MEDICAL SYSTEMS`. A value in a line is cut at fifty characters;
//! in the tree as XML the octets of its element stand beside the line.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use wardwatch_proto::v1::Protocol;

use super::super::tshark::details::{self, between};
use super::super::tshark::fields::octets;
use super::{Device, Kind};

/// What every association has: the root of the standard's identifiers.
pub(super) const MARK: &[u8] = b"1.2.840.10008.";

/// What ends a value that is cut.
const CUT: &str = "...";

/// Ports on which Wireshark does not look for DICOM by itself.
const OPTIONS: &[&str] = &["-d", "tcp.port==11113,dicom"];

/// Elements that identify the device that made an object (PS3.3, C.7.5.1).
const OF_CREATOR: &[(&str, Kind)] = &[
    ("(0008,0070)", Kind::Manufacturer),
    ("(0008,1090)", Kind::Model),
    ("(0018,1000)", Kind::SerialNumber),
    ("(0018,1020)", Kind::Version),
];

/// Those of what turned something else into the object (C.8.6.1).
const OF_CONVERTER: &[(&str, Kind)] = &[
    ("(0018,1010)", Kind::SerialNumber),
    ("(0018,1016)", Kind::Manufacturer),
    ("(0018,1018)", Kind::Model),
    ("(0018,1019)", Kind::Version),
];

/// GE's identification, behind its creator's name in the first block of the group.
const GE_IDENTIFICATION: (&str, &str) = ("(0009,0010)", "GEMS_IDEN_01");
const OF_GE_IDENTIFICATION: &[(&str, Kind)] = &[("(0009,1004)", Kind::Model), ("(0009,10e6)", Kind::Version)];

/// Contributing equipment, whose items identify a device each.
const CONTRIBUTING: &str = "(0018,a001)";
const ITEM: &str = "(fffe,e000)";

/// Whole values by the lines that show their beginnings.
type Whole = BTreeMap<String, String>;

/// Frames may carry a whole dataset, which is the sender's or of a device that it speaks for.
pub(super) fn read(capture: &Path) -> Result<Vec<Device>> {
    let mut devices = Vec::new();
    let frames = details::details_with(capture, OPTIONS, "dicom", "dicom")?;
    let is_cut = |frame: &details::Frame| frame.lines.iter().any(|line| line.ends_with(CUT));
    let whole = if frames.iter().any(is_cut) { whole_values(capture)? } else { Whole::new() };
    for frame in &frames {
        dataset(frame, &whole, &mut devices);
    }
    Ok(devices)
}

/// `<field show="(0018,1020)  264 ..." ... value="18001020..."/>`: a line, and the element, whose last octets are the value.
fn whole_values(capture: &Path) -> Result<Whole> {
    let output = Command::new("tshark")
        .args(["-n", "-r"])
        .arg(capture)
        .args(OPTIONS)
        .args(["-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "dicom", "-T", "pdml"])
        .stdin(Stdio::null())
        .output()
        .context("run tshark")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let values = text.lines().filter_map(|line| {
        let shown = between(line, "show=\"", "\"");
        let length: usize = shown.get(11..)?.split_whitespace().next()?.parse().ok()?;
        let element = octets(between(line, "value=\"", "\"")).filter(|_| shown.ends_with(CUT))?;
        let value = element.get(element.len().checked_sub(length)?..)?;
        let shown =
            shown.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        Some((shown, value.iter().copied().map(char::from).collect()))
    });
    Ok(values.collect())
}

fn dataset(frame: &details::Frame, whole: &Whole, devices: &mut Vec<Device>) {
    let device = || Device::new(Protocol::Dicom, &frame.source);
    let (mut creator, mut converter, mut contributors) = (device(), device(), Vec::new());
    let mut is_of_ge = false;
    // Tags of the sequences that are open, by their indentation.
    let mut open: Vec<(usize, &str)> = Vec::new();
    for line in &frame.lines {
        let text = line.trim_start();
        let indentation = line.len() - text.len();
        let Some(tag) = text.get(..11).filter(|tag| tag.starts_with('(') && tag.ends_with(')')) else {
            continue;
        };
        while open.last().is_some_and(|(outer, _)| *outer >= indentation) {
            open.pop();
        }
        let way: Vec<&str> = open.iter().map(|(_, tag)| *tag).collect();
        let is_sequence = tag == ITEM || text.contains(" [SQ]");
        if let (ITEM, [CONTRIBUTING]) = (tag, way.as_slice()) {
            contributors.push(device());
        }
        if let Some((_, value)) = text.split_once("] ").filter(|(_, value)| *value != "<Empty>") {
            let value = whole.get(text).map_or(value, String::as_str);
            let of = |list: &[(&str, Kind)]| list.iter().find(|(of, _)| *of == tag).map(|(_, kind)| *kind);
            match way.as_slice() {
                [] => {
                    is_of_ge |= (tag, value.trim()) == GE_IDENTIFICATION;
                    if let Some(kind) = of(OF_CREATOR).or(of(OF_GE_IDENTIFICATION).filter(|_| is_of_ge)) {
                        say(&mut creator, kind, value);
                    } else if let Some(kind) = of(OF_CONVERTER) {
                        say(&mut converter, kind, value);
                    }
                }
                [CONTRIBUTING, ITEM] => {
                    if let Some((kind, device)) = of(OF_CREATOR).zip(contributors.last_mut()) {
                        say(device, kind, value);
                    }
                }
                _ => {}
            }
        }
        if is_sequence {
            open.push((indentation, tag));
        }
    }
    devices.extend([creator, converter]);
    devices.extend(contributors);
}

/// Several values are joined by backslashes; some systems write each in quotation marks.
fn say(device: &mut Device, kind: Kind, value: &str) {
    for value in value.split('\\') {
        device.say(kind, value.trim_matches([' ', '"']));
    }
}
