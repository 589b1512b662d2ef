//! What a run of events gave rise to, and how it is written.
//!
//! First the rows of `alerts` and `alert_events`, each table's as one block; then the findings, into
//! `wardwatch.siem.detection`. What a crash before the commit point writes twice:
//!
//! - `alerts`: nothing, a row replaces its equal.
//! - `alert_events`: nothing, rows at or below the table's mark are left out.
//! - findings come twice, with the same `metadata.uid`, by which a SIEM knows them.

use std::collections::BTreeMap;

use wardwatch_bus::{Publication, TopicPartition};
use wardwatch_processor::{Error, Moment, Sink, Tally};
use wardwatch_proto::topic;

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
    findings: Vec<Finding>,
}

/// What a SIEM is told.
#[derive(Debug)]
struct Finding {
    offset: u64,
    site: String,
    json: String,
}

impl Outputs {
    /// The most rows or messages of one kind.
    pub(crate) fn most(&self) -> usize {
        self.events.len()
    }

    /// What became of alerts by one message.
    pub(crate) fn extend(&mut self, updates: Vec<Update>, at: Moment) {
        for (index, update) in (0_u32..).zip(updates) {
            self.events.push(AlertEventRow::new(&update, at, index));
            self.findings.push(Finding {
                offset: at.offset,
                site: update.alert.site.clone(),
                json: ocsf::detection_finding(&update).to_string(),
            });
            self.alerts.insert(update.alert.id.clone(), AlertRow::new(&update, index));
        }
    }

    /// Writes all of it; the topic for SIEMs has that many partitions.
    pub(crate) async fn write(
        self,
        sink: &Sink<'_>,
        siem_partitions: u32,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let alerts = sink.replace("alerts", self.alerts.into_values().collect(), tally);
        let events = sink.append("alert_events", self.events, |row| row.source_offset, tally);
        tokio::try_join!(alerts.insert(), events.insert())?;
        let to = TopicPartition::new(topic::SIEM_DETECTION, sink.source().partition % siem_partitions.max(1));
        let messages = self.findings.into_iter().map(|finding| {
            let message = Publication::new(to.clone(), finding.json)
                .key(finding.site)
                .header("content-type", "application/json");
            (finding.offset, message)
        });
        let published = sink.publish(messages).await?;
        tally.add("alerter_findings_published", published.published);
        tally.add_labelled("alerter_findings_dropped", "reason", "too-large", published.too_large);
        Ok(())
    }
}
