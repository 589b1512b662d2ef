//! What a collector received, and what of it the log holds.

use crate::doctor::hop::Hop;
use crate::doctor::service::Answer;

/// What one collector's process has counted.
pub(super) fn hops(url: &str, answer: &Answer) -> Vec<Hop> {
    let all = [batches(answer), commands(answer)];
    all.into_iter().flatten().map(|hop| hop.of(url).closed()).collect()
}

fn batches(answer: &Answer) -> Option<Hop> {
    let received = answer.value("collector_batches_received")?;
    let rejected = answer.by("collector_batches_rejected", "reason");
    let mut hop = Hop::new("collector", "batches")
        .passing(received, answer.total("collector_batches_published"))
        .holding(answer.total("collector_batches_waiting"))
        .dropping("not published, to be sent again", answer.total("collector_batches_not_published"));
    for (reason, count) in rejected.into_iter().filter(|(_, count)| *count > 0) {
        hop = hop.attention(format!("{count} batches were rejected: {reason}")).dropping(reason, count);
    }
    Some(hop)
}

fn commands(answer: &Answer) -> Option<Hop> {
    let received = answer.value("collector_commands_received")?;
    let hop = Hop::new("collector commands", "commands")
        .passing(received, answer.total("collector_commands_published"))
        .dropping("not published, to be sent again", answer.total("collector_commands_not_published"));
    let rejected = answer.by("collector_commands_rejected", "reason").into_iter();
    Some(rejected.fold(hop, |hop, (reason, count)| hop.dropping(reason, count)))
}
