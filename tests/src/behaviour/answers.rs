//! What a model said of captures whose devices are known, counted.

use std::collections::{BTreeMap, BTreeSet};

/// What was said of one capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the device is.
    pub is: String,
    /// What it was called, had it to be one of the kinds.
    pub called: String,
    /// It was called unknown.
    pub is_unknown: bool,
}

/// Precision and recall of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Of those that were called so, the share that were so; 0 where none was.
    pub precision: f64,
    /// Of those that were so, the share that were called so.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
    /// How many were so.
    pub captures: u64,
}

/// Answers about several captures.
#[derive(Clone, Debug, Default)]
pub struct Answers(pub Vec<Answer>);

impl Answers {
    /// The share that was called what it is.
    pub fn accuracy(&self) -> f64 {
        share(self.0.iter().filter(|answer| answer.is == answer.called).count(), self.0.len())
    }

    /// The mean of F1 of all kinds that a device is or was called.
    pub fn macro_f1(&self) -> f64 {
        let rates = self.rates();
        rates.values().map(|rates| rates.f1).sum::<f64>() / rates.len().max(1) as f64
    }

    /// The share that was called unknown.
    pub fn unknown(&self) -> f64 {
        share(self.0.iter().filter(|answer| answer.is_unknown).count(), self.0.len())
    }

    /// Without those that were called unknown.
    #[must_use]
    pub fn known(&self) -> Self {
        Self(self.0.iter().filter(|answer| !answer.is_unknown).cloned().collect())
    }

    /// By kind.
    pub fn rates(&self) -> BTreeMap<&str, Rates> {
        let kinds: BTreeSet<&str> =
            self.0.iter().flat_map(|answer| [answer.is.as_str(), answer.called.as_str()]).collect();
        let of = |kind| {
            let (mut right, mut called, mut captures) = (0, 0, 0);
            for answer in &self.0 {
                right += usize::from(answer.is == kind && answer.called == kind);
                called += usize::from(answer.called == kind);
                captures += usize::from(answer.is == kind);
            }
            let (precision, recall) = (share(right, called), share(right, captures));
            let f1 = share(2 * right, called + captures);
            (kind, Rates { precision, recall, f1, captures: captures as u64 })
        };
        kinds.into_iter().map(of).collect()
    }

    /// What was taken for what, and how often; most often first.
    pub fn mistakes(&self) -> Vec<(&str, &str, u64)> {
        let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for answer in self.0.iter().filter(|answer| answer.is != answer.called) {
            *counts.entry((&answer.is, &answer.called)).or_default() += 1;
        }
        let mut counts: Vec<_> =
            counts.into_iter().map(|((is, called), count)| (is, called, count)).collect();
        counts.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
        counts
    }

    /// The same with the kinds of each group taken for one.
    #[must_use]
    pub fn merged(&self, groups: &[Vec<String>]) -> Self {
        let one = |kind: &String| {
            let group = groups.iter().find(|group| group.contains(kind)).and_then(|group| group.first());
            group.unwrap_or(kind).clone()
        };
        let merge = |answer: &Answer| Answer {
            is: one(&answer.is),
            called: one(&answer.called),
            is_unknown: answer.is_unknown,
        };
        Self(self.0.iter().map(merge).collect())
    }
}

fn share(some: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Answers {
        let pairs = [("a", "a"), ("a", "a"), ("a", "b"), ("b", "b"), ("c", "b"), ("c", "c")];
        let answer = |(is, called): (&str, &str)| Answer {
            is: is.to_owned(),
            called: called.to_owned(),
            is_unknown: is == "c",
        };
        Answers(pairs.into_iter().map(answer).collect())
    }

    fn near(value: f64, wanted: f64) {
        assert!((value - wanted).abs() < 1e-9, "{value}, not {wanted}");
    }

    #[test]
    fn rates_are_those_of_the_definitions() {
        let answers = answers();
        near(answers.accuracy(), 4.0 / 6.0);
        let rates = answers.rates();
        near(rates["a"].precision, 1.0);
        near(rates["a"].recall, 2.0 / 3.0);
        near(rates["b"].precision, 1.0 / 3.0);
        // F1: 0.8, 0.5 and 2/3.
        near(answers.macro_f1(), (0.8 + 0.5 + 2.0 / 3.0) / 3.0);
        assert_eq!(answers.mistakes(), [("a", "b", 1), ("c", "b", 1)]);
        near(answers.unknown(), 2.0 / 6.0);
        near(answers.known().accuracy(), 0.75);
    }

    #[test]
    fn kinds_of_a_group_are_one() {
        let merged = answers().merged(&[vec!["a".to_owned(), "b".to_owned()]]);
        near(merged.accuracy(), 5.0 / 6.0);
        assert_eq!(merged.mistakes(), [("c", "a", 1)]);
    }
}
