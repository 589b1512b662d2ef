//! What inventories add to the counters.
//!
//! The sums of the enricher's counters close: messages received = batches applied + batches resent + commands applied +
//! commands ignored + commands repeated + messages put aside; facts received = flows + observations believed + observations rejected + facts of no known kind.

use wardwatch_processor::Tally;

/// Adds what an inventory did not use, or gave up for something newer, between two readings of its counters.
pub(crate) fn add_inventory(
    tally: &mut Tally,
    before: wardwatch_inventory::Counters,
    after: wardwatch_inventory::Counters,
) {
    tally.add("enricher_times_replaced", (after.clock_ahead - before.clock_ahead) as usize);
    let unused: [(&'static str, u64, u64); 5] = [
        ("without-subject", before.without_subject, after.without_subject),
        ("outside-site", before.outside_site, after.outside_site),
        ("endpoints-full", before.endpoints_full, after.endpoints_full),
        ("hearsay-full", before.hearsay_full, after.hearsay_full),
        ("third-devices-full", before.third_devices_full, after.third_devices_full),
    ];
    for (reason, before, after) in unused {
        tally.add_labelled("enricher_inventory_unused", "reason", reason, (after - before) as usize);
    }
    tally.add("enricher_scopes_full", (after.scopes_full - before.scopes_full) as usize);
    tally.add("enricher_joints_too_many", (after.joints_too_many - before.joints_too_many) as usize);
    let evicted: [(&'static str, u64, u64); 4] = [
        ("statements", before.statements_evicted, after.statements_evicted),
        ("addresses", before.addresses_merged, after.addresses_merged),
        ("bindings", before.bindings_evicted, after.bindings_evicted),
        ("findings", before.findings_forgotten, after.findings_forgotten),
    ];
    for (kind, before, after) in evicted {
        tally.add_labelled("enricher_inventory_evicted", "kind", kind, (after - before) as usize);
    }
}
