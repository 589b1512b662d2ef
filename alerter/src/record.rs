//! A message of `wardwatch.events`, read and checked.

use prost::Message as _;
use wardwatch_processor::{Reason, is_name};
use wardwatch_proto::v1::{Event, Position};

/// Why a message is put aside. The words stand in the dead letter's header and in the counter's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is not an `Event`.
    NotAnEvent,
    /// It is one of a kind that this program does not know, or of none.
    UnknownKind,
    /// It does not say which site it is of, or says it with more than 128 octets or control characters.
    BadName,
    /// It does not say where in `wardwatch.facts` it came from.
    NoSource,
    /// It came from another partition of `wardwatch.facts`, so that it is in no order with its neighbours.
    Misplaced,
    /// The partition has as many sites with alerts as the configuration allows.
    TooManySites,
}

impl Unreadable {
    /// The reason in a word.
    pub(crate) fn reason(self) -> Reason {
        Reason(match self {
            Self::NotAnEvent => "not-an-event",
            Self::UnknownKind => "unknown-kind",
            Self::BadName => "bad-name",
            Self::NoSource => "no-source",
            Self::Misplaced => "misplaced",
            Self::TooManySites => "too-many-sites",
        })
    }
}

/// Reads a message that lies in this partition; gives the event and what gave rise to it.
pub(crate) fn read(payload: &[u8], partition: u32) -> Result<(Event, Position), Unreadable> {
    let event = Event::decode(payload).map_err(|_| Unreadable::NotAnEvent)?;
    if event.event.is_none() {
        return Err(Unreadable::UnknownKind);
    }
    if !is_name(&event.site) {
        return Err(Unreadable::BadName);
    }
    // Topics are counted from 1.
    let source = event.source.filter(|source| source.incarnation > 0).ok_or(Unreadable::NoSource)?;
    if source.partition != partition {
        return Err(Unreadable::Misplaced);
    }
    Ok((event, source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_proto::v1::{DeviceAppeared, event};

    fn event() -> Event {
        Event {
            source: Some(Position { incarnation: 1, partition: 3, offset: 7, index: 0 }),
            site: "north".into(),
            event: Some(event::Event::DeviceAppeared(DeviceAppeared::default())),
            ..Event::default()
        }
    }

    #[test]
    fn what_cannot_be_read_has_a_reason() {
        let reason = |event: &Event| read(&event.encode_to_vec(), 3).expect_err("unreadable");
        assert!(read(&event().encode_to_vec(), 3).is_ok());
        assert_eq!(read(b"\xff\xff garbage", 3).expect_err("garbage"), Unreadable::NotAnEvent);
        assert_eq!(reason(&Event { event: None, ..event() }), Unreadable::UnknownKind);
        assert_eq!(reason(&Event { site: "a\nb".into(), ..event() }), Unreadable::BadName);
        assert_eq!(reason(&Event { source: None, ..event() }), Unreadable::NoSource);
        let elsewhere = Position { incarnation: 1, partition: 4, offset: 7, index: 0 };
        assert_eq!(reason(&Event { source: Some(elsewhere), ..event() }), Unreadable::Misplaced);
    }
}
