//! A list that grows without being copied: a site's million entries would otherwise be moved again and again, and stand twice
//! in memory meanwhile.

use std::iter::Flatten;
use std::slice;

/// Entries of one board.
const BOARD: usize = 1024;

/// Entries by number, from 0 on, on boards that stay where they are.
#[derive(Clone, Debug)]
pub(crate) struct Shelf<T> {
    /// All are full but the last.
    boards: Vec<Vec<T>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { boards: Vec::new() }
    }
}

impl<T> Shelf<T> {
    pub(crate) fn len(&self) -> usize {
        self.boards.last().map_or(0, |last| (self.boards.len() - 1) * BOARD + last.len())
    }

    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.boards.get(at / BOARD)?.get(at % BOARD)
    }

    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.boards.get_mut(at / BOARD)?.get_mut(at % BOARD)
    }

    pub(crate) fn push(&mut self, entry: T) {
        match self.boards.last_mut() {
            Some(board) if board.len() < BOARD => board.push(entry),
            // The first one grows as it is filled, for the many sites with few devices.
            None => self.boards.push(vec![entry]),
            Some(_) => {
                let mut board = Vec::with_capacity(BOARD);
                board.push(entry);
                self.boards.push(board);
            }
        }
    }

    pub(crate) fn iter(&self) -> Flatten<slice::Iter<'_, Vec<T>>> {
        self.boards.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> Flatten<slice::IterMut<'_, Vec<T>>> {
        self.boards.iter_mut().flatten()
    }
}

impl<'a, T> IntoIterator for &'a Shelf<T> {
    type Item = &'a T;
    type IntoIter = Flatten<slice::Iter<'a, Vec<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_their_numbers_and_come_in_order() {
        let mut shelf = Shelf::default();
        assert_eq!((shelf.len(), shelf.get(0)), (0, None));
        for number in 0..3 * BOARD + 7 {
            shelf.push(number);
            assert_eq!((shelf.len(), shelf.get(number)), (number + 1, Some(&number)));
        }
        assert_eq!(shelf.get(3 * BOARD + 7), None);
        *shelf.get_mut(BOARD).expect("it is there") = 5;
        shelf.iter_mut().for_each(|entry| *entry += 1);
        assert_eq!(shelf.get(BOARD), Some(&6));
        assert_eq!(shelf.iter().count(), 3 * BOARD + 7);
        assert_eq!(shelf.into_iter().nth(2 * BOARD), Some(&(2 * BOARD + 1)));
    }
}
