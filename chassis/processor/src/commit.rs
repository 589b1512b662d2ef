//! How a range becomes durable.
//!
//! 1. the plan: which offsets it is of;
//! 2. the outputs, as the service writes them, and what could not be read, into `wardwatch.deadletter`;
//! 3. the changed memory with the end of the range: **the commit point**;
//! 4. the offset, to the broker, so that lag can be seen. Nobody starts from it.
//!
//! Whatever goes into ClickHouse is refused by the server once someone else has claimed the partition.

use std::sync::Arc;

use tracing::warn;
use wardwatch_bus::TopicPartition;
use wardwatch_faults::{Guard, is_off, point_of};
use wardwatch_proto::topic;
use wardwatch_store::{Fence, Owner};

use crate::deadletter;
use crate::entry::Entry;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::marks::Marks;
use crate::partition::Shared;
use crate::plan::{Plan, Plans};
use crate::processor::Processor;
use crate::range::{Range, Span};
use crate::sink::Sink;
use crate::state::State;

/// A range that is complete.
#[derive(Debug)]
pub(crate) struct Cut<O> {
    /// Which messages: what the range knew of them, taken from it.
    pub(crate) span: Span,
    pub(crate) range: Range<O>,
    /// The plan that it was worked on by, if it had been recorded before.
    pub(crate) repeated: Option<Plan>,
    /// The memory after it, as far as it has changed.
    pub(crate) changed: Vec<Entry>,
}

/// Makes the ranges of one partition durable, one after the other.
#[derive(Debug)]
pub(crate) struct Committer<P: Processor> {
    pub(crate) shared: Arc<Shared<P>>,
    pub(crate) source: TopicPartition,
    /// How often the topic was made.
    pub(crate) incarnation: u32,
    pub(crate) owner: Owner,
    pub(crate) fence: Fence,
    pub(crate) plans: Plans,
    /// How far the tables are written; read when the first range is about to be.
    pub(crate) marks: Option<Marks>,
    pub(crate) ledger: Ledger,
    pub(crate) state: State,
}

impl<P: Processor> Committer<P> {
    /// Makes a range and the memory after it durable; gives the first offset that is not in it. After an error the memory must
    /// be loaded again.
    pub(crate) async fn commit(&mut self, cut: Cut<P::Outputs>) -> Result<u64, Error> {
        let Cut { span, range, repeated, changed: mut entries } = cut;
        let Range { span: _, outputs, unreadable, mut tally, messages } = range;
        let shared = Arc::clone(&self.shared);
        point_of([P::NAME, ".range-cut"]).await;
        let plan = self.plan(&span, repeated).await?;
        point_of([P::NAME, ".plan-after"]).await;
        let is_first = self.marks.is_none();
        let marks = self.marks().await?;
        let fence = self.fence.and(&self.plans.recorded(plan, &self.owner));
        let sink = Sink {
            service: P::NAME,
            store: &shared.store,
            bus: shared.bus.as_ref(),
            source: &self.source,
            incarnation: self.incarnation,
            marks: &marks,
            fence: &fence,
            plan,
            is_first,
            is_repeated: repeated.is_some(),
        };
        shared.processor.write(outputs, &sink, &mut tally).await?;
        point_of([P::NAME, ".published"]).await;
        self.put_aside(&unreadable).await?;
        point_of([P::NAME, ".deadletters"]).await;
        let end = plan.last.saturating_add(1);
        entries.push(span.witness.entry());
        for (name, count) in [
            ("messages_received", messages),
            // The ledger is the last of them.
            ("state_entries_written", entries.len() + 1),
            ("ranges_committed", 1),
        ] {
            tally.add(format!("{}_{name}", P::NAME), count);
        }
        for (_, reason) in &unreadable {
            tally.add_labelled(format!("{}_messages_put_aside", P::NAME), "reason", reason.0, 1);
        }
        self.ledger.add(&tally);
        entries.push(self.ledger.entry());
        point_of([P::NAME, ".state-before"]).await;
        self.state.store(&shared.store, end, entries, &self.fence).await?;
        point_of([P::NAME, ".state-after"]).await;
        tally.count(&shared.counters);
        if let Err(error) = shared.consumer.commit(&self.source, end).await {
            warn!(partition = %self.source, %error, "the lag that the broker shows is out of date");
        }
        point_of([P::NAME, ".offset-committed"]).await;
        if self.state.wants_compaction() {
            self.state.compact(&shared.store, end, &self.fence, P::NAME).await?;
            point_of([P::NAME, ".compacted"]).await;
        }
        Ok(end)
    }

    async fn marks(&mut self) -> Result<Marks, Error> {
        if let Some(marks) = &self.marks {
            return Ok(marks.clone());
        }
        let (incarnation, partition) = (self.incarnation, self.source.partition);
        let marks = Marks::read(&self.shared.store, P::APPEND_ONLY, incarnation, partition).await?;
        point_of([P::NAME, ".marks-read"]).await;
        self.marks = Some(marks.clone());
        Ok(marks)
    }

    /// The offsets of a range, recorded before anything of it is written.
    async fn plan(&self, span: &Span, repeated: Option<Plan>) -> Result<Plan, Error> {
        let plan = repeated.unwrap_or(Plan { first: span.first, last: span.witness.offset });
        if !is_off(Guard::Plan) {
            self.plans.record(&self.shared.store, plan, &self.owner, &self.fence).await?;
        }
        Ok(plan)
    }

    async fn put_aside(&self, unreadable: &[(wardwatch_bus::Message, crate::Reason)]) -> Result<(), Error> {
        let Shared { bus, deadletter_partitions, .. } = &*self.shared;
        let to =
            TopicPartition::new(topic::DEADLETTER, self.source.partition % deadletter_partitions.max(&1));
        let failed = |offset, source| Error::DeadLetter { from: self.source.clone(), offset, source };
        let mut receipts = Vec::with_capacity(unreadable.len());
        for (message, reason) in unreadable {
            let letter =
                deadletter::letter(message, *reason, self.incarnation, to.clone(), bus.largest_message());
            let receipt = bus.enqueue(letter).await.map_err(|source| failed(message.offset, source))?;
            receipts.push((message.offset, receipt));
        }
        for (offset, receipt) in receipts {
            receipt.await.map_err(|source| failed(offset, source))?;
        }
        Ok(())
    }
}
