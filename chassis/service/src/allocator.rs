//! Where the memory of every program comes from that is built on this crate.
//!
//! Rows of flows are short-lived strings by the dozen, freed by another thread than took them: on that the C library's
//! allocator spent more than half of the enricher's time. See `docs/decisions/0011-allocator.md`.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
