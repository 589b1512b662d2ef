//! What the alerter made of events, by its ledger.

use crate::doctor::hop::Hop;
use crate::doctor::tables::Tables;

/// What became of every message.
pub(super) fn hops(tables: &Tables) -> Hop {
    let mut hop = Hop::new("alerter", "messages")
        .passing(tables.counted("alerter_messages_received"), tables.counted("alerter_events_judged"))
        .dropping("events repeated", tables.counted("alerter_events_repeated"));
    for (reason, count) in tables.counted_by_value("alerter_messages_put_aside") {
        hop = hop.dropping(format!("put aside: {reason}"), count);
    }
    hop.closed()
}
