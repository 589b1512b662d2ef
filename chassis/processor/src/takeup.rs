//! How a partition is taken up: everything as it was when its memory was stored last.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wardwatch_bus::Watermarks;
use wardwatch_faults::{Guard, is_off, point_of};
use wardwatch_store::Fence;

use crate::commit::Committer;
use crate::committing::Committing;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::loss::Loss;
use crate::partition::Partition;
use crate::plan::{Plan, Plans};
use crate::processor::Processor;
use crate::range::Range;
use crate::run::Run;
use crate::state::State;
use crate::tally::Tally;
use crate::witness::Witness;

/// What taking a partition up came to, for its owner's log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TakeUp {
    /// Entries of the memory.
    pub(crate) entries: usize,
    /// Until all of them had come from the store.
    pub(crate) loading: Duration,
    /// From there until the memory was as it had been.
    pub(crate) restoring: Duration,
}

impl<P: Processor> Partition<P> {
    /// Claims the partition, then loads what its former owners left.
    ///
    /// The claim comes first: what a former owner begins to write after it is refused, so what is read here does not change
    /// but by what it has on the way; and that is of the plan that is read here.
    pub(crate) async fn take_up(&self) -> Result<(Run<P>, TakeUp), Error> {
        let shared = Arc::clone(&self.shared);
        let (processor, store) = (&shared.processor, &shared.store);
        let partition = self.source.partition;
        let incarnation = store.incarnation(P::INPUT, "").await?;
        point_of([P::NAME, ".claim-before"]).await;
        let owner = store.claim(P::NAME, partition).await?;
        let fence = if is_off(Guard::Epoch) { Fence::open(P::NAME) } else { owner.fence() };
        point_of([P::NAME, ".claim-after"]).await;
        let compact_after = shared.commit.compact_after;
        let begun = Instant::now();
        let (state, mut loaded) =
            State::load(store, P::STATE_TABLE, incarnation, partition, compact_after).await?;
        let witness = Witness::take_from(&mut loaded.entries);
        let mut ledger = Ledger::take_from(&mut loaded.entries);
        if let Some((_, end)) = loaded.end.filter(|(of, _)| *of != incarnation) {
            // Offsets begin anew with the topic, the ledger does not.
            ledger.count(format!("{}_offsets_of_former_topics", P::NAME), end);
        }
        let loading = begun.elapsed();
        let mut memory = processor.empty(partition);
        let entries = loaded.entries.len();
        // One by one, so that memory need not hold all of it twice.
        for entry in std::mem::take(&mut loaded.entries) {
            let restored = processor.restore(&mut memory, &entry);
            restored.map_err(|source| Error::Restore { of: self.source.clone(), source })?;
        }
        let mut tally = Tally::default();
        processor.settle(&mut memory, &mut tally);
        tally.count(&shared.counters);
        let took = TakeUp { entries, loading, restoring: begun.elapsed().saturating_sub(loading) };
        point_of([P::NAME, ".state-loaded"]).await;
        let plans = Plans { service: P::NAME, incarnation, partition };
        if let Some(epoch) = owner.outlived() {
            plans.forget_before(store, epoch).await?;
        }
        let end = loaded.end.filter(|(of, _)| *of == incarnation).map(|(_, end)| end);
        let planned = match end {
            _ if is_off(Guard::Plan) => None,
            end => plans.newest(store).await?.filter(|plan| end.is_none_or(|end| plan.first == end)),
        };
        point_of([P::NAME, ".plan-read"]).await;
        let found = shared.bus.watermarks(&self.source).await?;
        let expected = self.first_offset(end, planned, found, incarnation, &fence).await?;
        let source = self.source.clone();
        let committer = Committer {
            shared: Arc::clone(&shared),
            source: source.clone(),
            incarnation,
            owner,
            fence,
            plans,
            marks: None,
            ledger,
            state,
        };
        // What retention has removed altogether cannot be repeated.
        let repeat = planned.filter(|plan| plan.last >= expected);
        let witness = witness.filter(|witness| {
            witness.offset >= found.earliest && Some(witness.offset.saturating_add(1)) == end
        });
        let run = Run {
            shared,
            source,
            incarnation,
            memory,
            committing: Committing::new(committer),
            range: Range::default(),
            repeat,
            witness,
            expected,
        };
        Ok((run, took))
    }

    /// Where the memory ends, if the log reaches there; else where the log begins.
    async fn first_offset(
        &self,
        end: Option<u64>,
        planned: Option<Plan>,
        found: Watermarks,
        incarnation: u32,
        fence: &Fence,
    ) -> Result<u64, Error> {
        let known = planned.map(|plan| plan.last.saturating_add(1)).max(end);
        if let Some(wanted) = known.filter(|known| *known > found.end) {
            return Err(Error::LogEndsEarly { of: self.source.clone(), wanted, found });
        }
        let end = end.unwrap_or(0);
        if let Some(last) = found.earliest.checked_sub(1).filter(|last| *last >= end) {
            let loss = Loss { service: P::NAME, of: &self.source, incarnation, first: end, last };
            loss.tell(&self.shared.store, fence).await?;
            let name = format!("{}_messages_lost", P::NAME);
            self.shared.counters.counter(&name, &[("reason", "retention")]).add(loss.messages());
        }
        if end == found.end {
            self.shared.faults.clear(self.source.partition);
        }
        Ok(end.max(found.earliest))
    }
}
