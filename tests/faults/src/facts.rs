//! The facts that the suite works on: a log of `wardwatch.facts` that is the same in every run, message by message.
//!
//! Four partitions, each with work of its own kind:
//!
//! | partition | what lies in it |
//! |---|---|
//! | 0 | the project's captures, decoded by the sensor, in small batches |
//! | 1 | many flows in large batches: ranges of more than 256 KiB |
//! | 2 | many small batches: devices that change, log-ins in clear text, and people who do everything that people can do |
//! | 3 | the captures at another site, and a second site beside it, which is known by a table before any sensor tells of it |
//!
//! Everywhere some batches are sent again, some come out of order, some messages cannot be read, and a knowledge pack and
//! documents for all sites come and go.

mod commands;
mod generated;
pub mod recorded;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use anyhow::Result;
use prost::Message as _;
use prost::bytes::Bytes;
use sha2::{Digest as _, Sha256};
use wardwatch_proto::command;
use wardwatch_proto::log::partition_of;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{Batch, Command, Fact, LogRecord, log_record};
use wardwatch_tests::oracle::dice::Dice;

/// Partitions of every topic here.
pub const PARTITIONS: u32 = 4;

/// 2026-11-22 23:59:50 UTC, in milliseconds: soon after the captures were recorded, and shortly before a midnight.
const BEGIN: i64 = 1_795_391_990_000;
/// Between two messages of a partition, in milliseconds: midnight falls into each.
const STEP: i64 = 150;
/// When every batch was cut, by the sensor's clock.
const CUT_AT: u64 = 1_795_391_000_000_000_000;

/// A message of `wardwatch.facts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laid {
    /// Which partition it lies in.
    pub partition: u32,
    /// The broker's time, in milliseconds since the Unix epoch.
    pub at: i64,
    /// The site, as the collector writes it.
    pub key: String,
    /// A `LogRecord`, or what cannot be read as one.
    pub payload: Bytes,
}

/// Whose flow it is, and which one: site, sensor, epoch, sequence, flow, segment.
pub type FlowIdentity = (String, String, u64, u64, u64, u32);

/// A whole log, and what must come of it whatever happens.
#[derive(Clone, Debug, Default)]
pub struct FactsLog {
    /// In the order in which they are published.
    pub messages: Vec<Laid>,
    /// The flows in it, each once.
    pub flows: BTreeSet<FlowIdentity>,
    /// How many messages cannot be read.
    pub unreadable: usize,
}

/// The batches of one boot of one sensor.
struct Stream {
    site: String,
    sensor: &'static str,
    epoch: u64,
    batches: Vec<Vec<Fact>>,
    /// What people decide about the site, laid in after the given number of batches.
    commands: Vec<(usize, Command)>,
}

impl FactsLog {
    /// The log of every seed.
    pub fn ward() -> Result<Self> {
        let recorded = recorded::facts()?;
        let small = generated::changing(40, 5);
        let decided = commands::about(&site_in(2, 0), &generated::told(&site_in(2, 0), &small)?)?;
        let smaller = commands::about_the_small_one(&site_in(3, 1));
        let for_all_sites = commands::for_all_sites()?;
        Ok(Self::of(
            vec![
                stream(0, 0, "mirror-1", cut(&recorded, 12)),
                stream(1, 0, "core-1", generated::heavy(40, 200)),
                Stream { commands: decided, ..stream(2, 0, "ward-1", small) },
                stream(3, 0, "mirror-2", cut(&recorded, 20)),
                Stream { commands: smaller, ..stream(3, 1, "ward-2", generated::changing(10, 3)) },
            ],
            &for_all_sites,
        ))
    }

    /// The log of the guards: one partition of large batches, so that an insert can be cut in its middle.
    pub fn heavy() -> Self {
        Self::of(vec![stream(0, 0, "core-1", generated::heavy(30, 200))], &[])
    }

    /// What is `for_all_sites` comes after so many thirds of the batches of the first site of each partition.
    fn of(streams: Vec<Stream>, for_all_sites: &[(usize, Command)]) -> Self {
        let mut log = Self::default();
        let mut at = [BEGIN; PARTITIONS as usize];
        let mut lanes: Vec<_> =
            (0_u64..).zip(streams).map(|(seed, stream)| log.lane(seed, stream, for_all_sites)).collect();
        // Round by round, so that partitions fill evenly.
        while lanes.iter().any(|lane| !lane.is_empty()) {
            for lane in &mut lanes {
                let Some((partition, key, payload)) = lane.pop() else { continue };
                let Some(at) = at.get_mut(partition as usize) else { continue };
                log.messages.push(Laid { partition, at: *at, key, payload });
                *at += STEP;
            }
        }
        log
    }

    /// A stream as messages, the last one first.
    fn lane(
        &mut self,
        seed: u64,
        stream: Stream,
        for_all_sites: &[(usize, Command)],
    ) -> Vec<(u32, String, Bytes)> {
        let Stream { site, sensor, epoch, batches, mut commands } = stream;
        let partition = partition_of(&site, PARTITIONS);
        if site == site_in(partition, 0) {
            let third = batches.len() / 3;
            commands.extend(for_all_sites.iter().map(|(thirds, command)| (thirds * third, command.clone())));
        }
        self.unreadable += commands.iter().filter(|(_, command)| command::check(command).is_err()).count();
        let mut dice = Dice::new(seed);
        let mut batches: Vec<Batch> = (1_u64..)
            .zip(batches)
            .map(|(sequence, facts)| Batch {
                site: site.clone(),
                sensor: sensor.to_owned(),
                epoch,
                sequence,
                cut_at: CUT_AT,
                facts,
                ..Batch::default()
            })
            .collect();
        self.flows.extend(batches.iter().flat_map(identities));
        for at in 1..batches.len() {
            if dice.once_in(9) {
                batches.swap(at - 1, at);
            }
        }
        let mut lane = Vec::new();
        for (number, batch) in batches.iter().enumerate() {
            let of = |command: &(usize, Command)| (command.0 == number).then(|| command.1.clone());
            for command in commands.iter().filter_map(of) {
                lane.push(record(log_record::Record::Command(command)));
            }
            if dice.once_in(30) {
                lane.push(unreadable(&mut dice));
                self.unreadable += 1;
            }
            lane.push(record(log_record::Record::Batch(batch.clone())));
            if dice.once_in(8) {
                let again = number.saturating_sub(dice.below(6));
                lane.extend(batches.get(again).map(|batch| record(log_record::Record::Batch(batch.clone()))));
            }
        }
        lane.into_iter().rev().map(|payload| (partition, site.clone(), payload)).collect()
    }

    /// Where each partition ends.
    pub fn ends(&self) -> Vec<u64> {
        let of = |partition| self.messages.iter().filter(|laid| laid.partition == partition).count() as u64;
        (0..PARTITIONS).map(of).collect()
    }

    /// The same for the same messages.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for Laid { partition, at, key, payload } in &self.messages {
            digest.update(format!("{partition} {at} {key} {} ", payload.len()));
            digest.update(payload);
        }
        let first: Vec<u8> = digest.finalize().iter().copied().take(8).collect();
        format!("{:016x}", first.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    }
}

fn stream(partition: u32, number: usize, sensor: &'static str, batches: Vec<Vec<Fact>>) -> Stream {
    Stream {
        site: site_in(partition, number),
        sensor,
        epoch: 1_795_390_000_000,
        batches,
        commands: Vec::new(),
    }
}

/// A site that lives in this partition.
pub fn site_in(partition: u32, number: usize) -> String {
    let names = (0..).map(|n| format!("hospital-{n}"));
    let mut there = names.filter(|name| partition_of(name, PARTITIONS) == partition);
    there.nth(number).unwrap_or_default()
}

fn cut(facts: &[Fact], length: usize) -> Vec<Vec<Fact>> {
    facts.chunks(length).map(<[Fact]>::to_vec).collect()
}

fn record(record: log_record::Record) -> Bytes {
    LogRecord { record: Some(record) }.encode_to_vec().into()
}

/// A message that belongs into the dead letters.
fn unreadable(dice: &mut Dice) -> Bytes {
    match dice.below(4) {
        // No record at all: field 1 promises more than comes.
        0 => [&[0x0a, 0x7f][..], &dice.bytes(20)].concat().into(),
        1 => LogRecord { record: None }.encode_to_vec().into(),
        2 => [&[0x0a, 0xff, 0xff, 0x7f][..], &dice.bytes(100_000)].concat().into(),
        _ => {
            let batch = Batch { site: "two\nlines".to_owned(), sensor: "s".to_owned(), ..Batch::default() };
            record(log_record::Record::Batch(batch))
        }
    }
}

fn identities(batch: &Batch) -> Vec<FlowIdentity> {
    let flows = batch.facts.iter().filter_map(|fact| match &fact.fact {
        Some(Stated::Flow(flow)) => Some(flow),
        _ => None,
    });
    flows
        .map(|flow| {
            (batch.site.clone(), batch.sensor.clone(), batch.epoch, batch.sequence, flow.id, flow.segment)
        })
        .collect()
}
