//! How sure it is what a device is: what speaks for a kind, held against what speaks for others.
//!
//! Kinds exclude each other. What speaks for one leaves a doubt, and doubts multiply. That a device is of a kind, and of no
//! other that something speaks for, is weighed against all the ways in which it could be another, or none of these
//! (Dempster's rule of combination, for simple support functions).

use std::collections::BTreeMap;

/// The doubts that are left about each of several kinds that exclude each other: 0 to 1.
#[derive(Debug, Default)]
pub(crate) struct Doubts<'a>(BTreeMap<&'a str, f64>);

impl<'a> Doubts<'a> {
    /// Something speaks for a kind: 1 to 100 percent.
    pub(crate) fn lessen(&mut self, kind: &'a str, confidence: u32) {
        *self.0.entry(kind).or_insert(1.0) *= 1.0 - f64::from(confidence) / 100.0;
    }

    /// The doubt that is left about a kind in view of all others: 1 where nothing speaks for it.
    pub(crate) fn left(&self, kind: &str) -> f64 {
        // The weight of a kind, seen from the weight of "none of these": how much likelier it is.
        let odds = |doubt: f64| (1.0 - doubt) / doubt;
        let all: f64 = self.0.values().map(|doubt| odds(*doubt)).sum();
        let Some(own) = self.0.get(kind) else { return 1.0 };
        let share = odds(*own) / (1.0 + all);
        // Doubts are too small to be told from none where hundreds of rules speak for one kind.
        if share.is_finite() { 1.0 - share } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(voices: &[(&'static str, u32)], kind: &str) -> f64 {
        let mut doubts = Doubts::default();
        for (kind, confidence) in voices {
            doubts.lessen(kind, *confidence);
        }
        doubts.left(kind)
    }

    fn is_about(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 0.005
    }

    #[test]
    fn one_voice_counts_in_full_and_two_of_one_mind_for_more() {
        assert!(is_about(left(&[("switch", 70)], "switch"), 0.3));
        assert!(is_about(left(&[("switch", 70), ("switch", 60)], "switch"), 0.12));
    }

    #[test]
    fn what_speaks_for_another_kind_makes_it_less_sure() {
        let both = [("controller", 85), ("station", 80)];
        assert!(is_about(left(&both, "controller"), 0.47), "{}", left(&both, "controller"));
        assert!(left(&both, "station") > left(&both, "controller"));
        assert!(is_about(left(&[("controller", 85), ("station", 20)], "controller"), 0.18));
    }

    #[test]
    fn who_knows_leaves_no_doubt() {
        let voices = [("scanner", 99), ("scanner", 99), ("scanner", 99), ("pump", 100)];
        assert!(is_about(left(&voices, "pump"), 0.0));
        assert!(is_about(left(&voices, "scanner"), 1.0));
    }

    #[test]
    fn nothing_is_sure_of_what_nothing_speaks_for() {
        assert!(is_about(left(&[("switch", 70)], "router"), 1.0));
        let many = vec![("switch", 99); 400];
        assert!((0.0..=1.0).contains(&left(&many, "switch")));
    }
}
