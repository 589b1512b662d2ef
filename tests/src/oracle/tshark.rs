//! Wireshark's dissectors, asked through `tshark` when a test runs.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::statement::Statement;

mod access;
mod bacnet;
mod conversations;
mod details;
mod documents;
mod fields;
mod industry;
mod management;
mod media;
mod names;
mod neighbours;
pub mod patients;
mod ws_discovery;

pub use conversations::{Stream, streams};

/// Between the values of one field in one frame: no text of the wire has it unescaped.
const BETWEEN_VALUES: char = '\u{1e}';

/// Everything that Wireshark reads of the fields that the sensor states.
pub fn statements(capture: &Path) -> Result<BTreeSet<Statement>> {
    let fields::Read { mut statements, has_dns, has_bacnet, has_documents, has_media } =
        fields::read(capture)?;
    access::read(capture, &mut statements)?;
    if has_dns {
        names::read(capture, &mut statements)?;
    }
    if has_bacnet {
        bacnet::read(capture, &mut statements)?;
    }
    neighbours::read(capture, &mut statements)?;
    ws_discovery::read(capture, &mut statements)?;
    if has_documents {
        documents::read(capture, &mut statements)?;
    }
    industry::read(capture, &mut statements)?;
    industry::read(capture, &mut statements)?;
    // Names, discovery, management.
    management::read(capture, &mut statements)?;
    // Voice, video, print, messages.
    if has_media {
        media::read(capture, &mut statements)?;
    }
    Ok(statements.0)
}

/// The values of some fields, one row for each frame that passes the display filter.
#[derive(Debug)]
pub struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// One frame's values.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    names: &'a [String],
    values: &'a [String],
}

/// Asks for fields by their Wireshark names; `options` go to tshark as they are (`["-Y", "tls"]`).
pub fn fields(capture: &Path, options: &[&str], names: &[&str]) -> Result<Table> {
    let mut command = Command::new("tshark");
    // Names are not resolved: no traffic, and nothing of this machine's configuration.
    command.args(["-n", "-r"]).arg(capture).args(options);
    command.args(["-T", "fields", "-E", "occurrence=a", "-E"]).arg(format!("aggregator={BETWEEN_VALUES}"));
    for name in names {
        command.args(["-e", name]);
    }
    let output = command.stdin(Stdio::null()).output().context("run tshark")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    // A file that was cut short gives what is in it, and an exit code of 2.
    let is_cut = complaint.contains("cut short");
    anyhow::ensure!(output.status.success() || is_cut, "tshark says: {}", complaint.trim());
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    Ok(Table { names: names.iter().map(|name| (*name).to_owned()).collect(), rows })
}

impl Table {
    /// The frames.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|values| Row { names: &self.names, values })
    }
}

impl<'a> Row<'a> {
    /// All values of a field, in the order of the frame. None for a field that was not asked for.
    pub fn all(self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let place = self.names.iter().position(|asked| asked == name);
        let values = place.and_then(|place| self.values.get(place)).map_or("", String::as_str);
        values.split(BETWEEN_VALUES).filter(|value| !value.is_empty())
    }

    /// The first value of a field: that of the outermost layer.
    pub fn first(self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }
}
