//! What was stated of a flow already. Controllers are polled every few milliseconds for years: what each message shows
//! anew, such as a role, is stated once.

/// Different things that are remembered of one flow; beyond them nothing more counts as new.
const MOST: usize = 512;

/// The things that were stated, by numbers that the protocol gives them.
#[derive(Debug, Default)]
pub(super) struct Once(Vec<u32>);

impl Once {
    /// Whether this is seen for the first time.
    pub(super) fn first(&mut self, thing: u32) -> bool {
        let Err(place) = self.0.binary_search(&thing) else { return false };
        if self.0.len() >= MOST {
            return false;
        }
        self.0.insert(place, thing);
        true
    }

    /// How many things have been seen.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_new_once_and_memory_is_bounded() {
        let mut once = Once::default();
        assert!(once.first(7) && once.first(3) && !once.first(7));
        assert!((0..100_000).filter(|thing| once.first(*thing)).count() < MOST);
        assert_eq!(once.len(), MOST);
    }
}
