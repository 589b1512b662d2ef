//! The points that there are.

/// Every point's name, along the data path. Those that end in `:` are followed by the name of a table.
pub const POINTS: &[&str] = &[
    "sensor.spool-before-append",
    "sensor.spool-before-sync",
    "sensor.spool-after-sync",
    "sensor.uplink-after-send",
    "sensor.uplink-after-ack",
    "sensor.spool-after-remove",
    "collector.before-enqueue",
    "collector.after-enqueue",
    "collector.before-acknowledge",
    "enricher.claim-before",
    "enricher.claim-after",
    "enricher.state-loaded",
    "enricher.plan-read",
    "enricher.marks-read",
    "enricher.sought",
    "enricher.range-cut",
    "enricher.plan-after",
    "enricher.insert-before:",
    "enricher.insert-body:",
    "enricher.insert-after:",
    "enricher.events-enqueued",
    "enricher.published",
    "enricher.deadletters",
    "enricher.state-before",
    "enricher.state-after",
    "enricher.offset-committed",
    "enricher.compact-copied",
    "enricher.compacted",
    "alerter.claim-before",
    "alerter.claim-after",
    "alerter.state-loaded",
    "alerter.plan-read",
    "alerter.marks-read",
    "alerter.sought",
    "alerter.range-cut",
    "alerter.plan-after",
    "alerter.insert-before:",
    "alerter.insert-body:",
    "alerter.insert-after:",
    "alerter.events-enqueued",
    "alerter.published",
    "alerter.deadletters",
    "alerter.state-before",
    "alerter.state-after",
    "alerter.offset-committed",
    "alerter.compact-copied",
    "alerter.compacted",
];

/// Whether there is a point of this name.
pub fn is_point(name: &str) -> bool {
    let known = |wanted: &str| POINTS.contains(&wanted);
    match name.split_once(':') {
        Some((point, table)) => !table.is_empty() && known(&format!("{point}:")),
        None => known(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_of_a_table_names_the_table() {
        for name in
            ["enricher.insert-before:flows", "alerter.insert-body:alert_events", "enricher.plan-after"]
        {
            assert!(is_point(name), "{name}");
        }
        for name in [
            "enricher.insert-before",
            "enricher.insert-before:",
            "enricher.plan-after:flows",
            "plan-after",
            "",
        ] {
            assert!(!is_point(name), "{name}");
        }
    }
}
