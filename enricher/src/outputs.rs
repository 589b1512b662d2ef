//! What a run of messages gave rise to, and how it is written.
//!
//! First the rows of `flows`, of the sums over them, of `devices`, `sightings`, `attributes`, `changes`, `commands`, `device_notes`,
//! `sensor_boots`, `import_rows` and the documents', each table's as one block; then the events, into the partition of
//! `wardwatch.events` that has their source's number.
//! What a crash before the commit point writes twice:
//!
//! - `devices`, `sightings`, `attributes`, `sensor_boots`, `import_rows`, `documents`, `components`, `mds2_answers`: nothing, a row replaces
//!   its equal.
//! - `flows`, `changes`, `commands`, `device_notes`: nothing, rows at or below the table's mark are left out.
//! - `conversations`, `site_minute`: nothing, flows at or below the table's mark are not summed up again.
//! - events come twice, with the same source position, by which their readers know them.

use std::collections::BTreeMap;
use std::ops::RangeFrom;

use prost::Message as _;
use wardwatch_bus::{Publication, TopicPartition};
use wardwatch_inventory::{Conclusions, LogMoment};
use wardwatch_processor::{Error, Sink, Tally};
use wardwatch_proto::topic;
use wardwatch_proto::v1::{Command, Event};

use crate::boots::SensorBootRow;
use crate::command_rows::{CommandRow, NoteRow};
use crate::documents::DocumentRows;
use crate::import_rows::ImportRow;
use crate::memory::Ruling;
use crate::received::Received;
use crate::rollup::{conversations, site_minutes};
use crate::rows::{AttributeKey, AttributeRow, BatchIdentity, ChangeRow, DeviceRow, FlowRow, SightingRow};

/// What a run of messages of one partition gave rise to.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    /// In the order of the log.
    flows: Vec<FlowRow>,
    /// The newest state of each, by site and id.
    devices: BTreeMap<(String, String), DeviceRow>,
    /// The newest of each, by site and id.
    sightings: BTreeMap<(String, String), SightingRow>,
    /// The newest state of each.
    attributes: BTreeMap<AttributeKey, AttributeRow>,
    /// In the order of the log.
    changes: Vec<ChangeRow>,
    /// The newest state of each boot, by site, sensor and epoch.
    boots: BTreeMap<(String, String, u64), SensorBootRow>,
    /// In the order of the log.
    commands: Vec<CommandRow>,
    /// What was told of documents.
    documents: DocumentRows,
    /// In the order of the log.
    notes: Vec<NoteRow>,
    /// The newest state of each, by site, table and line.
    import_rows: BTreeMap<(String, String, u32), ImportRow>,
    /// In the order of the log.
    pub(crate) events: Vec<Event>,
}

impl Outputs {
    /// Nothing, with room for as many flows as these: growing step by step copies all of them several times.
    pub(crate) fn after(before: &Self) -> Self {
        Self { flows: Vec::with_capacity(before.flows.len()), ..Self::default() }
    }

    /// The most rows or events of one kind.
    pub(crate) fn most(&self) -> usize {
        // Every note is a command too.
        let Self {
            flows,
            devices,
            sightings,
            attributes,
            changes,
            commands,
            documents,
            import_rows,
            events,
            notes: _,
            boots: _,
        } = self;
        let state = [devices.len(), sightings.len(), attributes.len(), import_rows.len(), documents.most()];
        let log = [flows.len(), changes.len(), commands.len(), events.len()];
        let counts = state.into_iter().chain(log);
        counts.max().unwrap_or(0)
    }

    /// What a batch gave rise to.
    pub(crate) fn conclude(&mut self, of: BatchIdentity<'_>, mut conclusions: Conclusions, at: LogMoment) {
        for (index, flow) in (0_u32..).zip(std::mem::take(&mut conclusions.flows)) {
            self.flows.push(FlowRow::new(of, flow, at, index));
        }
        self.know(of.site, conclusions, &mut (0..), at);
    }

    /// What came of a command.
    pub(crate) fn rule(&mut self, command: &Command, ruling: Ruling, at: LogMoment) {
        self.commands.push(CommandRow::new(command, &ruling, at));
        self.notes.extend(NoteRow::new(command, &ruling, at));
        if let Some(told) = ruling.document {
            self.documents.tell(command, told, at);
        }
        let mut changes = 0..;
        for (site, conclusions) in ruling.concluded {
            self.know(&site, conclusions, &mut changes, at);
        }
    }

    /// What is known of a site's devices since one message. Its changes are numbered over all sites.
    fn know(&mut self, site: &str, concluded: Conclusions, changes: &mut RangeFrom<u32>, at: LogMoment) {
        for record in concluded.devices {
            let key = (site.to_owned(), record.id.clone());
            self.devices.insert(key, DeviceRow::new(site, record, at));
        }
        for record in &concluded.sightings {
            let key = (site.to_owned(), record.device.to_string());
            self.sightings.insert(key, SightingRow::new(site, record, at));
        }
        for record in concluded.attributes {
            let row = AttributeRow::new(site, record, at);
            self.attributes.insert(row.key(), row);
        }
        for record in concluded.rows {
            let key = (site.to_owned(), record.import.clone(), record.line);
            self.import_rows.insert(key, ImportRow::new(site, record, at));
        }
        for (change, index) in concluded.changes.into_iter().zip(changes) {
            self.changes.push(ChangeRow::new(site, change, at, index));
        }
        self.events.extend(concluded.events);
    }

    /// What has been received of a boot until now.
    pub(crate) fn hear(&mut self, of: BatchIdentity<'_>, received: Option<&Received>, at: LogMoment) {
        let Some(received) = received else { return };
        let key = (of.site.to_string(), of.sensor.to_string(), of.epoch);
        self.boots.insert(key, SensorBootRow::new(of, received, at));
    }

    /// Writes all of it.
    pub(crate) async fn write(self, sink: &Sink<'_>, tally: &mut Tally) -> Result<(), Error> {
        let offset = |row: &FlowRow| row.source_offset;
        let conversations = sink.append_sums("conversations", &self.flows, offset, conversations, tally);
        let site_minute = sink.append_sums("site_minute", &self.flows, offset, site_minutes, tally);
        let flows = sink.append("flows", self.flows, offset, tally);
        let changes = sink.append("changes", self.changes, |row| row.source_offset, tally);
        let commands = sink.append("commands", self.commands, |row| row.source_offset, tally);
        let notes = sink.append("device_notes", self.notes, |row| row.source_offset, tally);
        let devices = sink.replace("devices", self.devices.into_values().collect(), tally);
        let sightings = sink.replace("sightings", self.sightings.into_values().collect(), tally);
        let attributes = sink.replace("attributes", self.attributes.into_values().collect(), tally);
        let rows = sink.replace("import_rows", self.import_rows.into_values().collect(), tally);
        let boots = sink.replace("sensor_boots", self.boots.into_values().collect(), tally);
        let DocumentRows { documents, components, answers } = self.documents;
        let documents = sink.replace("documents", documents.into_values().collect(), tally);
        let components = sink.replace("components", components, tally);
        let answers = sink.replace("mds2_answers", answers, tally);
        tokio::try_join!(
            flows.insert(),
            conversations.insert(),
            site_minute.insert(),
            changes.insert(),
            commands.insert(),
            notes.insert(),
            devices.insert(),
            sightings.insert(),
            attributes.insert(),
            boots.insert(),
            documents.insert(),
            components.insert(),
            answers.insert(),
            rows.insert()
        )?;
        let to = TopicPartition::new(topic::EVENTS, sink.source().partition);
        let messages = self.events.into_iter().map(|event| {
            let offset = event.source.as_ref().map_or(0, |source| source.offset);
            (offset, Publication::new(to.clone(), event.encode_to_vec()).key(event.site))
        });
        let published = sink.publish(messages).await?;
        tally.add("enricher_events_published", published.published);
        tally.add_labelled("enricher_events_dropped", "reason", "too-large", published.too_large);
        Ok(())
    }
}
