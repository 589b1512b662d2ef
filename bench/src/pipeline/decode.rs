//! Frames of a capture through the sensor's worker into batches: one thread, as a sensor has it for a source.

use std::fs::File;
use std::io::BufWriter;

use anyhow::{Context as _, Result};

use crate::decode::play;
use crate::load::{DEVICES, now};
use crate::report::Figure;
use crate::traffic::Network;
use crate::traffic::frames::Mirror;

/// Conversations that begin in a second of the packets' time: a large hospital's.
pub(crate) const PACE: u64 = 2_000;

/// Plays the same capture in each round.
pub(super) fn measure(rounds: u8, conversations: u64) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let path = folder.path().join("mirror.pcap");
    let out = BufWriter::with_capacity(1 << 20, File::create(&path).context("make a capture")?);
    let mut mirror = Mirror::new(Network::new(1, DEVICES), now(), PACE, out)?;
    for _ in 0..conversations {
        mirror.talk()?;
    }
    mirror.finish()?;
    let (mut rates, mut costs, mut packets) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let played = play(&path, |_| ())?;
        let records = played.totals.flow_records as f64;
        anyhow::ensure!(played.totals.malformed.is_empty(), "the capture was not read: {:?}", played.totals);
        rates.push(records / played.seconds);
        packets.push(played.totals.packets as f64 / played.seconds);
        costs.push(played.cpu / records * 1e6);
    }
    Ok(vec![
        Figure::of("flow records", "a second", rates),
        Figure::of("frames", "a second", packets),
        Figure::of("CPU", "s per million records", costs),
    ])
}
