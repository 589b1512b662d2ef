//! From the wire to the log, as the sensor counts it and as the enricher remembers it.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use wardwatch_proto::topic;

use super::Limits;
use crate::doctor::hop::{Hop, Total as _};
use crate::doctor::readings::Readings;
use crate::doctor::service::Answer;
use crate::doctor::tables::{BootRow, Tables};

/// Boots with losses that are told one by one.
const TOLD: usize = 8;

/// What one sensor's process has counted.
pub(super) fn hops(url: &str, answer: &Answer) -> Vec<Hop> {
    let Some(taken) = answer.value("sensor_packets") else { return Vec::new() };
    vec![
        capture(answer, taken).of(url),
        decode(answer, taken).of(url),
        facts(answer).of(url),
        spool(answer).of(url),
    ]
}

/// What the wire offered, and what was taken of it.
fn capture(answer: &Answer, taken: u64) -> Hop {
    let dropped = answer.total("sensor_packets_dropped_by_kernel");
    let mut hop = Hop::new("capture", "frames")
        .passing(taken.saturating_add(dropped), taken)
        .dropping("ring was full", dropped);
    if dropped > 0 {
        hop = hop.attention(format!(
            "{dropped} frames were dropped since the sensor could not keep up: make input.ring_mebibytes larger"
        ));
    }
    let truncated = answer.total("sensor_files_truncated");
    if truncated > 0 {
        hop = hop.attention(format!("{truncated} capture files end in the middle of a frame"));
    }
    let jumps = answer.total("sensor_clock_jumps");
    if jumps > 0 {
        hop = hop.attention(format!(
            "the clock of the frames jumped {jumps} times (it does so between capture files, too)"
        ));
    }
    hop.closed()
}

/// What became of every frame, and of every packet inside one.
fn decode(answer: &Answer, taken: u64) -> Hop {
    let counted =
        answer.total("sensor_packets_in_flows").saturating_add(answer.total("sensor_packets_not_ip"));
    let hop = Hop::new("decode", "frames")
        .passing(taken.saturating_add(answer.total("sensor_packets_in_tunnels")), counted)
        .holding(
            answer.total("sensor_fragments_held").saturating_add(answer.total("sensor_packets_under_way")),
        )
        .dropping("duplicates", answer.total("sensor_packets_duplicate"))
        .dropping("worker behind", answer.total("sensor_packets_dropped_behind"))
        .dropping("fragments lost", answer.total("sensor_fragments_lost"));
    let malformed = answer.by("sensor_packets_malformed", "reason");
    malformed.into_iter().fold(hop, |hop, (reason, count)| hop.dropping(reason, count)).closed()
}

/// What was stated, and what of it stands in batches.
fn facts(answer: &Answer) -> Hop {
    let stated = answer.total("sensor_flow_records").saturating_add(answer.total("sensor_observations"));
    Hop::new("facts", "facts")
        .passing(stated, answer.total("sensor_facts_cut"))
        .holding(answer.total("sensor_facts_waiting"))
        .closed()
}

/// What became of every batch.
fn spool(answer: &Answer) -> Hop {
    let batches =
        answer.total("sensor_batches_cut").saturating_add(answer.total("sensor_spool_batches_found"));
    let rejected = answer.total("sensor_batches_rejected");
    let lost = answer.by("sensor_spool_batches_dropped", "reason");
    let mut hop = Hop::new("spool", "batches")
        .passing(batches, answer.total("sensor_batches_acknowledged"))
        .holding(answer.total("sensor_batches_waiting"))
        .dropping("rejected", rejected);
    if rejected > 0 {
        hop = hop.attention(format!(
            "{rejected} batches were rejected by the collector and are lost: its log says why"
        ));
    }
    for (reason, count) in lost.into_iter().filter(|(_, count)| *count > 0) {
        hop = hop.attention(format!("{count} batches are lost: {reason}")).dropping(reason, count);
    }
    hop.closed()
}

/// What every boot of every sensor has numbered, and what of it has come through the log to the enricher.
pub(super) fn to_the_log(now: &Readings, tables: &Tables, limits: &Limits) -> Vec<Hop> {
    let mut sensors: BTreeMap<(&str, &str), Vec<&BootRow>> = BTreeMap::new();
    for boot in tables.boots.iter().filter(|boot| boot.is_known) {
        sensors.entry((&boot.site, &boot.sensor)).or_default().push(boot);
    }
    sensors
        .into_iter()
        .map(|((site, sensor), boots)| way(now, tables, limits, (site, sensor), &boots))
        .collect()
}

fn way(now: &Readings, tables: &Tables, limits: &Limits, name: (&str, &str), boots: &[&BootRow]) -> Hop {
    let running = running(now, name);
    let came: u64 = boots.iter().map(|boot| boot.batches).total();
    let mut numbered: u64 = boots.iter().map(|boot| boot.highest).total();
    let missing: u64 = boots.iter().map(|boot| boot.missing).total();
    let mut hop = Hop::new("sensor to log", "batches").of(format!("{}/{}", name.0, name.1));
    // The sensor that runs now may have cut more than has come, and may still hold what is missing.
    let (mut held, mut explained) = (0, 0);
    if let Some((epoch, answer)) = running {
        let cut = answer.total("sensor_batches_cut");
        let of_it = boots.iter().find(|boot| boot.epoch == epoch);
        let highest = of_it.map_or(0, |boot| boot.highest);
        numbered = numbered.saturating_add(cut.saturating_sub(highest));
        let lag = now.log().map_or(0, |log| lag(log, tables));
        let waiting = answer.total("sensor_batches_waiting").saturating_add(lag);
        let given_up = answer.by("sensor_spool_batches_dropped", "reason").values().total();
        let given_up = given_up.saturating_add(answer.total("sensor_batches_rejected"));
        let rest = numbered.saturating_sub(came);
        held = rest.min(waiting);
        explained = (rest - held).min(given_up);
        hop = hop.holding(held).dropping("given up by the sensor", explained);
    }
    let mut unexplained = numbered.saturating_sub(came).saturating_sub(held).saturating_sub(explained);
    let recently = tables.now.saturating_sub(i64::try_from(limits.recent.as_millis()).unwrap_or(i64::MAX));
    let old: u64 = boots
        .iter()
        .filter(|boot| boot.last_heard < recently)
        .map(|boot| boot.missing)
        .total()
        .min(unexplained);
    if old > 0 {
        unexplained -= old;
        hop = hop
            .dropping("never came, long ago", old)
            .attention(format!("{old} batches of boots that were last heard long ago never came"));
    }
    hop = hop.passing(numbered, came);
    if unexplained == 0 {
        return hop.closed();
    }
    let holes = boots.iter().filter(|boot| boot.missing > 0 && boot.last_heard >= recently);
    for boot in holes.clone().take(TOLD) {
        hop = hop.broken(format!(
            "of the boot of {} these batches never came: {}",
            started(boot),
            ranges(boot)
        ));
    }
    if holes.count() > TOLD {
        hop = hop.note("more boots have holes: see v_sensors");
    }
    if missing == 0 {
        hop = hop.broken("batches were acknowledged to the sensor that the log does not hold");
    }
    hop.closed()
}

/// The boot of this sensor that runs now, and what it has counted.
fn running<'a>(now: &'a Readings, (site, sensor): (&str, &str)) -> Option<(u64, &'a Answer)> {
    now.services.iter().filter_map(|service| service.answer.as_ref().ok()).find_map(|answer| {
        let of = answer.samples.iter().find(|sample| {
            sample.name == "sensor_boot"
                && sample.labels.get("site").is_some_and(|found| found == site)
                && sample.labels.get("sensor").is_some_and(|found| found == sensor)
        })?;
        Some((u64::try_from(of.value).ok()?, answer))
    })
}

/// Messages of facts that nobody has worked on yet.
fn lag(log: &crate::doctor::log::Log, tables: &Tables) -> u64 {
    let positions = tables.positions("enricher");
    log.partitions(topic::FACTS)
        .map(|(number, partition)| {
            partition.end.saturating_sub(positions.get(&number).map_or(0, |(_, end)| *end))
        })
        .total()
}

fn started(boot: &BootRow) -> String {
    let seconds = i64::try_from(boot.epoch / 1000).unwrap_or(i64::MAX);
    let at = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|at| at.format(&Rfc3339).ok());
    at.unwrap_or_else(|| boot.epoch.to_string())
}

/// The holes in a boot's numbers, the newest first.
fn ranges(boot: &BootRow) -> String {
    const SHOWN: usize = 8;
    let mut holes: Vec<_> = boot
        .hole_firsts
        .iter()
        .zip(&boot.hole_lasts)
        .rev()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first} to {last}") })
        .collect();
    if holes.len() > SHOWN {
        holes.truncate(SHOWN);
        holes.push("and more".to_owned());
    }
    holes.join(", ")
}
