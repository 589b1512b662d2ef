//! Wireshark's tree of a frame as text, for what has no field of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// A frame: its innermost addresses and the lines of the protocols that were asked for, indented by depth.
#[derive(Debug, Default)]
pub(in crate::oracle) struct Frame {
    /// The sender's address.
    pub(in crate::oracle) source: String,
    /// The receiver's address.
    pub(in crate::oracle) destination: String,
    /// UDP ports, 0 on other transports.
    pub(in crate::oracle) ports: [u16; 2],
    /// The tree.
    pub(in crate::oracle) lines: Vec<String>,
}

/// The trees of `protocols` in the frames that pass the display filter.
pub(in crate::oracle) fn details(capture: &Path, filter: &str, protocols: &str) -> Result<Vec<Frame>> {
    details_with(capture, &[], filter, protocols)
}

/// The same, with further options for tshark.
pub(in crate::oracle) fn details_with(
    capture: &Path,
    options: &[&str],
    filter: &str,
    protocols: &str,
) -> Result<Vec<Frame>> {
    let output = Command::new("tshark")
        .args(["-n", "-r"])
        .arg(capture)
        .args(options)
        .args(["-o", "tcp.reassemble_out_of_order:TRUE", "-Y", filter, "-O", protocols])
        .stdin(Stdio::null())
        .output()
        .context("run tshark")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "tshark says: {}", complaint.trim());
    let mut frames: Vec<Frame> = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if line.starts_with("Frame ") {
            frames.push(Frame::default());
        }
        let Some(frame) = frames.last_mut() else { continue };
        if line.starts_with("Internet Protocol Version ") {
            between(line, "Src: ", ",").clone_into(&mut frame.source);
            between(line, "Dst: ", ",").clone_into(&mut frame.destination);
        } else if line.starts_with("User Datagram Protocol") {
            let port = |name| between(line, name, ",").parse().unwrap_or_default();
            frame.ports = [port("Src Port: "), port("Dst Port: ")];
        }
        frame.lines.push(line.to_owned());
    }
    Ok(frames)
}

/// What stands behind one text and before another, or before the end.
pub(in crate::oracle) fn between<'a>(line: &'a str, before: &str, behind: &str) -> &'a str {
    let rest = line.split_once(before).map_or("", |(_, rest)| rest);
    rest.split_once(behind).map_or(rest, |(inner, _)| inner)
}
