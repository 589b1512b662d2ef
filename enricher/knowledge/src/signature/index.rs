//! The signatures that look at one attribute, and which of them a value is worth being held against.

use std::sync::Arc;

use super::Signature;
use crate::by_text::ByText;

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
    by_text: ByText,
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
            Some(index) => index.find(value),
            None => (0..self.list.len()).collect(),
        };
        places.into_iter().filter_map(|place| self.list.get(place).map(Arc::as_ref))
    }
}

impl Index {
    fn of(list: &[Arc<Signature>]) -> Self {
        let needed = list.iter().map(|signature| signature.when.literals()).enumerate();
        let (always, needed): (Vec<_>, Vec<_>) = needed.partition(|(_, texts)| texts.is_empty());
        Self { by_text: ByText::of(needed), always: always.into_iter().map(|(place, _)| place).collect() }
    }

    fn find(&self, value: &str) -> Vec<usize> {
        let mut places = self.always.clone();
        self.by_text.find(value, &mut places);
        places.sort_unstable();
        places.dedup();
        places
    }
}
