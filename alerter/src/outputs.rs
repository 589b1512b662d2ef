//! What a run of events gave rise to, and how it is written.
//!
//! First the rows of `alerts` and `alert_events`, each table's as one block; then the findings, into
//! `wardwatch.siem.detection`, and the devices, into `wardwatch.siem.inventory`. What a crash before the commit point writes
//! twice:
//!
//! - `alerts`: nothing, a row replaces its equal.
//! - `alert_events`: nothing, rows at or below the table's mark are left out.
//! - findings and devices come twice, with the same `metadata.uid`, by which a SIEM knows them.

use std::collections::BTreeMap;

use serde_json::Value;
use wardwatch_bus::{Publication, TopicPartition};
use wardwatch_processor::{Error, Moment, Published, Sink, Tally};
use wardwatch_proto::topic;
use wardwatch_proto::v1::Event;

use crate::judge::Update;
use crate::ocsf;
use crate::rows::{AlertEventRow, AlertRow};

/// What a run of events of one partition gave rise to.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    /// The newest state of each, by id, which is unique among all sites.
    alerts: BTreeMap<String, AlertRow>,
    /// In the order of the log.
    events: Vec<AlertEventRow>,
    /// In the order of the log.
    findings: Vec<Told>,
    /// In the order of the log.
    devices: Vec<Told>,
}

/// What a SIEM is told: one OCSF event.
#[derive(Debug)]
struct Told {
    offset: u64,
    key: String,
    json: String,
}

/// How many partitions the topics for SIEMs have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SiemPartitions {
    pub(crate) detection: u32,
    pub(crate) inventory: u32,
}

impl Outputs {
    /// The most rows or messages of one kind.
    pub(crate) fn most(&self) -> usize {
        self.events.len().max(self.devices.len())
    }

    /// What became of alerts by one message.
    pub(crate) fn extend(&mut self, updates: Vec<Update>, at: Moment) {
        for (index, update) in (0_u32..).zip(updates) {
            self.events.push(AlertEventRow::new(&update, at, index));
            self.findings.push(Told {
                offset: at.offset,
                key: update.alert.site.clone(),
                json: ocsf::detection_finding(&update).to_string(),
            });
            self.alerts.insert(update.alert.id.clone(), AlertRow::new(&update, index));
        }
    }

    /// What one message says of a device, if it does.
    pub(crate) fn tell_of_device(&mut self, event: &Event, at: Moment) {
        let Some(told) = ocsf::device_inventory(event) else { return };
        // By the device, so that who compacts the topic keeps the newest of each.
        let key = told.pointer("/device/uid").and_then(Value::as_str).unwrap_or(&event.site).to_owned();
        self.devices.push(Told { offset: at.offset, key, json: told.to_string() });
    }

    /// Writes all of it.
    pub(crate) async fn write(
        self,
        sink: &Sink<'_>,
        siem: SiemPartitions,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let alerts = sink.replace("alerts", self.alerts.into_values().collect(), tally);
        let events = sink.append("alert_events", self.events, |row| row.source_offset, tally);
        tokio::try_join!(alerts.insert(), events.insert())?;
        let findings = publish(sink, topic::SIEM_DETECTION, siem.detection, self.findings).await?;
        tally.add("alerter_findings_published", findings.published);
        tally.add_labelled("alerter_findings_dropped", "reason", "too-large", findings.too_large);
        let devices = publish(sink, topic::SIEM_INVENTORY, siem.inventory, self.devices).await?;
        tally.add("alerter_inventory_published", devices.published);
        tally.add_labelled("alerter_inventory_dropped", "reason", "too-large", devices.too_large);
        Ok(())
    }
}

/// Tells a SIEM; what is of one site stays in one partition.
async fn publish(sink: &Sink<'_>, topic: &str, partitions: u32, all: Vec<Told>) -> Result<Published, Error> {
    let to = TopicPartition::new(topic, sink.source().partition % partitions.max(1));
    let messages = all.into_iter().map(|told| {
        let message =
            Publication::new(to.clone(), told.json).key(told.key).header("content-type", "application/json");
        (told.offset, message)
    });
    sink.publish(messages).await
}
