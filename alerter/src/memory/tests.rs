//! Repeats, restarts and bounds.

use super::*;
use wardwatch_proto::v1::{DeviceAppeared, DeviceSummary, event};

fn appeared(site: &str, device: &str) -> Event {
    let device = DeviceSummary { id: device.into(), ..DeviceSummary::default() };
    Event {
        site: site.into(),
        event_time: 10,
        event: Some(event::Event::DeviceAppeared(DeviceAppeared { device: Some(device) })),
        ..Event::default()
    }
}

fn position(offset: u64, index: u32) -> Position {
    Position { incarnation: 1, partition: 0, offset, index }
}

fn raised(memory: &mut Memory, event: &Event, source: Position) -> usize {
    memory.apply(event, source, position(99, 0), &mut Tally::default()).expect("room").len()
}

#[test]
fn an_event_that_was_judged_is_a_repeat_even_after_a_restart() {
    let mut before = Memory::new(MemoryConfig::default());
    assert_eq!(raised(&mut before, &appeared("a/b%", "d1"), position(5, 0)), 1);
    assert_eq!(raised(&mut before, &appeared("a/b%", "d2"), position(5, 1)), 1);
    // Another device, so that only its place can tell that it is a repeat.
    assert_eq!(raised(&mut before, &appeared("a/b%", "d3"), position(5, 0)), 0);

    let entries = before.take_changed();
    assert_eq!(entries.len(), 3, "two alerts and the position");
    assert!(before.take_changed().is_empty(), "nothing changed since");
    let mut after = Memory::new(MemoryConfig::default());
    for entry in entries.iter().rev() {
        after.restore(entry).expect("an entry of ours");
    }
    assert_eq!(raised(&mut after, &appeared("a/b%", "d3"), position(5, 1)), 0);
    assert_eq!(
        raised(&mut after, &appeared("a/b%", "d1"), position(5, 2)),
        0,
        "known, though new in the log"
    );
    assert_eq!(raised(&mut after, &appeared("a/b%", "d3"), position(6, 0)), 1);
    let anew = Position { incarnation: 2, ..position(0, 0) };
    assert_eq!(raised(&mut after, &appeared("a/b%", "d4"), anew), 1, "a topic made anew begins at 0");
}

#[test]
fn what_grows_is_bounded() {
    let mut memory = Memory::new(MemoryConfig { sites: 1, alerts: 2 });
    for (offset, device) in (0..).zip(["d1", "d2", "d3"]) {
        assert_eq!(raised(&mut memory, &appeared("a", device), position(offset, 0)), 1);
    }
    let (removed, kept): (Vec<Entry>, Vec<Entry>) =
        memory.take_changed().into_iter().partition(|entry| entry.value.is_empty());
    assert_eq!((removed.len(), kept.len()), (1, 3), "two alerts and the position are kept");
    assert!(removed[0].key.starts_with("alert/a/"));

    let one_more = memory.apply(&appeared("b", "d1"), position(9, 0), position(9, 0), &mut Tally::default());
    assert_eq!(one_more.expect_err("one site too many"), Unreadable::TooManySites);
    assert!(memory.take_changed().is_empty(), "as if it had not come");
}

#[test]
fn an_entry_of_an_unknown_kind_stops_the_partition() {
    for key in ["weather", "", "heard/a", "alert/a", "alert/a/b/c"] {
        let entry = Entry { key: key.into(), value: vec![] };
        let error = Memory::new(MemoryConfig::default()).restore(&entry).expect_err("unknown");
        assert!(matches!(error, Error::UnknownEntry { .. }), "{key}: {error}");
    }
    let entry = Entry { key: "alert/a/b".into(), value: vec![0xff] };
    let error = Memory::new(MemoryConfig::default()).restore(&entry).expect_err("no alert");
    assert!(matches!(error, Error::Restore { .. }), "{error}");
}
