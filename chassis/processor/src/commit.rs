//! How a range becomes durable.
//!
//! 1. the outputs, as the service writes them, and what could not be read, into `wardwatch.deadletter`;
//! 2. the changed memory with the end of the range: **the commit point**;
//! 3. the offset, to the broker, so that lag can be seen. Nobody starts from it.

use std::sync::Arc;

use tracing::warn;
use wardwatch_bus::TopicPartition;
use wardwatch_proto::topic;

use crate::deadletter;
use crate::error::Error;
use crate::marks::Marks;
use crate::partition::Shared;
use crate::processor::Processor;
use crate::range::Range;
use crate::sink::Sink;
use crate::state::State;

/// Makes the ranges of one partition durable, one after the other.
#[derive(Debug)]
pub(crate) struct Committer<P: Processor> {
    pub(crate) shared: Arc<Shared<P>>,
    pub(crate) source: TopicPartition,
    pub(crate) marks: Marks,
    pub(crate) state: State,
}

impl<P: Processor> Committer<P> {
    /// Makes a range and the memory after it durable; gives the first offset that is not in it, or `None` for a range of no
    /// messages. After an error the memory must be loaded again.
    pub(crate) async fn commit(
        &mut self,
        range: Range<P::Outputs>,
        memory: &mut P::Memory,
    ) -> Result<Option<u64>, Error> {
        let Some(span) = range.span() else { return Ok(None) };
        let Range { outputs, unreadable, mut tally, messages, .. } = range;
        let shared = Arc::clone(&self.shared);
        let sink = Sink {
            service: P::NAME,
            store: &shared.store,
            bus: shared.bus.as_ref(),
            source: &self.source,
            incarnation: shared.incarnation,
            marks: &self.marks,
            span,
        };
        shared.processor.write(outputs, &sink, &mut tally).await?;
        self.put_aside(&unreadable).await?;
        let end = span.last.saturating_add(1);
        let entries = shared.processor.take_changed(memory);
        for (name, count) in [
            ("messages_received", messages),
            ("state_entries_written", entries.len()),
            ("ranges_committed", 1),
        ] {
            tally.add(format!("{}_{name}", P::NAME), count);
        }
        for (_, reason) in &unreadable {
            tally.add_labelled(format!("{}_messages_put_aside", P::NAME), "reason", reason.0, 1);
        }
        let token = sink.token(span.first).0;
        self.state.store(&shared.store, end, &token, entries).await?;
        tally.count(&shared.counters);
        if let Err(error) = shared.consumer.commit(&self.source, end).await {
            warn!(partition = %self.source, %error, "the lag that the broker shows is out of date");
        }
        if self.state.wants_compaction() {
            self.state.compact(&shared.store, end).await?;
        }
        Ok(Some(end))
    }

    async fn put_aside(&self, unreadable: &[(wardwatch_bus::Message, crate::Reason)]) -> Result<(), Error> {
        let Shared { bus, incarnation, deadletter_partitions, .. } = &*self.shared;
        let to =
            TopicPartition::new(topic::DEADLETTER, self.source.partition % deadletter_partitions.max(&1));
        let failed = |offset, source| Error::DeadLetter { from: self.source.clone(), offset, source };
        let mut receipts = Vec::with_capacity(unreadable.len());
        for (message, reason) in unreadable {
            let letter =
                deadletter::letter(message, *reason, *incarnation, to.clone(), bus.largest_message());
            let receipt = bus.enqueue(letter).await.map_err(|source| failed(message.offset, source))?;
            receipts.push((message.offset, receipt));
        }
        for (offset, receipt) in receipts {
            receipt.await.map_err(|source| failed(offset, source))?;
        }
        Ok(())
    }
}
