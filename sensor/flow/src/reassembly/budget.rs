//! The bytes that all streams together may keep, and what happened to them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

/// What reassembly did, in totals over all streams of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes that wait behind holes now.
    pub held_bytes: usize,
    /// Segments that had to wait.
    pub held_segments: u64,
    /// Payload bytes left out because they were there before.
    pub repeated_bytes: u64,
    /// Holes delivered as gaps.
    pub gaps: u64,
    /// Bytes missing in them.
    pub gap_bytes: u64,
    /// Holes given up because their stream kept too much behind them.
    pub stream_full: u64,
    /// Holes given up because all streams together kept too much.
    pub budget_full: u64,
    /// Segments ignored because they lie further off than any window reaches.
    pub out_of_window: u64,
}

#[derive(Debug, Default)]
struct Shared {
    limit: usize,
    stream_limit: usize,
    held_bytes: AtomicUsize,
    held_segments: AtomicU64,
    repeated_bytes: AtomicU64,
    gaps: AtomicU64,
    gap_bytes: AtomicU64,
    stream_full: AtomicU64,
    budget_full: AtomicU64,
    out_of_window: AtomicU64,
}

/// A budget that streams share; clones are the same budget. A stream gives back what it holds when it is dropped.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Shared>);

impl Default for Budget {
    /// 64 MiB for all streams, 1 MiB for each.
    fn default() -> Self {
        Self::new(64 << 20, 1 << 20)
    }
}

impl Budget {
    /// A budget of `limit` bytes for all streams, of which each may take `stream_limit`.
    pub fn new(limit: usize, stream_limit: usize) -> Self {
        Self(Arc::new(Shared { limit, stream_limit, ..Shared::default() }))
    }

    /// Totals so far.
    pub fn stats(&self) -> Stats {
        let shared = &self.0;
        Stats {
            held_bytes: shared.held_bytes.load(Relaxed),
            held_segments: shared.held_segments.load(Relaxed),
            repeated_bytes: shared.repeated_bytes.load(Relaxed),
            gaps: shared.gaps.load(Relaxed),
            gap_bytes: shared.gap_bytes.load(Relaxed),
            stream_full: shared.stream_full.load(Relaxed),
            budget_full: shared.budget_full.load(Relaxed),
            out_of_window: shared.out_of_window.load(Relaxed),
        }
    }

    /// Takes `bytes` for a stream that has `held` already. False, and counted, if it is too much.
    pub(super) fn take(&self, bytes: usize, held: usize) -> bool {
        let shared = &self.0;
        if held.saturating_add(bytes) > shared.stream_limit {
            shared.stream_full.fetch_add(1, Relaxed);
            return false;
        }
        let within = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= shared.limit);
        let taken = shared.held_bytes.fetch_update(Relaxed, Relaxed, within).is_ok();
        if !taken {
            shared.budget_full.fetch_add(1, Relaxed);
        }
        taken
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.0.held_bytes.fetch_sub(bytes, Relaxed);
    }

    pub(super) fn count_held(&self) {
        self.0.held_segments.fetch_add(1, Relaxed);
    }

    pub(super) fn count_repeated(&self, bytes: u32) {
        self.0.repeated_bytes.fetch_add(u64::from(bytes), Relaxed);
    }

    pub(super) fn count_gap(&self, bytes: u32) {
        self.0.gaps.fetch_add(1, Relaxed);
        self.0.gap_bytes.fetch_add(u64::from(bytes), Relaxed);
    }

    pub(super) fn count_out_of_window(&self) {
        self.0.out_of_window.fetch_add(1, Relaxed);
    }
}
