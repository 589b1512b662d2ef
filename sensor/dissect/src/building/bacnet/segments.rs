//! Answers that come in segments (ASHRAE 135, clause 5.2), put together again.

/// Answers that are put together at a time, octets of each, and segments of each.
const MOST_ANSWERS: usize = 8;
const MOST_OCTETS: usize = 64 * 1024;

/// Which answer: the device that sends it, and the invoke id.
type Name = (String, u8);

/// The answers of one flow of which segments are missing.
#[derive(Debug, Default)]
pub(super) struct Segments {
    answers: Vec<Answer>,
}

#[derive(Debug)]
struct Answer {
    name: Name,
    /// The sequence number of the segment that comes next.
    next: u8,
    octets: Vec<u8>,
}

impl Segments {
    /// Takes a segment; gives the whole answer with its last one. Repeated segments are passed over; one that is missing
    /// costs the answer.
    pub(super) fn take(
        &mut self,
        name: Name,
        sequence: u8,
        has_more: bool,
        octets: &[u8],
    ) -> Option<Vec<u8>> {
        let index = self.answers.iter().position(|answer| answer.name == name);
        // 0 again repeats the first segment, or comes after 255 others.
        let goes_on = |index| self.answers.get(index).is_some_and(|answer: &Answer| answer.next <= 1);
        if sequence == 0 && !index.is_some_and(goes_on) {
            self.begin(index, Answer { name, next: 1, octets: octets.to_vec() });
            return None;
        }
        let index = index?;
        let answer = self.answers.get_mut(index)?;
        if sequence != answer.next {
            // The last one again is a repetition; anything else is a hole.
            if sequence != answer.next.wrapping_sub(1) {
                self.answers.remove(index);
            }
            return None;
        }
        answer.next = answer.next.wrapping_add(1);
        answer.octets.extend_from_slice(octets);
        if answer.octets.len() > MOST_OCTETS {
            self.answers.remove(index);
            return None;
        }
        (!has_more).then(|| self.answers.remove(index).octets)
    }

    /// The oldest makes room.
    fn begin(&mut self, replaced: Option<usize>, answer: Answer) {
        if let Some(index) = replaced {
            self.answers.remove(index);
        } else if self.answers.len() >= MOST_ANSWERS {
            self.answers.remove(0);
        }
        self.answers.push(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(invoke: u8) -> Name {
        (String::new(), invoke)
    }

    #[test]
    fn segments_are_joined_and_repetitions_passed_over() {
        let mut segments = Segments::default();
        assert_eq!(segments.take(name(1), 0, true, b"a"), None);
        assert_eq!(segments.take(name(1), 0, true, b"a"), None);
        assert_eq!(segments.take(name(2), 0, true, b"x"), None);
        assert_eq!(segments.take(name(1), 1, true, b"b"), None);
        assert_eq!(segments.take(name(1), 1, true, b"b"), None);
        assert_eq!(segments.take(name(1), 2, false, b"c").as_deref(), Some(&b"abc"[..]));
        assert_eq!(segments.take(name(2), 1, false, b"y").as_deref(), Some(&b"xy"[..]));
    }

    #[test]
    fn a_missing_segment_costs_the_answer() {
        let mut segments = Segments::default();
        segments.take(name(1), 0, true, b"a");
        assert_eq!(segments.take(name(1), 2, true, b"c"), None);
        assert_eq!(segments.take(name(1), 3, false, b"d"), None);
        assert!(segments.answers.is_empty());
    }

    #[test]
    fn neither_the_number_nor_the_length_of_answers_grows_without_bound() {
        let mut segments = Segments::default();
        for invoke in 0..=255 {
            segments.take(name(invoke), 0, true, &[0; 1400]);
        }
        assert_eq!(segments.answers.len(), MOST_ANSWERS);
        for sequence in 1..=255 {
            segments.take(name(255), sequence, true, &[0; 1400]);
        }
        assert!(segments.answers.iter().all(|answer| answer.octets.len() <= MOST_OCTETS));
    }
}
