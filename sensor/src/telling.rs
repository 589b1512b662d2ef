//! What the sensor counts, by name. A worker counts for itself, without atomics; what it has counted since the last time
//! is added here now and then.

use wardwatch_capture::{CaptureMode, Statistics};
use wardwatch_service::{Counter, Counters, Gauge};

use crate::spool::{Loss, Tally};
use crate::worker::Totals;

/// The sensor's counters. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    counters: Counters,
    pub(crate) batches_cut: Counter,
    pub(crate) facts_cut: Counter,
    facts_waiting: Gauge,
    pub(crate) acknowledged: Counter,
    pub(crate) rejected: Counter,
    pub(crate) resent: Counter,
    pub(crate) connections: Counter,
    pub(crate) backlog_streams: Counter,
    unacknowledged_bytes: Gauge,
    batches_waiting: Gauge,
    pub(crate) spool_found: Counter,
    pub(crate) spool_kept: Counter,
    pub(crate) spool_syncs: Counter,
    pub(crate) spool_errors: Counter,
    pub(crate) spool_files_set_aside: Counter,
    pub(crate) spool_bytes: Gauge,
    pub(crate) spool_batches: Gauge,
    /// Batches, facts and bytes.
    spool_lost: [(Loss, [Counter; 3]); 3],
}

impl Telling {
    pub(crate) fn new(counters: &Counters) -> Self {
        Self {
            counters: counters.clone(),
            batches_cut: counters.counter("sensor_batches_cut", &[]),
            facts_cut: counters.counter("sensor_facts_cut", &[]),
            facts_waiting: counters.gauge("sensor_facts_waiting", &[]),
            acknowledged: counters.counter("sensor_batches_acknowledged", &[]),
            rejected: counters.counter("sensor_batches_rejected", &[]),
            resent: counters.counter("sensor_batches_resent", &[]),
            connections: counters.counter("sensor_uplink_connections", &[]),
            backlog_streams: counters.counter("sensor_backlog_streams", &[]),
            unacknowledged_bytes: counters.gauge("sensor_unacknowledged_bytes", &[]),
            batches_waiting: counters.gauge("sensor_batches_waiting", &[]),
            spool_found: counters.counter("sensor_spool_batches_found", &[]),
            spool_kept: counters.counter("sensor_spool_batches_kept", &[]),
            spool_syncs: counters.counter("sensor_spool_syncs", &[]),
            spool_errors: counters.counter("sensor_spool_errors", &[]),
            spool_files_set_aside: counters.counter("sensor_spool_files_set_aside", &[]),
            spool_bytes: counters.gauge("sensor_spool_bytes", &[]),
            spool_batches: counters.gauge("sensor_spool_batches", &[]),
            spool_lost: Loss::ALL.map(|loss| {
                let names = [
                    "sensor_spool_batches_dropped",
                    "sensor_spool_facts_dropped",
                    "sensor_spool_bytes_dropped",
                ];
                (loss, names.map(|name| counters.counter(name, &[("reason", loss.name())])))
            }),
        }
    }

    /// Bytes of batches in memory, and batches that are neither acknowledged nor given up, wherever they are.
    pub(crate) fn held(&self, in_memory: u64, waiting: u64) {
        self.unacknowledged_bytes.set(i64::try_from(in_memory).unwrap_or(i64::MAX));
        self.batches_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// Counts batches that are lost.
    pub(crate) fn lost(&self, loss: Loss, lost: &Tally) {
        let counters = self.spool_lost.iter().filter(|(of, _)| *of == loss);
        for (_, [batches, facts, bytes]) in counters {
            batches.add(lost.batches);
            facts.add(lost.facts);
            bytes.add(lost.bytes);
        }
    }

    /// Says which boot this is: the value is its epoch.
    pub(crate) fn booted(&self, site: &str, sensor: &str, epoch: u64) {
        let epoch = i64::try_from(epoch).unwrap_or(i64::MAX);
        self.counters.gauge("sensor_boot", &[("site", site), ("sensor", sensor)]).set(epoch);
    }

    /// Facts in batches that were cut, and those that wait for company now.
    pub(crate) fn batched(&self, cut: u64, waiting: usize) {
        self.facts_cut.add(cut);
        self.facts_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// Adds what a worker has counted between two looks at its totals.
    pub(crate) fn worked(&self, before: &Totals, now: &Totals) {
        for (name, before, now) in [
            ("sensor_packets", before.packets, now.packets),
            ("sensor_bytes", before.bytes, now.bytes),
            ("sensor_packets_in_tunnels", before.packets_in_tunnels, now.packets_in_tunnels),
            ("sensor_packets_duplicate", before.duplicates, now.duplicates),
            ("sensor_bytes_duplicate", before.duplicate_bytes, now.duplicate_bytes),
            ("sensor_packets_dropped_behind", before.behind, now.behind),
            ("sensor_packets_in_flows", before.packets_in_flows, now.packets_in_flows),
            ("sensor_packets_not_ip", before.packets_not_ip, now.packets_not_ip),
            ("sensor_flows", before.flows, now.flows),
            ("sensor_flow_records", before.flow_records, now.flow_records),
            ("sensor_observations", before.observations, now.observations),
            ("sensor_observations_repeated", before.repeats, now.repeats),
            ("sensor_values_refused", before.refused, now.refused),
            (
                "sensor_facts_of_further_networks",
                before.facts_of_further_networks,
                now.facts_of_further_networks,
            ),
            ("sensor_flows_evicted", before.evicted_flows, now.evicted_flows),
            ("sensor_clock_jumps", before.clock_jumps, now.clock_jumps),
            ("sensor_datagrams_incomplete", before.incomplete_datagrams, now.incomplete_datagrams),
            ("sensor_fragments_refused", before.fragments_refused, now.fragments_refused),
            ("sensor_fragments_lost", before.fragments_lost, now.fragments_lost),
            ("sensor_stream_bytes_missing", before.missing_bytes, now.missing_bytes),
            ("sensor_reassembly_given_up", before.reassembly_given_up, now.reassembly_given_up),
        ] {
            self.counters.counter(name, &[]).add(now.saturating_sub(before));
        }
        let held = i64::try_from(now.fragments_held).unwrap_or(i64::MAX);
        self.counters.gauge("sensor_fragments_held", &[]).set(held);
        let networks = i64::try_from(now.networks).unwrap_or(i64::MAX);
        self.counters.gauge("sensor_networks", &[]).set(networks);
        let under_way = i64::try_from(now.under_way).unwrap_or(i64::MAX);
        self.counters.gauge("sensor_packets_under_way", &[]).set(under_way);
        for (reason, count) in &now.malformed {
            let more = count.saturating_sub(before.malformed.get(reason).copied().unwrap_or(0));
            self.counters.counter("sensor_packets_malformed", &[("reason", reason)]).add(more);
        }
        for (outcome, count) in &now.conversations {
            let more = count.saturating_sub(before.conversations.get(outcome).copied().unwrap_or(0));
            self.counters.counter("sensor_conversations_ended", &[("outcome", outcome)]).add(more);
        }
    }

    /// Says by which means an interface is captured now, if it is.
    pub(crate) fn capturing(&self, now: Option<CaptureMode>) {
        for mode in [CaptureMode::PacketSocket, CaptureMode::AfXdp] {
            let gauge = self.counters.gauge("sensor_capture_mode", &[("mode", mode.name())]);
            gauge.set(i64::from(now == Some(mode)));
        }
    }

    /// Adds what a source has counted between two looks at its statistics.
    pub(crate) fn captured(&self, before: &Statistics, now: &Statistics) {
        for (name, before, now) in [
            ("sensor_packets_dropped_by_kernel", before.dropped, now.dropped),
            ("sensor_capture_freezes", before.freezes, now.freezes),
            ("sensor_records_malformed", before.malformed, now.malformed),
            ("sensor_files_truncated", before.truncated, now.truncated),
            ("sensor_packets_untimed", before.untimed, now.untimed),
            ("sensor_packets_backwards", before.backwards, now.backwards),
            ("sensor_capture_interruptions", before.interruptions, now.interruptions),
        ] {
            self.counters.counter(name, &[]).add(now.saturating_sub(before));
        }
    }
}
