//! How a range becomes durable.
//!
//! 1. the rows of `flows`, `devices`, `attributes` and `changes`, each table's as one block;
//! 2. the events, into the partition of `wardwatch.events` that has their source's number, and what could not be read
//!    into `wardwatch.deadletter`;
//! 3. the changed memory with the end of the range: **the commit point**;
//! 4. the offset, to the broker, so that lag can be seen. Nobody starts from it.
//!
//! A crash before 3 replays the range. What that writes twice:
//!
//! - `devices`, `attributes`: nothing, a row replaces its equal.
//! - `flows`, `changes`: nothing, rows at or below the table's mark are left out (see `marks`); and an insert whose answer was
//!   lost is sent again under the same token, which the server drops.
//! - events and dead letters: they come twice, with the same source position, by which their readers know them.
//!
//! A token names the offsets that its rows came from, so another cut of the same messages has another token.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use tracing::warn;
use wardwatch_bus::{Bus, Consumer, TopicPartition};
use wardwatch_proto::topic;
use wardwatch_proto::v1::Event;
use wardwatch_service::Counters;
use wardwatch_store::{InsertToken, Store};

use crate::deadletter;
use crate::error::Error;
use crate::marks::Marks;
use crate::memory::Memory;
use crate::range::{Range, Span};
use crate::state::State;

/// Makes the ranges of one partition durable, one after the other.
#[derive(Debug)]
pub(crate) struct Committer {
    pub(crate) store: Store,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) counters: Counters,
    pub(crate) source: TopicPartition,
    pub(crate) incarnation: u32,
    /// How many partitions `wardwatch.deadletter` has.
    pub(crate) deadletter_partitions: u32,
    pub(crate) marks: Marks,
    pub(crate) state: State,
}

impl Committer {
    /// Makes a range and the memory after it durable; gives the first offset that is not in it, or `None` for a range of no
    /// messages. After an error the memory must be loaded again.
    pub(crate) async fn commit(
        &mut self,
        mut range: Range,
        memory: &mut Memory,
    ) -> Result<Option<u64>, Error> {
        let Some(span) = range.span() else { return Ok(None) };
        self.write_outputs(&mut range, span).await?;
        self.publish_events(&mut range).await?;
        self.put_aside(&range).await?;
        let end = span.last.saturating_add(1);
        let entries = memory.take_changed();
        range.tally.add("enricher_state_entries_written", entries.len());
        self.state.store(&self.store, end, &self.token(span.first, span.last).0, entries).await?;
        range.tally.add("enricher_ranges_committed", 1);
        range.tally.count(&self.counters);
        if let Err(error) = self.consumer.commit(&self.source, end).await {
            warn!(partition = %self.source, %error, "the lag that the broker shows is out of date");
        }
        if self.state.wants_compaction() {
            self.state.compact(&self.store, end).await?;
        }
        Ok(Some(end))
    }

    async fn write_outputs(&self, range: &mut Range, span: Span) -> Result<(), Error> {
        let (flows, changes) = (range.flows.len(), range.changes.len());
        range.flows.retain(|row| self.marks.flows.is_none_or(|mark| row.source_offset > mark));
        range.changes.retain(|row| self.marks.changes.is_none_or(|mark| row.source_offset > mark));
        range.tally.add_labelled("enricher_rows_skipped", "table", "flows", flows - range.flows.len());
        range.tally.add_labelled("enricher_rows_skipped", "table", "changes", changes - range.changes.len());
        let first_of = |offset: Option<u64>| self.token(offset.unwrap_or(span.first), span.last);
        let flows_token = first_of(range.flows.first().map(|row| row.source_offset));
        let changes_token = first_of(range.changes.first().map(|row| row.source_offset));
        let states_token = self.token(span.first, span.last);
        let devices: Vec<_> = std::mem::take(&mut range.devices).into_values().collect();
        let attributes: Vec<_> = std::mem::take(&mut range.attributes).into_values().collect();
        tokio::try_join!(
            self.store.insert("flows", &range.flows, Some(&flows_token)),
            self.store.insert("changes", &range.changes, Some(&changes_token)),
            self.store.insert("devices", &devices, Some(&states_token)),
            self.store.insert("attributes", &attributes, Some(&states_token)),
        )?;
        for (table, rows) in [
            ("flows", range.flows.len()),
            ("changes", range.changes.len()),
            ("devices", devices.len()),
            ("attributes", attributes.len()),
        ] {
            range.tally.add_labelled("enricher_rows_written", "table", table, rows);
        }
        Ok(())
    }

    async fn publish_events(&self, range: &mut Range) -> Result<(), Error> {
        let to = TopicPartition::new(topic::EVENTS, self.source.partition);
        let mut receipts = Vec::with_capacity(range.events.len());
        for event in &range.events {
            let failed = |source| Error::Publish { to: to.clone(), offset: offset_of(event), source };
            let payload = Bytes::from(event.encode_to_vec());
            let publication = wardwatch_bus::Publication::new(to.clone(), payload).key(event.site.clone());
            match self.bus.enqueue(publication).await {
                Ok(receipt) => receipts.push((offset_of(event), receipt)),
                Err(wardwatch_bus::Error::TooLarge { bytes, limit, .. }) => {
                    warn!(%to, bytes, limit, offset = offset_of(event), "an event is larger than the log takes; dropped");
                    range.tally.add_labelled("enricher_events_dropped", "reason", "too-large", 1);
                }
                Err(error) => return Err(failed(error)),
            }
        }
        range.tally.add("enricher_events_published", receipts.len());
        for (offset, receipt) in receipts {
            receipt.await.map_err(|source| Error::Publish { to: to.clone(), offset, source })?;
        }
        Ok(())
    }

    async fn put_aside(&self, range: &Range) -> Result<(), Error> {
        let to =
            TopicPartition::new(topic::DEADLETTER, self.source.partition % self.deadletter_partitions.max(1));
        let mut receipts = Vec::with_capacity(range.unreadable.len());
        for (message, reason) in &range.unreadable {
            let largest = self.bus.largest_message();
            let letter = deadletter::letter(message, *reason, self.incarnation, to.clone(), largest);
            let offset = message.offset;
            let receipt =
                self.bus.enqueue(letter).await.map_err(|source| self.not_put_aside(offset, source))?;
            receipts.push((offset, receipt));
        }
        for (offset, receipt) in receipts {
            receipt.await.map_err(|source| self.not_put_aside(offset, source))?;
        }
        Ok(())
    }

    fn not_put_aside(&self, offset: u64, source: wardwatch_bus::Error) -> Error {
        Error::DeadLetter { from: self.source.clone(), offset, source }
    }

    fn token(&self, first: u64, last: u64) -> InsertToken {
        InsertToken(format!(
            "{}:{}:{}:{first}:{last}",
            self.source.topic, self.source.partition, self.incarnation
        ))
    }
}

fn offset_of(event: &Event) -> u64 {
    event.source.as_ref().map_or(0, |source| source.offset)
}
