//! What idle flows take of memory: counted by the kernel, in a process that has done nothing else, with the sensor's allocator.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use wardwatch_sensor::worker::{Limits, Worker};

use super::flows::HANDSHAKE;
use super::turns::{Flows, START, Taker as _, framed, give_each};
use crate::cpu::Cost;

/// Who keeps the flows, and what came of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kept {
    /// The flow table alone, one packet of each
    Table,
    /// The sensor's worker, a SYN or a datagram of each
    Begun,
    /// The sensor's worker, a handshake or three datagrams of each
    Established,
}

/// Bytes that so many flows take, in a process of their own.
pub(super) fn of(kept: Kept, flows: u32) -> Result<u64> {
    let program = std::env::current_exe().context("find this program")?;
    let name = kept.to_possible_value().context("a name")?;
    let child = Command::new(program)
        .args(["resident", name.get_name(), &flows.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("start a process that keeps flows")?;
    ensure!(child.status.success(), "a process that keeps flows failed: {}", child.status);
    String::from_utf8_lossy(&child.stdout).trim().parse().context("read what it says")
}

/// What that process does: how much its memory has grown, in bytes.
pub(crate) fn measure(kept: Kept, flows: u32) -> Result<u64> {
    let resident = || Cost::of(std::process::id()).map(|cost| cost.resident);
    let before = resident()?;
    if kept == Kept::Table {
        let mut table = Flows::new();
        give_each(flows, &HANDSHAKE[..1], |frames| table.take(frames));
        let after = resident()?;
        ensure!(table.flows() == flows as usize, "{} flows of {flows}", table.flows());
        return Ok(after.saturating_sub(before));
    }
    let segments = if kept == Kept::Begun { &HANDSHAKE[..1] } else { &HANDSHAKE[..] };
    let mut worker = Worker::new(&Limits { flows: flows as usize, ..Limits::default() });
    let mut facts = Vec::new();
    let mut at = START;
    give_each(flows, segments, |frames| {
        worker.frames(&framed(frames, &mut at), &mut facts);
        facts.clear();
    });
    let after = resident()?;
    let totals = worker.totals();
    ensure!(
        totals.flows == u64::from(flows) && totals.evicted_flows == 0,
        "{} flows of {flows}, {} gave way",
        totals.flows,
        totals.evicted_flows
    );
    Ok(after.saturating_sub(before))
}
