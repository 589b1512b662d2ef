//! Which of many conditions a value is worth being held against: those of whose texts one stands in it, all found at once.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// The places of conditions by the texts that they need.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByText {
    /// Finds all texts at once; `None` where there are none, or more than it has numbers for.
    texts: Option<AhoCorasick>,
    /// The place of the condition that needs the text.
    of_text: Vec<usize>,
}

impl ByText {
    /// Of each place the texts of which it needs one, in any case of ASCII letters.
    pub(crate) fn of(needed: impl IntoIterator<Item = (usize, Vec<String>)>) -> Self {
        let (mut texts, mut of_text) = (Vec::new(), Vec::new());
        for (place, of_place) in needed {
            of_text.extend(of_place.iter().map(|_| place));
            texts.extend(of_place);
        }
        if texts.is_empty() {
            return Self::default();
        }
        // Of what can be built of any number of texts it takes the least memory.
        let built = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&texts);
        Self { texts: built.ok(), of_text }
    }

    /// Adds the places of the conditions that the value may match; some more than once.
    pub(crate) fn find(&self, value: &str, places: &mut Vec<usize>) {
        match &self.texts {
            Some(texts) if value.is_ascii() => {
                let found = texts.find_overlapping_iter(value);
                places.extend(found.filter_map(|found| self.of_text.get(found.pattern().as_usize())));
            }
            // The texts are of ASCII letters, of which other letters may be another case.
            _ => places.extend(&self.of_text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_finds_the_places_of_the_texts_in_it() {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let by_text =
            ByText::of([(1, texts(&["infusion", "pump"])), (2, texts(&["ump"])), (7, texts(&["kelvin"]))]);
        for (value, places) in [
            ("PUMP 3", &[1, 2][..]),
            ("an Infusion Pump", &[1, 2]),
            ("UmP", &[2]),
            ("scale", &[]),
            ("\u{212a}elvin", &[1, 2, 7]),
        ] {
            let mut found = Vec::new();
            by_text.find(value, &mut found);
            found.sort_unstable();
            found.dedup();
            assert_eq!(found, places, "{value}");
        }
        let mut found = Vec::new();
        ByText::of([]).find("pump", &mut found);
        assert!(found.is_empty());
    }
}
