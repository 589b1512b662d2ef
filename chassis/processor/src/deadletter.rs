//! Messages that cannot be read are put aside into `wardwatch.deadletter`, with the reason, and the partition goes on.

use bytes::Bytes;
use wardwatch_bus::{Message, Publication, TopicPartition};

use crate::processor::Reason;

/// Room for the headers that are added here.
const HEADROOM: usize = 512;

/// The message as it is put aside: its bytes, its headers, and these:
///
/// | header | what it says |
/// |---|---|
/// | `wardwatch-reason` | why, in a word |
/// | `wardwatch-source` | `topic/partition` |
/// | `wardwatch-incarnation`, `wardwatch-offset` | the place there |
/// | `wardwatch-cut-from` | how long it was, in octets, where it had to be cut to fit |
pub(crate) fn letter(
    message: &Message,
    reason: Reason,
    incarnation: u32,
    to: TopicPartition,
    largest: usize,
) -> Publication {
    let room = largest.saturating_sub(HEADROOM + message.key.len() + message.headers.bytes());
    let kept = message.payload.slice(..message.payload.len().min(room));
    let cut = kept.len() < message.payload.len();
    let mut letter = Publication::new(to, kept).key(message.key.clone());
    for (name, value) in message.headers.iter() {
        letter.headers.push(name, Bytes::copy_from_slice(value));
    }
    letter.headers.push("wardwatch-reason", reason.0);
    letter.headers.push("wardwatch-source", message.from.to_string());
    letter.headers.push("wardwatch-incarnation", incarnation.to_string());
    letter.headers.push("wardwatch-offset", message.offset.to_string());
    if cut {
        letter.headers.push("wardwatch-cut-from", message.payload.len().to_string());
    }
    letter
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_bus::Headers;

    const NOT_A_RECORD: Reason = Reason("not-a-record");

    fn message(payload: Bytes) -> Message {
        Message {
            from: TopicPartition::new("wardwatch.facts", 3),
            offset: 17,
            timestamp: 0,
            key: Bytes::from_static(b"north"),
            payload,
            headers: Headers::new().with("traceparent", "00-1"),
        }
    }

    fn header<'a>(letter: &'a Publication, name: &str) -> &'a str {
        letter.headers.get(name).and_then(|value| std::str::from_utf8(value).ok()).unwrap_or("(none)")
    }

    #[test]
    fn it_says_what_and_why_and_from_where() {
        let to = TopicPartition::new("wardwatch.deadletter", 0);
        let letter = letter(&message(Bytes::from_static(b"??")), NOT_A_RECORD, 2, to.clone(), 1 << 20);
        assert_eq!((&letter.to, letter.payload.as_ref()), (&to, b"??".as_slice()));
        assert_eq!(header(&letter, "wardwatch-reason"), "not-a-record");
        assert_eq!(header(&letter, "wardwatch-source"), "wardwatch.facts/3");
        assert_eq!(header(&letter, "wardwatch-incarnation"), "2");
        assert_eq!(header(&letter, "wardwatch-offset"), "17");
        assert_eq!(header(&letter, "traceparent"), "00-1");
        assert_eq!(header(&letter, "wardwatch-cut-from"), "(none)");
    }

    #[test]
    fn one_that_is_as_large_as_the_log_takes_still_fits() {
        let to = TopicPartition::new("wardwatch.deadletter", 0);
        let largest = 4096;
        let letter = letter(&message(Bytes::from(vec![0xff; 4080])), NOT_A_RECORD, 1, to, largest);
        assert!(letter.bytes() <= largest, "{}", letter.bytes());
        assert_eq!(header(&letter, "wardwatch-cut-from"), "4080");
    }
}
