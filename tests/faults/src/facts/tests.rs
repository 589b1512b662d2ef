use std::collections::BTreeMap;
use std::sync::Arc;

use wardwatch_inventory::{Conclusions, Inventory, LogMoment, NotImported, Settings, Undecided};
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::v1::command::Action;

use super::*;

fn commands(log: &FactsLog) -> impl Iterator<Item = Command> {
    let records = log.messages.iter().filter_map(|laid| LogRecord::decode(laid.payload.clone()).ok());
    records.filter_map(|record| match record.record {
        Some(log_record::Record::Command(command)) => Some(command),
        _ => None,
    })
}

#[test]
fn the_log_is_the_same_every_time() {
    let (first, second) = (FactsLog::ward().unwrap(), FactsLog::ward().unwrap());
    assert_eq!(first.messages, second.messages);
    assert_eq!(first.digest(), second.digest());
}

#[test]
fn it_holds_what_replays_are_tried_on() {
    let log = FactsLog::ward().unwrap();
    assert!(log.ends().iter().all(|end| *end > 30), "{:?}", log.ends());
    assert!(log.flows.len() > 8_000 && log.unreadable > 5);
    let payloads: BTreeSet<_> = log.messages.iter().map(|laid| &laid.payload).collect();
    assert!(payloads.len() + 20 < log.messages.len(), "some are sent again");
    let midnight = 1_795_392_000_000;
    for partition in 0..PARTITIONS {
        let times: Vec<_> =
            log.messages.iter().filter(|laid| laid.partition == partition).map(|laid| laid.at).collect();
        assert!(times.is_sorted() && times[0] < midnight);
    }
    assert!(log.messages.iter().filter(|laid| laid.partition == 2).any(|laid| laid.at > midnight));
}

#[test]
fn people_do_everything_that_they_can_do() {
    let log = FactsLog::ward().unwrap();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for command in commands(&log) {
        *times.entry(command::action(&command)).or_default() += 1;
    }
    let all = [
        "acknowledge_alert",
        "add_note",
        "attach_document",
        "import_table",
        "load_knowledge_pack",
        "override_attribute",
        "reopen_alert",
        "rule_sameness",
        "withdraw_document",
        "withdraw_import",
    ];
    assert!(times.keys().eq(&all) && times.values().all(|times| *times > 2), "{times:?}");
    // The messages are otherwise as they are meant to be.
    let broken: BTreeSet<String> = commands(&log)
        .filter_map(|command| command::check(&command).err().map(|why| format!("{}: {why:?}", command.id)))
        .collect();
    assert!(
        broken.len() == 2 && broken.iter().all(|why| why.contains("BadRow") != why.contains("Kind")),
        "{broken:?}"
    );
}

/// What comes of the messages of one partition, without any engine.
#[derive(Default)]
struct Come {
    /// States of rows, and why commands were refused.
    words: BTreeSet<String>,
    /// Devices that became part of another, and that did no longer.
    joined: BTreeSet<String>,
    parted: BTreeSet<String>,
}

impl Come {
    fn note(&mut self, conclusions: Conclusions) {
        self.words.extend(conclusions.rows.into_iter().map(|row| row.state));
        for change in conclusions.changes.into_iter().filter(|change| change.field == "superseded_by") {
            let of = if change.after.is_empty() { &mut self.parted } else { &mut self.joined };
            of.insert(change.device);
        }
    }
}

#[test]
fn what_people_do_has_consequences() {
    let knowledge = Arc::new(Knowledge::builtin().unwrap());
    let mut inventory = Inventory::new(&site_in(2, 0), knowledge, Settings::default());
    let mut come = Come::default();
    let log = FactsLog::ward().unwrap();
    let records = log.messages.iter().filter(|laid| laid.partition == 2);
    for (offset, laid) in (0..).zip(records) {
        let at = LogMoment { incarnation: 1, partition: 2, offset, log_time: 0 };
        let Ok(LogRecord { record: Some(record) }) = LogRecord::decode(laid.payload.clone()) else {
            continue;
        };
        let done = match record {
            log_record::Record::Batch(batch) => Ok(inventory.apply(&batch.sensor, batch.facts, at)),
            log_record::Record::Command(command) => match &command.action {
                Some(Action::RuleSameness(rule)) => {
                    inventory.rule(rule, &command.author, command.at, at).map_err(Undecided::word)
                }
                Some(Action::ImportTable(table)) if command::check(&command).is_ok() => {
                    inventory.import(table, &command.author, command.at, at).map_err(NotImported::word)
                }
                Some(Action::WithdrawImport(wanted)) => {
                    inventory.withdraw_import(&wanted.import, command.at, at).map_err(NotImported::word)
                }
                _ => continue,
            },
        };
        match done {
            Ok(conclusions) => come.note(conclusions),
            Err(word) => _ = come.words.insert(word.to_owned()),
        }
    }
    let expected = [
        "already-imported",
        "ambiguous",
        "guessed",
        "matched",
        "not-ruled",
        "not-seen",
        "other-table",
        "same-device",
        "unknown-device",
        "unknown-table",
        "withdrawn",
    ];
    assert!(come.words.iter().eq(&expected), "{:?}", come.words);
    assert!(come.joined.len() > 4, "{:?}", come.joined);
    assert!(come.parted.len() > 3, "{:?}", come.parted);
}
