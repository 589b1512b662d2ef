//! Comparisons for people: a table for each device, and a line for each means.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};

use super::comparison::{Compared, Comparison, Row, Verdict};
use super::sensor::Means;

/// A scene's tables. `with_more`: also what is stated beyond the truth.
pub fn tables(comparison: &Comparison, with_more: bool) -> String {
    let mut text = format!("== {}\n", comparison.scene);
    let means: Vec<Means> = comparison.counted.keys().copied().collect();
    for device in &comparison.devices {
        let rows: Vec<&Row> = device.rows.iter().filter(|row| with_more || is_judged(row)).collect();
        if !rows.is_empty() {
            let _ = writeln!(text, "\n{}\n{}", heading(device), table(&rows, &means));
        }
    }
    if !comparison.strangers.is_empty() {
        let rows: Vec<&Row> = comparison.strangers.iter().collect();
        let _ = writeln!(text, "\nnobody in this hospital\n{}", table(&rows, &means));
    }
    text.push('\n');
    for word in &comparison.leaked {
        let _ = writeln!(text, "left the sensor and must not: {word}");
    }
    for (means, counted) in &comparison.counted {
        let count = |verdict| comparison.count(*means, verdict);
        let (found, missing) = (count(Verdict::Found), count(Verdict::Missing));
        let _ = writeln!(
            text,
            "{} by {}: {} of {} packets; {} expected, {found} found, {missing} missing, {} invented",
            comparison.scene,
            means.name(),
            counted.packets,
            comparison.packets,
            found + missing,
            count(Verdict::Invented),
        );
    }
    text
}

/// A line under the header and none between rows.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

fn is_judged(row: &Row) -> bool {
    row.verdicts.values().any(|verdict| *verdict != Verdict::More)
}

fn heading(device: &Compared) -> String {
    let address = device.address.as_deref().unwrap_or("spoken for by another");
    format!("{}, {}, {address}", device.device, device.kind)
}

fn table(rows: &[&Row], means: &[Means]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic);
    let header = ["what".to_owned(), "value".to_owned()];
    table.set_header(header.into_iter().chain(means.iter().map(|means| means.name().to_owned())));
    for row in rows {
        let verdicts = means.iter().map(|means| row.verdicts.get(means).map_or("", |verdict| verdict.name()));
        table.add_row([row.what.as_str(), row.value.as_str()].into_iter().chain(verdicts));
    }
    table
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Missing => "MISSING",
            Self::Invented => "INVENTED",
            Self::More => "more",
        }
    }
}
