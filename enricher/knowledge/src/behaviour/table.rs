//! The counts of a model: in how many captures of each kind of device each feature was seen; and what they make of a
//! device: naive Bayes over features that are there or not (Bernoulli).

/// Added to every count, so that what was never seen is unlikely and not impossible.
const SMOOTHING: f64 = 0.05;

/// A feature is steady where this share of a kind's captures shows it, in tenths.
const STEADY_TENTHS: u32 = 9;

/// How often a feature was seen, by the place of the kind.
pub(super) type Counts = Vec<(u16, u32)>;

/// The counts, and what follows from them.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// Captures, by kind.
    captures: Vec<u32>,
    /// By feature; empty where the feature is not of the model.
    counts: Vec<Counts>,
    /// What a device without any feature has of each kind: the sum of the logarithms.
    none: Vec<f64>,
    /// By kind: its steady features.
    steady: Vec<u32>,
    /// The captures of all kinds.
    total: u32,
}

impl Table {
    /// Counts must not exceed the captures of their kind.
    pub(super) fn new(captures: Vec<u32>, counts: Vec<Counts>) -> Self {
        let features = counts.iter().filter(|counts| !counts.is_empty()).count() as f64;
        let mut none: Vec<f64> = captures.iter().map(|n| features * absent(0, *n)).collect();
        let mut steady = vec![0; captures.len()];
        for (kind, count) in counts.iter().flatten() {
            let at = usize::from(*kind);
            let (Some(n), Some(none), Some(steady)) =
                (captures.get(at), none.get_mut(at), steady.get_mut(at))
            else {
                continue;
            };
            *none += absent(*count, *n) - absent(0, *n);
            *steady += u32::from(is_steady(*count, *n));
        }
        let total = captures.iter().sum();
        Self { captures, counts, none, steady, total }
    }

    /// Captures, by kind.
    pub(super) fn captures(&self) -> &[u32] {
        &self.captures
    }

    /// Of a feature.
    pub(super) fn counts(&self, feature: u32) -> &[(u16, u32)] {
        self.counts.get(feature as usize).map_or(&[], Vec::as_slice)
    }

    /// The kind that is likeliest for a device with these features; of equals the first. `None` without kinds.
    pub(super) fn likeliest(&self, features: &[u32]) -> Option<u16> {
        let mut scores = self.none.clone();
        let mut known = 0_u32;
        for counts in features.iter().map(|feature| self.counts(*feature)).filter(|counts| !counts.is_empty())
        {
            known += 1;
            for (kind, count) in counts {
                let at = usize::from(*kind);
                if let (Some(score), Some(n)) = (scores.get_mut(at), self.captures.get(at)) {
                    *score += present(*count, *n) - absent(*count, *n);
                    // The kinds that never showed it are served below, all at once.
                    *score -= present(0, *n) - absent(0, *n);
                }
            }
        }
        for (score, n) in scores.iter_mut().zip(&self.captures) {
            *score += f64::from(known) * (present(0, *n) - absent(0, *n));
        }
        let best = scores.iter().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.and_then(|(kind, _)| u16::try_from(kind).ok())
    }

    /// How well a device fits a kind, from 0 to 1: the share of its features that the kind was ever seen with, times
    /// the share of the kind's steady features that it shows. `all` counts what the model does not know, too.
    pub(super) fn fit(&self, kind: u16, features: &[u32], all: usize) -> f64 {
        let n = self.captures.get(usize::from(kind)).copied().unwrap_or_default();
        let steady = self.steady.get(usize::from(kind)).copied().unwrap_or_default();
        let (mut familiar, mut shown) = (0_u32, 0_u32);
        for feature in features {
            let count = self.count(*feature, kind);
            familiar += u32::from(count > 0);
            shown += u32::from(is_steady(count, n));
        }
        if all == 0 || steady == 0 {
            return 0.0;
        }
        f64::from(familiar) / all as f64 * f64::from(shown) / f64::from(steady)
    }

    /// How often a kind was seen with a feature.
    pub(super) fn count(&self, feature: u32, kind: u16) -> u32 {
        let counts = self.counts(feature);
        counts.iter().find(|(of, _)| *of == kind).map_or(0, |(_, count)| *count)
    }

    /// How much a feature speaks for a kind against the mean of all others (the logarithm of the ratio), how often the
    /// others were seen with it, and how many captures of others there are.
    pub(super) fn weight(&self, feature: u32, kind: u16) -> (f64, u32, u32) {
        let n = self.captures.get(usize::from(kind)).copied().unwrap_or_default();
        let here = self.count(feature, kind);
        let seen: u32 = self.counts(feature).iter().map(|(_, count)| *count).sum();
        let (elsewhere, others) = (seen.saturating_sub(here), self.total.saturating_sub(n));
        (present(here, n) - present(elsewhere, others), elsewhere, others)
    }
}

fn present(count: u32, of: u32) -> f64 {
    ((f64::from(count) + SMOOTHING) / (f64::from(of) + 2.0 * SMOOTHING)).ln()
}

fn absent(count: u32, of: u32) -> f64 {
    present(of.saturating_sub(count), of)
}

fn is_steady(count: u32, of: u32) -> bool {
    count > 0 && u64::from(count) * 10 >= u64::from(of) * u64::from(STEADY_TENTHS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two kinds with ten captures each: both always show 0, the first always 1, the second half of the time 2.
    fn table() -> Table {
        Table::new(vec![10, 10], vec![vec![(0, 10), (1, 10)], vec![(0, 10)], vec![(1, 5)]])
    }

    /// The same by the definition: every feature of the model, there or not.
    fn score(kind: u16, features: &[u32]) -> f64 {
        let term = |feature| {
            let count = table().count(feature, kind);
            if features.contains(&feature) { present(count, 10) } else { absent(count, 10) }
        };
        (0..3).map(term).sum()
    }

    #[test]
    fn the_likeliest_is_the_one_of_the_definition() {
        for features in [&[][..], &[0], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]] {
            let wanted = u16::from(score(1, features) > score(0, features));
            assert_eq!(table().likeliest(features), Some(wanted), "{features:?}");
        }
        assert_eq!(Table::default().likeliest(&[]), None);
    }

    #[test]
    fn what_is_missing_and_what_is_strange_both_lessen_the_fit() {
        let near = |value: f64, wanted: f64| assert!((value - wanted).abs() < 1e-9, "{value} {wanted}");
        near(table().fit(0, &[0, 1], 2), 1.0);
        near(table().fit(0, &[0], 1), 0.5);
        near(table().fit(0, &[0, 1], 4), 0.5);
        near(table().fit(1, &[0], 1), 1.0);
        near(table().fit(1, &[], 0), 0.0);
    }

    #[test]
    fn a_feature_speaks_for_who_shows_it_more_than_others() {
        assert!(table().weight(1, 0).0 > 3.0);
        assert!(table().weight(1, 1).0 < -3.0);
        assert!(table().weight(0, 0).0.abs() < 1e-9);
        assert_eq!((table().weight(2, 1).1, table().weight(2, 1).2), (0, 10));
    }
}
