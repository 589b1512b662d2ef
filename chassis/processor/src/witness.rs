//! Whether a log is still the one that was worked on.
//!
//! A topic that is deleted and made anew begins at offset 0 again, and Kafka's client cannot be asked for a topic's identity.
//! So the memory keeps what the last message of each range looked like, and whoever takes the partition up looks at that
//! message again before the next one: another message at its place means another log, even one that has grown past it.

use prost::Message as _;
use wardwatch_bus::Message;

use crate::entry::Entry;

/// The key that it is stored under; services' own keys have another form.
const KEY: &str = "witness";

/// What the last message that was worked on looked like.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Witness {
    /// Its place.
    #[prost(uint64, tag = "1")]
    pub(crate) offset: u64,
    /// The log's time of it, in nanoseconds.
    #[prost(sfixed64, tag = "2")]
    timestamp: i64,
    /// Octets of its payload.
    #[prost(uint64, tag = "3")]
    octets: u64,
}

impl Witness {
    pub(crate) fn of(message: &Message) -> Self {
        Self { offset: message.offset, timestamp: message.timestamp, octets: message.payload.len() as u64 }
    }

    /// As it is stored beside the memory.
    pub(crate) fn entry(&self) -> Entry {
        Entry { key: KEY.to_owned(), value: self.encode_to_vec() }
    }

    /// Takes it out of the stored entries. One that cannot be read is none: it is a precaution, and no reason to stand still.
    pub(crate) fn take_from(entries: &mut Vec<Entry>) -> Option<Self> {
        let place = entries.iter().position(|entry| entry.key == KEY)?;
        Self::decode(entries.swap_remove(place).value.as_slice()).ok()
    }
}

#[cfg(test)]
mod tests {
    use wardwatch_bus::{Headers, TopicPartition};

    use super::*;

    fn message(timestamp: i64) -> Message {
        Message {
            from: TopicPartition::new("wardwatch.facts", 0),
            offset: 7,
            timestamp,
            key: "north".into(),
            payload: "batch".into(),
            headers: Headers::new(),
        }
    }

    #[test]
    fn it_comes_back_from_among_the_entries() {
        let witness = Witness::of(&message(1));
        let other = Entry { key: "received/north/s1/7".into(), value: vec![1] };
        let mut entries = vec![other.clone(), witness.entry()];
        assert_eq!(Witness::take_from(&mut entries), Some(witness));
        assert_eq!(entries, [other]);
        assert_eq!(Witness::take_from(&mut entries), None);
    }

    #[test]
    fn another_message_at_its_place_is_told_apart() {
        assert_ne!(Witness::of(&message(1)), Witness::of(&message(2)));
    }
}
