//! Wireshark's dissectors, asked through `tshark` when a test runs.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::statement::{Statement, Statements};

mod access;
mod bacnet;
mod conversations;
pub(super) mod details;
mod documents;
pub(super) mod fields;
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

/// Options of the pass in which all fields are read.
const OPTIONS: &[[&str; 2]] = &[
    // Headers count as soon as they are there, and in the order of the stream.
    ["-o", "http.desegment_body:FALSE"],
    ["-o", "tcp.reassemble_out_of_order:TRUE"],
    // Ports on which the software of the captures speaks and which Wireshark does not know.
    ["-d", "tcp.port==6661,hl7"],
    ["-d", "tcp.port==11113,dicom"],
    ["-d", "tcp.port==17501,mqtt"],
    ["-d", "tcp.port==2222,ssh"],
    ["-d", "udp.port==62228,ntp"],
];

/// Everything that Wireshark reads of the fields that the sensor states.
pub fn statements(capture: &Path) -> Result<BTreeSet<Statement>> {
    let mut said = Statements::default();
    let filters = [fields::FILTER, access::FILTER, neighbours::FILTER, industry::FILTER, management::FILTER];
    // The last ones are only looked for here, and asked about where there are some.
    let filter =
        format!("({}) || dns || mdns || bacapp || sip || rtsp || mqtt || rdp", filters.join(") || ("));
    let wanted = [fields::NAMES, access::NAMES, neighbours::NAMES, industry::NAMES, management::NAMES];
    let wanted: BTreeSet<&str> = wanted.into_iter().flatten().copied().collect();
    let wanted: Vec<&str> = wanted.into_iter().collect();
    let options = [OPTIONS.as_flattened(), &["-Y", &filter]].concat();
    let table = self::fields(capture, &options, &wanted)?;
    fields::read(&table, &mut said)?;
    access::read(&table, &mut said);
    neighbours::read(&table, &mut said);
    industry::read(&table, &mut said);
    management::read(capture, &table, &mut said)?;
    let has = |layers: &[&str]| table.rows().any(|row| layers.iter().any(|layer| row.has(layer)));
    if has(&["ssh"]) {
        // On this port Wireshark looks for TLS alone.
        let options = ["-d", "tcp.port==443,ssh", "-Y", "ssh && tcp.port == 443"];
        access::read(&self::fields(capture, &options, access::NAMES)?, &mut said);
    }
    if has(&["rdp"]) {
        // Behind RDP's choice of it, Wireshark finds TLS only where it is told to.
        let options = ["-d", "tcp.port==3389,tls", "-Y", "tls.handshake && tcp.port == 3389"];
        fields::read(&self::fields(capture, &options, fields::NAMES)?, &mut said)?;
    }
    if has(&["dns", "mdns"]) {
        names::read(capture, &mut said)?;
    }
    if has(&["bacapp"]) {
        bacnet::read(capture, &mut said)?;
    }
    if table.rows().any(|row| row.all("http.response.line").any(documents::is_announced)) {
        documents::read(capture, &mut said)?;
    }
    // Voice, video, print, messages.
    if has(&["sip", "rtsp", "mqtt"]) {
        media::read(capture, &mut said)?;
    }
    ws_discovery::read(capture, &mut said)?;
    Ok(said.0)
}

/// The values of some fields, one row for each frame that passes the display filter.
#[derive(Debug)]
pub struct Table {
    /// Where a field stands in a row.
    places: HashMap<String, usize>,
    rows: Vec<Vec<String>>,
}

/// One frame's values.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    places: &'a HashMap<String, usize>,
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
    let places = names.iter().enumerate().map(|(place, name)| ((*name).to_owned(), place)).collect();
    Ok(Table { places, rows })
}

impl Table {
    /// The frames.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|values| Row { places: &self.places, values })
    }
}

impl<'a> Row<'a> {
    /// All values of a field, in the order of the frame. None for a field that was not asked for.
    pub fn all(self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let place = self.places.get(name);
        let values = place.and_then(|place| self.values.get(*place)).map_or("", String::as_str);
        values.split(BETWEEN_VALUES).filter(|value| !value.is_empty())
    }

    /// Whether Wireshark met this layer in the frame, by its short name in `frame.protocols`.
    pub fn has(self, layer: &str) -> bool {
        self.first("frame.protocols").unwrap_or_default().split(':').any(|known| known == layer)
    }

    /// The first value of a field: that of the outermost layer.
    pub fn first(self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }
}
