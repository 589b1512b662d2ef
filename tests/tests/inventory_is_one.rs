//! One inventory, whatever the order: the facts of real captures, split between two sensors, shuffled within and between
//! them, cut into messages at random, with restarts from the stored state in between, some of them from an older one with the
//! messages since then once more, end in the inventory that the same facts give in their own order.
//!
//! A table of another system comes in between, two parts at two places, and in the end people rule about devices. When both are
//! taken back, all is as if nothing of it had been.
//!
//! The site's networks are set as its operator would: addresses that ARP or DHCP give to devices are the site's. What is
//! stated about others depends on whether it came before the lease, as the inventory's documentation says.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Result, ensure};
use ipnet::IpNet;
use wardwatch_inventory::{DeviceRecord, Inventory, LogMoment, Settings};
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::address::{ip_text, mac_text};
use wardwatch_proto::attribute;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::rule_sameness::Verdict;
use wardwatch_proto::v1::{
    Attribute, Counters, Endpoint, Fact, Flow, ImportTable, ImportedRow, ImportedValue, Protocol,
    RuleSameness,
};
use wardwatch_tests::oracle::corpus::{self, Capture};
use wardwatch_tests::oracle::dice::Dice;
use wardwatch_tests::oracle::stated;
use wardwatch_tests::skip;

const SENSORS: [&str; 2] = ["first", "second"];
/// Facts of one message, at most.
const MOST_FACTS: usize = 400;
/// Orders that are tried of each capture.
const ORDERS: u64 = 8;
const HOUR: u64 = 3600 * 1_000_000_000;

/// When people do something, in nanoseconds since the Unix epoch: 2026-11-22 23:45 UTC.
const DECIDED_AT: u64 = 1_795_391_100_000_000_000;
/// Devices that are looked for in the table, at most, by each of what there is to look for.
const MOST_ROWS: usize = 12;

/// A message of the log.
#[derive(Clone)]
enum Message {
    /// What one sensor states.
    Facts(&'static str, Vec<Fact>),
    /// A part of a table.
    Table(ImportTable),
}

/// All devices, by their ids.
type Records = BTreeMap<String, DeviceRecord>;

#[test]
fn the_hospitals_of_the_lab_are_the_same_in_any_order() -> Result<()> {
    let mut hospitals: BTreeMap<String, Vec<Fact>> = BTreeMap::new();
    for capture in corpus::own()? {
        hospitals.entry(capture.area.clone()).or_default().extend(stated::facts(&capture.path)?);
    }
    ensure!(hospitals.len() > 1, "there are two hospitals");
    let knowledge = Arc::new(Knowledge::builtin()?);
    for (name, facts) in &hospitals {
        ensure!(same_in_any_order(name, facts, &knowledge)? > 20, "{name}: there are devices");
    }
    Ok(())
}

#[test]
fn the_captures_of_others_are_the_same_in_any_order() -> Result<()> {
    let test = "inventory_is_one::the_captures_of_others_are_the_same_in_any_order";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let knowledge = Arc::new(Knowledge::builtin()?);
    let is_of_devices =
        |capture: &Capture| ["medical", "building", "iot", "infra"].contains(&capture.area.as_str());
    let captures: Vec<Capture> = corpus::captures(&data)?.into_iter().filter(is_of_devices).collect();
    ensure!(captures.len() > 50, "there are captures of devices");
    let devices = corpus::each(&captures, |capture| {
        same_in_any_order(&capture.id, &stated::facts(&capture.path)?, &knowledge)
    })?;
    ensure!(devices.iter().sum::<usize>() > 200, "there are devices in them");
    Ok(())
}

/// How many devices there are.
fn same_in_any_order(name: &str, facts: &[Fact], knowledge: &Arc<Knowledge>) -> Result<usize> {
    let place = |number: usize| SENSORS.get(number % SENSORS.len()).copied().unwrap_or_default();
    let placed: Vec<(&'static str, Fact)> =
        facts.iter().enumerate().map(|(number, fact)| (place(number), fact.clone())).collect();
    let last = seen_again(facts);
    let settings = settings(facts, knowledge);
    let empty = || Inventory::new("tests", Arc::clone(knowledge), settings.clone());
    let in_order = cut(&placed, &mut Dice::new(0));
    let plain = records(&concluded(&in_order, &last, empty, None)?);
    let table = table(facts);
    let rulings = rulings(&plain);
    let mut ruled = concluded(&[in_order, table.to_vec()].concat(), &last, empty, None)?;
    rule(&mut ruled, &rulings)?;
    let expected = records(&ruled);
    for seed in 1..=ORDERS {
        let mut dice = Dice::new(seed);
        let mut shuffled = placed.clone();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, dice.below(at + 1));
        }
        let mut messages = cut(&shuffled, &mut dice);
        for part in &table {
            messages.insert(dice.below(messages.len() + 1), part.clone());
        }
        let mut found = concluded(&messages, &last, empty, Some(&mut dice))?;
        rule(&mut found, &rulings)?;
        if let Some(difference) = difference(&expected, &records(&found)) {
            anyhow::bail!("{name}, order {seed}: {difference}");
        }
        for ruling in rulings.iter().rev() {
            let withdrawn = RuleSameness { verdict: Verdict::Unspecified.into(), ..ruling.clone() };
            rule(&mut found, &[withdrawn])?;
        }
        let taken_back = found.withdraw_import("cmms", DECIDED_AT, moment(messages.len() + 2));
        ensure!(taken_back.is_ok(), "{name}, order {seed}: {taken_back:?}");
        if let Some(difference) = difference(&plain, &records(&found)) {
            anyhow::bail!("{name}, order {seed}, when all is taken back: {difference}");
        }
    }
    Ok(plain.len())
}

/// A table in two parts about some of the devices in these facts, by what they may be looked for.
fn table(facts: &[Fact]) -> [Message; 2] {
    let mut sought: BTreeMap<Attribute, BTreeSet<String>> = BTreeMap::new();
    let mut seek = |by: Attribute, value: &str| {
        let values = sought.entry(by).or_default();
        if let Some(value) = attribute::accept(by, value).filter(|_| values.len() < MOST_ROWS) {
            values.insert(value.into_owned());
        }
    };
    for fact in facts {
        let ends = match &fact.fact {
            Some(Stated::Flow(flow)) => [&flow.initiator, &flow.responder],
            Some(Stated::Observation(said)) => {
                let by = said.attribute();
                if [Attribute::SerialNumber, Attribute::HostName, Attribute::AssetTag].contains(&by) {
                    seek(by, &said.value);
                }
                continue;
            }
            None => continue,
        };
        for end in ends.into_iter().flatten() {
            seek(Attribute::MacAddress, &mac_text(&end.mac));
            seek(Attribute::IpAddress, &ip_text(&end.ip));
        }
    }
    let value = |attribute: Attribute, value: String| ImportedValue { attribute: attribute.into(), value };
    let all = sought.into_iter().flat_map(|(by, values)| values.into_iter().map(move |value| (by, value)));
    let rows = (1_u32..).zip(all).map(|(line, (by, sought))| ImportedRow {
        line,
        values: vec![
            value(by, sought),
            value(Attribute::Location, format!("Room {line}")),
            value(Attribute::CostCentre, format!("47{line}")),
        ],
    });
    let (odd, even): (Vec<_>, Vec<_>) = rows.partition(|row| row.line % 2 == 1);
    [(0, odd), (1, even)].map(|(part, rows)| {
        Message::Table(ImportTable {
            import: "cmms".to_owned(),
            source: Protocol::Cmms.into(),
            version: "v-1".to_owned(),
            part,
            parts: 2,
            rows,
            note: String::new(),
        })
    })
}

/// That two of these devices are one, and that two others are two, where there are so many.
fn rulings(records: &Records) -> Vec<RuleSameness> {
    let ids: Vec<&String> = records.keys().collect();
    let pairs = ids.as_chunks().0.iter().zip([Verdict::Same, Verdict::Apart]);
    let ruling = |([device, other], verdict): (&[&String; 2], Verdict)| RuleSameness {
        device: (*device).clone(),
        other: (*other).clone(),
        verdict: verdict.into(),
        note: String::new(),
    };
    pairs.map(ruling).collect()
}

fn rule(inventory: &mut Inventory, rulings: &[RuleSameness]) -> Result<()> {
    for ruling in rulings {
        let ruled = inventory.rule(ruling, "j.doe", DECIDED_AT, moment(1_000_000));
        ensure!(ruled.is_ok(), "{ruling:?}: {ruled:?}");
    }
    Ok(())
}

fn records(inventory: &Inventory) -> Records {
    let records = inventory.devices().map(|device| device.record().clone());
    records.map(|record| (record.id.clone(), record)).collect()
}

/// The settings of a site that has all addresses which ARP and DHCP give out in these facts.
fn settings(facts: &[Fact], knowledge: &Knowledge) -> Settings {
    let mut settings = Settings::default();
    let given = facts.iter().filter_map(|fact| match &fact.fact {
        Some(Stated::Observation(said))
            if said.attribute == i32::from(Attribute::IpAddress)
                && knowledge.binds(Protocol::try_from(said.protocol).unwrap_or_default()) =>
        {
            said.value.parse::<IpAddr>().ok()
        }
        _ => None,
    });
    settings.networks.extend(given.map(IpNet::from));
    settings
}

/// Messages of at most [`MOST_FACTS`] facts, each of one sensor, in the order of the facts.
fn cut(facts: &[(&'static str, Fact)], dice: &mut Dice) -> Vec<Message> {
    let mut open: BTreeMap<&'static str, (usize, Vec<Fact>)> = BTreeMap::new();
    let mut messages = Vec::new();
    for (sensor, fact) in facts {
        let (room, collected) =
            open.entry(sensor).or_insert_with(|| (1 + dice.below(MOST_FACTS), Vec::new()));
        collected.push(fact.clone());
        if collected.len() >= *room {
            messages.push(Message::Facts(sensor, std::mem::take(collected)));
            *room = 1 + dice.below(MOST_FACTS);
        }
    }
    messages.extend(open.into_iter().map(|(sensor, (_, collected))| Message::Facts(sensor, collected)));
    messages
}

/// Every endpoint is seen once more two hours later: what is chosen among equals is refreshed by the hour.
fn seen_again(facts: &[Fact]) -> Vec<Fact> {
    let flows = || {
        facts.iter().filter_map(|fact| match &fact.fact {
            Some(Stated::Flow(flow)) => Some(flow),
            _ => None,
        })
    };
    let newest = facts.iter().filter_map(|fact| match &fact.fact {
        Some(Stated::Flow(flow)) => Some(flow.end),
        Some(Stated::Observation(observation)) => Some(observation.at),
        None => None,
    });
    let later = newest.max().unwrap_or_default() + 2 * HOUR;
    let mut ends: BTreeSet<(Vec<u8>, Vec<u8>)> = BTreeSet::new();
    for flow in flows() {
        for end in [&flow.initiator, &flow.responder].into_iter().flatten() {
            ends.insert((end.mac.clone(), end.ip.clone()));
        }
    }
    for fact in facts {
        if let Some(Stated::Observation(observation)) = &fact.fact
            && let Some(end) = observation.subject.as_ref().and_then(|subject| subject.endpoint.as_ref())
        {
            ends.insert((end.mac.clone(), end.ip.clone()));
        }
    }
    let again = |(mac, ip): (Vec<u8>, Vec<u8>)| {
        let flow = Flow {
            initiator: Some(Endpoint { mac, ip, port: 0 }),
            from_initiator: Some(Counters { packets: 1, ..Counters::default() }),
            start: later,
            end: later,
            ..Flow::default()
        };
        Fact { fact: Some(Stated::Flow(flow)) }
    };
    ends.into_iter().map(again).collect()
}

/// The inventory in the end. With dice, the inventory is killed now and then, and goes on from what was stored.
fn concluded(
    messages: &[Message],
    last: &[Fact],
    empty: impl Fn() -> Inventory,
    mut dice: Option<&mut Dice>,
) -> Result<Inventory> {
    let mut inventory = empty();
    let mut stored: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut committed = 0;
    let mut next = 0;
    while next < messages.len() {
        if let Some(dice) = dice.as_deref_mut() {
            if dice.once_in(4) {
                stored
                    .extend(inventory.take_changed_state().into_iter().map(|entry| (entry.key, entry.value)));
                committed = next;
            }
            // No more than a message in ten is repeated on the average, so that it ends.
            if dice.once_in(10) {
                inventory = empty();
                for (key, value) in &stored {
                    inventory.restore(key, value)?;
                }
                next = committed;
            }
        }
        match messages.get(next) {
            Some(Message::Facts(sensor, facts)) => {
                inventory.apply(sensor, facts.iter().cloned(), moment(next));
            }
            Some(Message::Table(part)) => {
                let imported = inventory.import(part, "j.doe", DECIDED_AT, moment(next));
                ensure!(imported.is_ok(), "{imported:?}");
            }
            None => {}
        }
        next += 1;
    }
    inventory.apply("first", last.iter().cloned(), moment(next));
    Ok(inventory)
}

fn moment(offset: usize) -> LogMoment {
    LogMoment { incarnation: 1, partition: 0, offset: offset as u64, log_time: 0 }
}

/// The first difference, in words.
fn difference(expected: &Records, found: &Records) -> Option<String> {
    let ids: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    ids.into_iter().find_map(|id| match (expected.get(id), found.get(id)) {
        (Some(one), Some(other)) if one == other => None,
        (Some(one), Some(other)) => {
            let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
            let lines = one.lines().zip(other.lines()).find(|(one, other)| one != other);
            let (one, other) = lines.unwrap_or(("its end", "its end"));
            Some(format!("device {id}: {} became {}", one.trim(), other.trim()))
        }
        (Some(one), None) => Some(format!("device {id} ({} {:?}) is missing", one.name, one.ips)),
        (None, Some(other)) => Some(format!("device {id} ({} {:?}) is one too many", other.name, other.ips)),
        (None, None) => None,
    })
}
