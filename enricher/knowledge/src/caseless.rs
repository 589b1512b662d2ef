//! Texts that are the same but for the case of their ASCII letters: looked up, and found within others, without a copy.

use std::hash::{Hash, Hasher};

use hashbrown::Equivalent;

/// As many octets as are put into small letters at once.
const AT_ONCE: usize = 32;

/// A text whatever the case of its ASCII letters, as the key of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caseless<T>(pub(crate) T);

impl<T: AsRef<str>> Hash for Caseless<T> {
    fn hash<H: Hasher>(&self, to: &mut H) {
        let text = self.0.as_ref();
        for part in text.as_bytes().chunks(AT_ONCE) {
            let mut small = [0; AT_ONCE];
            for (octet, given) in small.iter_mut().zip(part) {
                *octet = given.to_ascii_lowercase();
            }
            to.write(&small);
        }
        to.write_usize(text.len());
    }
}

impl<T: AsRef<str>, U: AsRef<str>> PartialEq<Caseless<U>> for Caseless<T> {
    fn eq(&self, other: &Caseless<U>) -> bool {
        self.0.as_ref().eq_ignore_ascii_case(other.0.as_ref())
    }
}

impl<T: AsRef<str>> Eq for Caseless<T> {}

impl Equivalent<Caseless<String>> for Caseless<&str> {
    fn equivalent(&self, key: &Caseless<String>) -> bool {
        self == key
    }
}

/// Whether a text begins with another.
pub(crate) fn begins(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
}

/// Whether another text stands in a text.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    let Some((first, rest)) = part.as_bytes().split_first() else { return true };
    // Most places are ruled out by their first octet.
    let is_part = |place: &[u8]| {
        place.split_first().is_some_and(|(octet, others)| {
            octet.eq_ignore_ascii_case(first) && others.eq_ignore_ascii_case(rest)
        })
    };
    text.as_bytes().windows(part.len()).any(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hashbrown::HashSet;
    use proptest::prelude::*;

    #[test]
    fn texts_are_found_whatever_their_case() {
        let long = "A value that is much longer than what is looked at at once: ÄÖÜ";
        let known: HashSet<_> =
            ["", "CT", "infusion pump", long].map(|text| Caseless(text.to_owned())).into();
        for text in ["", "ct", "Infusion Pump", &long.to_ascii_uppercase()] {
            assert!(known.contains(&Caseless(text)), "{text}");
        }
        for text in ["C", "ct ", "ct\0", &long.to_lowercase()] {
            assert!(!known.contains(&Caseless(text)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_stands_in_a_text_is_what_stands_in_its_small_letters(
            text in "[abABäÄ]{0,8}", part in "[abABäÄ]{0,3}",
        ) {
            let (small, small_part) = (text.to_ascii_lowercase(), part.to_ascii_lowercase());
            prop_assert_eq!(contains(&text, &part), small.contains(&small_part));
            prop_assert_eq!(begins(&text, &part), small.starts_with(&small_part));
        }
    }
}
