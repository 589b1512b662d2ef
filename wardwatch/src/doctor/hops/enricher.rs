//! What the enricher made of messages and of the facts in them, by its ledger.

use crate::doctor::hop::{Hop, Total as _};
use crate::doctor::tables::{BootRow, Tables};

/// What became of every message and every fact.
pub(super) fn hops(tables: &Tables) -> Vec<Hop> {
    vec![messages(tables), facts(tables)]
}

fn messages(tables: &Tables) -> Hop {
    let understood = ["enricher_batches_applied", "enricher_commands_applied", "enricher_commands_ignored"];
    let understood = understood.iter().map(|counter| tables.counted(counter)).total();
    let mut hop = Hop::new("enricher", "messages")
        .passing(tables.counted("enricher_messages_received"), understood)
        .dropping("batches resent", tables.counted("enricher_batches_resent"))
        .dropping("commands repeated", tables.counted("enricher_commands_repeated"));
    for (reason, count) in tables.counted_by_value("enricher_messages_put_aside") {
        hop = hop.dropping(format!("put aside: {reason}"), count);
    }
    // The same by what is remembered of each boot, unless that was forgotten in between.
    let came = |of: fn(&BootRow) -> u64| tables.boots.iter().map(of).total();
    for (counter, came, what) in [
        ("enricher_batches_applied", came(|boot| boot.batches), "batches"),
        ("enricher_batches_resent", came(|boot| boot.resent), "batches that were resent"),
    ] {
        let counted = tables.counted(counter);
        if counted != came && tables.counted("enricher_boots_forgotten") == 0 {
            hop = hop.broken(format!("{counted} {what} were counted, and {came} stand in sensor_boots"));
        }
    }
    let replaced = tables.counted("enricher_times_replaced");
    if replaced > 0 {
        hop = hop.attention(format!(
            "{replaced} times were ahead of the log's clock and replaced by it: a sensor's clock, or the brokers', is wrong"
        ));
    }
    for (counter, what) in [
        ("enricher_received_forgotten", "numbers of batches"),
        ("enricher_boots_forgotten", "boots of sensors"),
    ] {
        let forgotten = tables.counted(counter);
        if forgotten > 0 {
            hop = hop.attention(format!(
                "{forgotten} {what} are no longer remembered: a resend would count twice"
            ));
        }
    }
    hop.closed()
}

/// What came in new batches, by what is remembered of each boot and by what was counted of each fact.
fn facts(tables: &Tables) -> Hop {
    let came = tables.boots.iter().map(|boot| boot.facts).total();
    let understood = ["enricher_flows_received", "enricher_observations_received"];
    let understood = understood.iter().map(|counter| tables.counted(counter)).total();
    let mut hop = Hop::new("enricher facts", "facts")
        .passing(came, understood)
        .dropping("of no known kind", tables.counted("enricher_facts_unknown"));
    for (reason, count) in tables.counted_by_value("enricher_observations_rejected") {
        hop = hop.dropping(reason, count);
    }
    hop.closed()
}
