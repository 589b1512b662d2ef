//! Named counters and gauges: read in-process, over HTTP and by OpenTelemetry.
//!
//! Names are `snake_case` with the service's noun first (`facts_received`, `spool_bytes`). Labels take their values from
//! closed lists (a reason, a lane, a partition), never from traffic, so the number of series is bounded.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;
use serde::Serialize;

/// The labels of a series, sorted by name.
pub type Labels = Vec<(String, String)>;

/// A count that only grows. Cheap to clone; all clones count together.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Counts one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Counts several.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A level that rises and falls. Cheap to clone; all clones are one level.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    /// Sets the level.
    pub fn set(&self, level: i64) {
        self.0.store(level, Ordering::Relaxed);
    }

    /// Moves the level up or down.
    pub fn add(&self, change: i64) {
        self.0.fetch_add(change, Ordering::Relaxed);
    }

    /// The level now.
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Every counter and gauge of a process. Cheap to clone; all clones are one registry.
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Mutex<Registry>>);

#[derive(Debug, Default)]
struct Registry {
    counters: BTreeMap<String, Family<Counter>>,
    gauges: BTreeMap<String, Family<Gauge>>,
    meter: Option<Meter>,
}

/// The series of one name, shared with the callback that exports them.
type Family<T> = Arc<Mutex<BTreeMap<Labels, T>>>;

/// One series at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// The counter's or gauge's name.
    pub name: String,
    /// Its labels, sorted by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Count or level.
    #[serde(flatten)]
    pub reading: Reading,
}

/// A count or a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Reading {
    /// Of a [`Counter`].
    Counter(u64),
    /// Of a [`Gauge`].
    Gauge(i64),
}

impl Counters {
    /// The counter of this name and these labels, the same one every time it is asked for.
    pub fn counter(&self, name: &str, labels: &[(&str, &str)]) -> Counter {
        let mut registry = self.registry();
        let meter = registry.meter.clone();
        let family = registry.counters.entry(name.to_owned()).or_insert_with(|| {
            let family = Family::default();
            if let Some(meter) = &meter {
                export_counter(meter, name, &family);
            }
            family
        });
        held(family).entry(labels_of(labels)).or_default().clone()
    }

    /// The gauge of this name and these labels, the same one every time it is asked for.
    pub fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> Gauge {
        let mut registry = self.registry();
        let meter = registry.meter.clone();
        let family = registry.gauges.entry(name.to_owned()).or_insert_with(|| {
            let family = Family::default();
            if let Some(meter) = &meter {
                export_gauge(meter, name, &family);
            }
            family
        });
        held(family).entry(labels_of(labels)).or_default().clone()
    }

    /// Every series now, counters first, sorted by name and labels.
    pub fn snapshot(&self) -> Vec<Sample> {
        let registry = self.registry();
        let mut samples = Vec::new();
        for (name, family) in &registry.counters {
            for (labels, counter) in held(family).iter() {
                samples.push(Sample::new(name, labels, Reading::Counter(counter.value())));
            }
        }
        for (name, family) in &registry.gauges {
            for (labels, gauge) in held(family).iter() {
                samples.push(Sample::new(name, labels, Reading::Gauge(gauge.value())));
            }
        }
        samples
    }

    /// The sum of a counter over all its labels; zero where there is none.
    pub fn total(&self, name: &str) -> u64 {
        self.registry().counters.get(name).map_or(0, |family| held(family).values().map(Counter::value).sum())
    }

    /// Exports all series, those of today and those to come, by this meter. Only the first meter is taken.
    pub fn export_by(&self, meter: Meter) {
        let mut registry = self.registry();
        if registry.meter.is_some() {
            return;
        }
        for (name, family) in &registry.counters {
            export_counter(&meter, name, family);
        }
        for (name, family) in &registry.gauges {
            export_gauge(&meter, name, family);
        }
        registry.meter = Some(meter);
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        held(&self.0)
    }
}

impl Sample {
    fn new(name: &str, labels: &Labels, reading: Reading) -> Self {
        Self { name: name.to_owned(), labels: labels.iter().cloned().collect(), reading }
    }
}

fn labels_of(labels: &[(&str, &str)]) -> Labels {
    let mut labels: Labels =
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    labels.sort();
    labels
}

fn attributes(labels: &Labels) -> Vec<KeyValue> {
    labels.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect()
}

fn export_counter(meter: &Meter, name: &str, family: &Family<Counter>) {
    let family = Arc::clone(family);
    let _ = meter
        .u64_observable_counter(format!("wardwatch.{name}"))
        .with_callback(move |observer| {
            for (labels, counter) in held(&family).iter() {
                observer.observe(counter.value(), &attributes(labels));
            }
        })
        .build();
}

fn export_gauge(meter: &Meter, name: &str, family: &Family<Gauge>) {
    let family = Arc::clone(family);
    let _ = meter
        .i64_observable_gauge(format!("wardwatch.{name}"))
        .with_callback(move |observer| {
            for (labels, gauge) in held(&family).iter() {
                observer.observe(gauge.value(), &attributes(labels));
            }
        })
        .build();
}

/// No code panics while it holds one of these locks, and a count is never half done: a poisoned lock is as good as any.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_labels_are_one_series_in_whatever_order_they_are_given() {
        let counters = Counters::default();
        counters.counter("batches", &[("lane", "live"), ("site", "a")]).add(2);
        counters.counter("batches", &[("site", "a"), ("lane", "live")]).increment();
        counters.counter("batches", &[("lane", "backfill"), ("site", "a")]).increment();
        assert_eq!(counters.counter("batches", &[("lane", "live"), ("site", "a")]).value(), 3);
        assert_eq!(counters.total("batches"), 4);
        assert_eq!(counters.total("nothing"), 0);
    }

    #[test]
    fn a_snapshot_lists_every_series_as_json() {
        let counters = Counters::default();
        counters.counter("drops", &[("reason", "full")]).add(7);
        counters.gauge("spool_bytes", &[]).set(-1);
        let json = serde_json::to_value(counters.snapshot()).expect("plain data");
        let expected = serde_json::json!([
            {"name": "drops", "labels": {"reason": "full"}, "kind": "counter", "value": 7},
            {"name": "spool_bytes", "kind": "gauge", "value": -1},
        ]);
        assert_eq!(json, expected);
    }
}
