//! What the inventory concludes from facts, and which of its devices are the expected ones.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use ipnet::IpNet;
use wardwatch_inventory::{DeviceRecord, Inventory, LogMoment, Settings};
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::v1::Fact;

use super::expected::{Expected, Field, Wanted};
use super::judged;

/// As many facts as a sensor's message may well hold.
const FACTS_PER_MESSAGE: usize = 500;

/// An inventory that has heard these captures one after the other, with the knowledge that is built in. The addresses at
/// which devices are expected are the site's own, also where they are public ones.
pub fn inventory(captures: impl IntoIterator<Item = Vec<Fact>>, expected: &[Expected]) -> Result<Inventory> {
    let mut settings = Settings::default();
    settings.networks.extend(expected.iter().filter_map(|device| device.place.ip).map(IpNet::from));
    let mut inventory = Inventory::new("tests", Arc::new(Knowledge::builtin()?), settings);
    let mut offset = 0;
    for facts in captures {
        let mut facts = facts.into_iter().peekable();
        while facts.peek().is_some() {
            let at = LogMoment { incarnation: 1, partition: 0, offset, log_time: 0 };
            inventory.apply("sensor", facts.by_ref().take(FACTS_PER_MESSAGE), at);
            offset += 1;
        }
    }
    Ok(inventory)
}

/// The device of the inventory that each of the expected ones is. Of devices that another one speaks for, the one that
/// more is right of is taken; no device is taken for two of them.
pub fn find(inventory: &Inventory, expected: &[Expected]) -> Vec<Option<DeviceRecord>> {
    let described: Vec<DeviceRecord> = inventory.devices().map(|device| device.record()).collect();
    let records: Vec<&DeviceRecord> = described.iter().collect();
    let mut taken = BTreeSet::new();
    expected
        .iter()
        .map(|device| {
            let at = at_place(&records, device);
            if !device.place.is_spoken_for {
                return at;
            }
            let speaker = at?;
            let told_of = records.iter().copied().filter(|record| record.parent == speaker.id);
            let free = told_of.filter(|record| !taken.contains(record.id.as_str()));
            let best = free.map(|record| (likeness(device, record), record)).max_by_key(|(alike, _)| *alike);
            let (_, record) = best.filter(|(alike, _)| *alike > 0)?;
            taken.insert(record.id.as_str());
            Some(record)
        })
        .map(Option::<&DeviceRecord>::cloned)
        .collect()
}

/// By its IP address, else by its MAC address.
fn at_place<'a>(records: &[&'a DeviceRecord], device: &Expected) -> Option<&'a DeviceRecord> {
    let own = || records.iter().copied().filter(|record| record.parent.is_empty());
    let ip = device.place.ip.map(|ip| ip.to_string());
    let by_ip = ip.and_then(|ip| own().find(|record| record.ips.contains(&ip)));
    let by_mac = || device.place.mac.as_ref().and_then(|mac| own().find(|record| record.macs.contains(mac)));
    by_ip.or_else(by_mac)
}

/// How many of the values that make one device of a kind different from the next are right.
fn likeness(device: &Expected, record: &DeviceRecord) -> usize {
    let tells = [Field::SerialNumber, Field::Model, Field::Version, Field::Manufacturer, Field::Type];
    let is_right = |field: &&Field| match device.wanted.get(field) {
        Some(Wanted::OneOf(values)) => judged::shows(record, **field, values, device.makers()),
        _ => false,
    };
    tells.iter().filter(is_right).count()
}
