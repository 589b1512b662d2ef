//! What came of an examination, for people and for programs.

use serde::Serialize;

use super::hop::{Hop, Level};
use crate::table::{Format, plain_table, print};

/// What came of an examination.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// The worst of all hops.
    pub(crate) level: Level,
    pub(crate) hops: Vec<Hop>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

impl Report {
    pub(crate) fn new(hops: Vec<Hop>, note: Option<String>) -> Self {
        let level = hops.iter().map(|hop| hop.level).max().unwrap_or_default();
        Self { level, hops, note }
    }

    /// The names of the broken hops, each once.
    pub(crate) fn broken(&self) -> Vec<&'static str> {
        let mut names: Vec<_> =
            self.hops.iter().filter(|hop| hop.level == Level::Broken).map(|hop| hop.name).collect();
        names.dedup();
        names
    }

    pub(crate) fn print(&self, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Json => print(&serde_json::to_string_pretty(self)?),
            Format::Table => print(&self.text()),
        }
    }

    fn text(&self) -> String {
        let mut table = plain_table(["hop", "of", "in", "out", "dropped", "held", "lag", "what", ""]);
        for hop in &self.hops {
            let dropped: Vec<_> =
                hop.dropped.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            let figure = |count: u64| if hop.unit.is_empty() { String::new() } else { count.to_string() };
            table.add_row([
                hop.name.to_owned(),
                hop.of.clone(),
                figure(hop.input),
                figure(hop.output),
                dropped.join(", "),
                figure(hop.held),
                hop.lag.map(|lag| lag.to_string()).unwrap_or_default(),
                hop.unit.to_owned(),
                hop.level.word().to_owned(),
            ]);
        }
        let mut lines = vec![table.to_string()];
        lines.extend(self.said());
        lines.join("\n")
    }

    /// What there is to say, the worst first.
    fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        for level in [Level::Broken, Level::Attention, Level::Closed] {
            for hop in &self.hops {
                let of = if hop.of.is_empty() { String::new() } else { format!(" ({})", hop.of) };
                for finding in hop.findings.iter().filter(|finding| finding.level == level) {
                    said.push(format!("{}: {}{of}: {}", level.word(), hop.name, finding.text));
                }
            }
        }
        said.extend(
            self.hops
                .iter()
                .flat_map(|hop| hop.notes.iter().map(move |note| format!("note: {}: {note}", hop.name))),
        );
        said.extend(self.note.iter().map(|note| format!("note: {note}")));
        said
    }
}
