//! The signatures that look at one attribute, and which of them a value is worth being held against.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::Signature;

/// The signatures of one attribute, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    list: Vec<Arc<Signature>>,
    /// `None` when something was changed since it was made.
    index: Option<Arc<Index>>,
}

/// Finds the signatures by the texts that they need.
#[derive(Debug, Default)]
struct Index {
    /// Finds all texts at once; `None` where there are none.
    texts: Option<AhoCorasick>,
    /// The place in the list of the signature that needs the text.
    of_text: Vec<usize>,
    /// Signatures that need no text.
    always: Vec<usize>,
}

impl Group {
    /// In place of the one of the same id, or behind all others.
    pub(super) fn put(&mut self, signature: Arc<Signature>) {
        self.index = None;
        match self.list.iter_mut().find(|known| known.id == signature.id) {
            Some(known) => *known = signature,
            None => self.list.push(signature),
        }
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.index = None;
        self.list.retain(|known| known.id != id);
    }

    pub(super) fn index(&mut self) {
        if self.index.is_none() {
            self.index = Some(Arc::new(Index::of(&self.list)));
        }
    }

    /// Those that may match, in their order.
    pub(super) fn candidates(&self, value: &str) -> impl Iterator<Item = &Signature> {
        let places = match &self.index {
            Some(index) if value.is_ascii() => index.find(value),
            // The texts are of ASCII letters, of which other letters may be another case.
            _ => (0..self.list.len()).collect(),
        };
        places.into_iter().filter_map(|place| self.list.get(place).map(Arc::as_ref))
    }
}

impl Index {
    fn of(list: &[Arc<Signature>]) -> Self {
        let (mut texts, mut of_text, mut always) = (Vec::new(), Vec::new(), Vec::new());
        for (place, signature) in list.iter().enumerate() {
            let needed = signature.when.literals();
            if needed.is_empty() || needed.iter().any(String::is_empty) {
                always.push(place);
                continue;
            }
            of_text.extend(needed.iter().map(|_| place));
            texts.extend(needed);
        }
        if texts.is_empty() {
            return Self { texts: None, of_text, always };
        }
        // Of what can be built of any number of texts it takes the least memory.
        let built = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&texts);
        match built {
            Ok(texts) => Self { texts: Some(texts), of_text, always },
            // Too many texts for its numbers: then each signature is tried.
            Err(_) => Self { texts: None, of_text: Vec::new(), always: (0..list.len()).collect() },
        }
    }

    fn find(&self, value: &str) -> Vec<usize> {
        let mut places = self.always.clone();
        if let Some(texts) = &self.texts {
            let found = texts.find_overlapping_iter(value);
            places.extend(found.filter_map(|found| self.of_text.get(found.pattern().as_usize())));
        }
        places.sort_unstable();
        places.dedup();
        places
    }
}
