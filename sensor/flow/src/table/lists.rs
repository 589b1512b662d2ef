//! Doubly linked lists through the flows themselves: constant time, no allocation.

use super::flow::Flow;

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// Which of a flow's two pairs of links a list runs through.
pub(super) const BY_IDLENESS: usize = 0;
pub(super) const BY_INTERVAL: usize = 1;

/// The neighbours of a flow in one list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Links {
    previous: u32,
    next: u32,
}

impl Links {
    pub(super) const LOOSE: Self = Self { previous: NONE, next: NONE };
}

/// A list of slots, oldest first.
#[derive(Debug, Clone, Copy)]
pub(super) struct List<const WHICH: usize> {
    head: u32,
    tail: u32,
    length: u32,
}

impl<const WHICH: usize> Default for List<WHICH> {
    fn default() -> Self {
        Self { head: NONE, tail: NONE, length: 0 }
    }
}

impl<const WHICH: usize> List<WHICH> {
    /// The oldest member.
    pub(super) fn first(self) -> Option<u32> {
        (self.head != NONE).then_some(self.head)
    }

    pub(super) fn len(self) -> usize {
        self.length as usize
    }

    /// Appends a slot that is in no list of this kind.
    pub(super) fn push<S>(&mut self, flows: &mut [Flow<S>], slot: u32) {
        self.length += 1;
        let previous = self.tail;
        *links::<S, WHICH>(flows, slot) = Links { previous, next: NONE };
        if previous == NONE {
            self.head = slot;
        } else {
            links::<S, WHICH>(flows, previous).next = slot;
        }
        self.tail = slot;
    }

    /// Takes out a slot that is in this list.
    pub(super) fn remove<S>(&mut self, flows: &mut [Flow<S>], slot: u32) {
        self.length -= 1;
        let Links { previous, next } = std::mem::replace(links::<S, WHICH>(flows, slot), Links::LOOSE);
        if previous == NONE {
            self.head = next;
        } else {
            links::<S, WHICH>(flows, previous).next = next;
        }
        if next == NONE {
            self.tail = previous;
        } else {
            links::<S, WHICH>(flows, next).previous = previous;
        }
    }
}

/// Slots come from the table itself and are always within it.
fn links<S, const WHICH: usize>(flows: &mut [Flow<S>], slot: u32) -> &mut Links {
    &mut flows[slot as usize].links[WHICH]
}
