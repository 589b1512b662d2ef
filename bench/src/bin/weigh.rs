//! What each device of a site takes of memory, counted by what is allocated: `cargo xtask bench inventory` starts it.
//!
//! It is a program of its own since counting takes time, and since the services' allocator counts nothing.

#![forbid(unsafe_code)]

use std::alloc::System;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Parser;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use wardwatch_inventory::{Inventory, LogMoment, Settings};
use wardwatch_knowledge::Knowledge;

#[path = "../inventory/ward.rs"]
mod ward;

use ward::{BATCH, MOST, first_visits};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Messages after which what changed is taken to be stored.
const RANGE: u64 = 20;

/// Weighs a site.
#[derive(Parser)]
struct Arguments {
    /// Devices of the site
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    devices: u32,
    /// Things that each device says
    statements: usize,
}

fn main() -> Result<()> {
    let Arguments { devices, statements } = Arguments::parse();
    let statements = statements.min(MOST);
    let knowledge = Arc::new(Knowledge::builtin().context("read the built-in knowledge")?);
    let most = usize::try_from(devices).unwrap_or(usize::MAX).saturating_add(1);
    let settings = Settings { endpoints: most.saturating_mul(3), ..Settings::default() };
    let region = Region::new(COUNTING);
    let held = || region.change().bytes_allocated as f64 - region.change().bytes_deallocated as f64;
    let mut inventory = Inventory::new("north", knowledge, settings);
    let mut facts = first_visits(devices, statements).peekable();
    let mut offset = 0;
    while facts.peek().is_some() {
        offset += 1;
        let at = LogMoment { incarnation: 1, partition: 0, offset, log_time: 0 };
        let batch: Vec<_> = facts.by_ref().take(BATCH).collect();
        drop(inventory.apply("s1", batch, at));
        if offset.is_multiple_of(RANGE) {
            drop(inventory.take_changed_state());
        }
    }
    drop(inventory.take_changed_state());
    let memory = held();
    let evidence = inventory.evidence();
    let copied = held() - memory;
    drop(evidence);
    let each = |bytes: f64| bytes / f64::from(devices);
    serde_json::to_writer(std::io::stdout(), &(each(memory), each(copied))).context("print what was counted")
}
