//! A hop of the data path: what went in, what came out, and what became of the rest.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde::Serialize;

/// Counts added up. What others tell may be anything: it saturates.
pub(crate) trait Total {
    /// The sum.
    fn total(self) -> u64;
}

impl<C: Borrow<u64>, I: Iterator<Item = C>> Total for I {
    fn total(self) -> u64 {
        self.fold(0, |sum, count| sum.saturating_add(*count.borrow()))
    }
}

/// How bad something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// The sum closes and nothing stands out.
    #[default]
    Closed,
    /// Somebody should look: something was dropped, and it is known what and why, or much waits.
    Attention,
    /// Something is missing, stands still, or cannot be reached.
    Broken,
}

impl Level {
    /// As it stands in the table.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Attention => "attention",
            Self::Broken => "BROKEN",
        }
    }
}

/// Something to be said about a hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) text: String,
}

/// One hop, or one instance of it. in = out + dropped + held, or it is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Hop {
    /// Its name, as `docs/doctor.md` has it.
    #[serde(rename = "hop")]
    pub(crate) name: &'static str,
    /// Which of several: a sensor, a service's address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) of: String,
    /// What is counted.
    pub(crate) unit: &'static str,
    #[serde(rename = "in")]
    pub(crate) input: u64,
    #[serde(rename = "out")]
    pub(crate) output: u64,
    /// What did not come out and never will, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) dropped: BTreeMap<String, u64>,
    /// What may still come out.
    pub(crate) held: u64,
    /// Messages of the log that wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lag: Option<u64>,
    pub(crate) level: Level,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) findings: Vec<Finding>,
    /// What was left out of the sum, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

impl Hop {
    pub(crate) fn new(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, ..Self::default() }
    }

    pub(crate) fn of(mut self, of: impl Into<String>) -> Self {
        self.of = of.into();
        self
    }

    /// What went in and what came out.
    pub(crate) fn passing(mut self, input: u64, output: u64) -> Self {
        (self.input, self.output) = (input, output);
        self
    }

    /// What was dropped for a reason. None dropped, no mention.
    pub(crate) fn dropping(mut self, reason: impl Into<String>, count: u64) -> Self {
        if count > 0 {
            let dropped = self.dropped.entry(reason.into()).or_default();
            *dropped = dropped.saturating_add(count);
        }
        self
    }

    pub(crate) fn holding(mut self, held: u64) -> Self {
        self.held = held;
        self
    }

    /// What went in and is nowhere; negative where more came out than went in.
    pub(crate) fn gap(&self) -> i128 {
        let dropped: u128 = self.dropped.values().map(|count| u128::from(*count)).sum();
        let found = u128::from(self.output) + dropped + u128::from(self.held);
        i128::from(self.input) - i128::try_from(found).unwrap_or(i128::MAX)
    }

    pub(crate) fn attention(self, text: impl Into<String>) -> Self {
        self.finding(Level::Attention, text)
    }

    pub(crate) fn broken(self, text: impl Into<String>) -> Self {
        self.finding(Level::Broken, text)
    }

    pub(crate) fn finding(mut self, level: Level, text: impl Into<String>) -> Self {
        self.level = self.level.max(level);
        self.findings.push(Finding { level, text: text.into() });
        self
    }

    pub(crate) fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Closes the sum: a gap breaks the hop, whatever else is said.
    pub(crate) fn closed(self) -> Self {
        let (gap, unit) = (self.gap(), self.unit);
        match gap {
            0 => self,
            1.. => self.broken(format!("{gap} {unit} went in and are nowhere")),
            _ => self.broken(format!("{} {unit} more came out than went in", -gap)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_closes_or_says_what_is_missing() {
        let hop = || Hop::new("spool", "batches").passing(10, 6).dropping("full", 1).holding(3);
        assert_eq!(hop().closed().level, Level::Closed);
        let short = hop().holding(0).closed();
        assert_eq!(short.level, Level::Broken);
        assert_eq!(short.findings[0].text, "3 batches went in and are nowhere");
        let long = hop().passing(10, 7).closed();
        assert_eq!(long.findings[0].text, "1 batches more came out than went in");
        let huge = hop().passing(0, u64::MAX).dropping("full", u64::MAX).closed();
        assert_eq!(huge.level, Level::Broken, "and does not overflow");
    }
}
