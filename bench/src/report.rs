//! Figures, as people read them and as programs do.

use std::io::{self, Write as _};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use procfs::Current as _;
use serde::Serialize;

/// How the figures are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables for people.
    #[default]
    Table,
    /// One JSON object.
    Json,
}

/// A figure, and how sure it is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: String,
    /// The median of the rounds.
    pub(crate) value: f64,
    /// What it is counted in.
    pub(crate) unit: &'static str,
    /// Each round, in the order in which they were run; one where there was one.
    pub(crate) rounds: Vec<f64>,
    /// The highest that is allowed, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<f64>,
    /// The lowest that is wanted, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aim: Option<f64>,
    /// What else is to be known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
}

impl Figure {
    /// The median of rounds.
    pub(crate) fn of(name: impl Into<String>, unit: &'static str, rounds: Vec<f64>) -> Self {
        Self {
            name: name.into(),
            value: median(&rounds),
            unit,
            rounds,
            limit: None,
            aim: None,
            note: String::new(),
        }
    }

    /// A figure that was measured once.
    pub(crate) fn once(name: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self::of(name, unit, vec![value])
    }

    /// Sets the highest that is allowed.
    pub(crate) fn at_most(mut self, limit: f64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the lowest that is wanted.
    pub(crate) fn at_least(mut self, aim: f64) -> Self {
        self.aim = Some(aim);
        self
    }

    /// Adds a remark.
    pub(crate) fn noting(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn cells(&self) -> [String; 4] {
        let spread = match self.rounds.as_slice() {
            [] | [_] => String::new(),
            rounds => {
                let least = rounds.iter().copied().fold(f64::INFINITY, f64::min);
                let most = rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                format!("{} to {} in {}", shown(least), shown(most), rounds.len())
            }
        };
        let verdict = self.limit.map(|limit| {
            let word = if self.value <= limit { "within" } else { "OVER" };
            format!("{word} the limit of {}", shown(limit))
        });
        let reached = self.aim.map(|aim| {
            let word = if self.value >= aim { "reaches" } else { "UNDER" };
            format!("{word} the aim of {}", shown(aim))
        });
        let remarks: Vec<_> = verdict
            .into_iter()
            .chain(reached)
            .chain(Some(self.note.clone()).filter(|note| !note.is_empty()))
            .collect();
        [self.name.clone(), format!("{} {}", shown(self.value), self.unit), spread, remarks.join("; ")]
    }
}

/// What was measured in one run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// What was run, with the arguments that decide the figures.
    pub(crate) command: String,
    /// What it ran on, and when.
    pub(crate) machine: String,
    /// Groups of figures.
    pub(crate) sections: Vec<Section>,
}

/// Figures that belong together.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    /// What they are about.
    pub(crate) title: String,
    /// The figures.
    pub(crate) figures: Vec<Figure>,
}

impl Report {
    /// An empty report of this command, on this machine.
    pub(crate) fn new(command: String) -> Self {
        Self { command, machine: machine(), sections: Vec::new() }
    }

    /// Adds a group of figures.
    pub(crate) fn add(&mut self, title: impl Into<String>, figures: Vec<Figure>) {
        self.sections.push(Section { title: title.into(), figures });
    }

    /// Prints it to standard output.
    pub(crate) fn print(&self, format: Format) -> Result<()> {
        let text = match format {
            Format::Json => serde_json::to_string_pretty(self)?,
            Format::Table => self.table(),
        };
        writeln!(io::stdout(), "{text}").context("write to standard output")
    }

    fn table(&self) -> String {
        let mut text = format!("\n{}\n{}\n", self.command, self.machine);
        for section in &self.sections {
            let mut table = Table::new();
            table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_header([section.title.as_str(), "median", "rounds", ""]);
            for figure in &section.figures {
                table.add_row(figure.cells());
            }
            text.push('\n');
            text.push_str(&table.to_string());
            text.push('\n');
        }
        text
    }
}

/// Says what goes on, to standard error.
pub(crate) fn say(line: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Values as a command's argument has them.
pub(crate) fn listed(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The middle one; of an even number, the mean of the middle two.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this share of the values lies, interpolated.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (low, high) = (place.floor(), place.ceil());
    // Within 0 and `last`, both of them.
    #[expect(clippy::cast_sign_loss, reason = "a share of a length")]
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
    at(low) + (at(high) - at(low)) * (place - low)
}

/// Three figures that matter, with digits grouped.
fn shown(value: f64) -> String {
    if value.abs() < 100.0 {
        let digits = if value.abs() < 10.0 { 2 } else { 1 };
        return format!("{value:.digits$}");
    }
    let whole = format!("{value:.0}");
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole.as_str()), |digits| ("-", digits));
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    format!("{sign}{}", groups.join(","))
}

fn machine() -> String {
    let memory = procfs::Meminfo::current().map(|memory| memory.mem_total >> 30).unwrap_or_default();
    let processor = procfs::CpuInfo::current().map(|info| {
        format!("{} cores of {}", info.num_cores(), info.model_name(0).unwrap_or("an unknown processor"))
    });
    let processor = processor.unwrap_or_else(|_| "an unknown processor".to_owned());
    format!("{processor}, {memory} GiB, {}", time::OffsetDateTime::now_utc().date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_without_counting_digits() {
        assert_eq!(
            ["1.24", "31.2", "512", "1,234,568", "-12,000"].map(str::to_owned),
            [1.236, 31.24, 512.4, 1_234_567.8, -12_000.0].map(shown)
        );
    }

    #[test]
    fn quantiles_are_between_the_values() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert!((median(&values) - 2.5).abs() < 1e-9);
        assert!((quantile(&values, 0.0) - 1.0).abs() < 1e-9);
        assert!((quantile(&values, 1.0) - 4.0).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_figure_says_whether_it_keeps_its_limit() {
        let figure = Figure::of("writer", "times", vec![1.2, 1.5, 1.6]).at_most(1.4).noting("of three");
        assert_eq!(
            figure.cells(),
            ["writer", "1.50 times", "1.20 to 1.60 in 3", "OVER the limit of 1.40; of three"]
        );
    }
}
