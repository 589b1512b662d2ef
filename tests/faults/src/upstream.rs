//! What is to be true of sensors, spools and collectors, whatever befell them.
//!
//! A sensor that is killed takes with it what it had not kept: what was in its flow table and in the open batch. So the facts of
//! a process that was killed are not those of one that was not, but they are the first of them, in order and without a hole:
//!
//! 1. A batch that came twice says the same both times.
//! 2. The numbers of each boot are 1, 2, 3, ... without a hole, also by the table `sensor_boots`.
//! 3. The facts of a boot, in the order of its numbers, are the first of those that the captures of one process hold; all of
//!    them, where the process came to its end.
//! 4. Whatever lay in the spool of a process when it was killed has come.
//! 5. `flows` holds the flows of all batches, each once.
//! 6. Where nothing was taken away by a kill, everything that does not depend on the order of arrival is as in a run without
//!    faults ([`content`]).

mod kept;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use prost::Message as _;
use prost::bytes::Bytes;
use wardwatch_proto::topic;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{Batch, Fact, LogRecord, log_record};
use wardwatch_tests::pipeline::messages;

use crate::content::{self, Content};
use crate::facts::recorded;
use crate::plan::{Instance, Plan, Service};
use crate::stage::{self, Stage};

/// What does not depend on the order in which batches of several boots arrive, nor on when they were cut.
const WITHOUT_ORDER: [(&str, &str); 4] = [
    (
        "flows",
        "SELECT * EXCEPT (epoch, sequence, initiator, initiator_device, responder, responder_device, received, \
         source_incarnation, source_partition, source_offset, source_index) FROM flows",
    ),
    ("devices", "SELECT * FROM v_devices"),
    ("attributes", "SELECT * FROM v_attributes"),
    (
        "sensor_boots",
        "SELECT site, sensor, sum(facts) AS facts, sum(flows) AS flows, sum(observations) AS observations \
         FROM sensor_boots FINAL GROUP BY site, sensor",
    ),
];

/// What came of a run on this side.
#[derive(Debug, Default)]
pub struct Found {
    /// What must not be.
    pub wrong: Vec<String>,
    /// Whether every process of every sensor came to state all that its captures hold.
    pub is_whole: bool,
    /// Batches that came again.
    pub resent: usize,
}

/// Batches by sensor and boot, in the order of their numbers.
type Boots = BTreeMap<String, BTreeMap<u64, BTreeMap<u64, Batch>>>;

/// Looks at what came.
pub async fn examine(stage: &Stage, plan: &Plan) -> Result<Found> {
    let mut found = Found { is_whole: true, ..Found::default() };
    let boots = received(stage, &mut found).await?;
    for sensor in plan.instances.iter().filter(|instance| instance.service == Service::Sensor) {
        let (name, _) = stage::sensor(sensor.number());
        let of = boots.get(name).cloned().unwrap_or_default();
        found.is_whole &= compare(sensor, &of, &mut found.wrong)?;
        kept::has_come(stage, sensor, &of, &mut found.wrong).await?;
    }
    stored(stage, &boots, &mut found.wrong).await?;
    Ok(found)
}

/// Everything that does not depend on order.
pub async fn content(stage: &Stage) -> Result<Content> {
    let mut content = Content::default();
    for (kind, query) in WITHOUT_ORDER {
        let text = stage.store().text(query, "JSONEachRow").await.with_context(|| format!("read {kind}"))?;
        content.kinds.insert(kind.to_owned(), content::sorted(&text));
    }
    Ok(content)
}

/// The batches in the log, each once.
async fn received(stage: &Stage, found: &mut Found) -> Result<Boots> {
    let bus = stage.bus().await?;
    let mut boots = Boots::new();
    let mut payloads: BTreeMap<(String, u64, u64), Bytes> = BTreeMap::new();
    for message in messages(bus.as_ref(), topic::FACTS).await? {
        let record = LogRecord::decode(message.payload.as_ref()).context("read a fact")?.record;
        let Some(log_record::Record::Batch(batch)) = record else { continue };
        let identity = (batch.sensor.clone(), batch.epoch, batch.sequence);
        match payloads.get(&identity) {
            Some(before) if *before == message.payload => found.resent += 1,
            Some(_) => {
                found.wrong.push(format!("the batch {identity:?} came twice and does not say the same"));
            }
            None => {
                payloads.insert(identity, message.payload);
                let of_boot = boots.entry(batch.sensor.clone()).or_default().entry(batch.epoch).or_default();
                of_boot.insert(batch.sequence, batch);
            }
        }
    }
    Ok(boots)
}

/// Holds the boots of a sensor against what its processes were to play; whether they stated all of it.
fn compare(
    sensor: &Instance,
    boots: &BTreeMap<u64, BTreeMap<u64, Batch>>,
    wrong: &mut Vec<String>,
) -> Result<bool> {
    let mut plays = sensor.plays.iter();
    let mut is_whole = true;
    for (epoch, batches) in boots {
        let numbers: Vec<u64> = batches.keys().copied().collect();
        if numbers != (1..=numbers.len() as u64).collect::<Vec<_>>() {
            wrong.push(format!("{}: boot {epoch} has holes: {numbers:?}", sensor.name));
        }
        let facts: Vec<&Fact> = batches.values().flat_map(|batch| &batch.facts).collect();
        // A process that was killed before it had kept anything has left no boot.
        let mut skipped = 0;
        let whole = loop {
            let Some(captures) = plays.next() else {
                wrong.push(format!("{}: boot {epoch} says what none of its processes saw", sensor.name));
                return Ok(false);
            };
            let expected = recorded::of_process(captures)?;
            if facts.len() <= expected.len()
                && facts.iter().zip(&expected).all(|(fact, expected)| *fact == expected)
            {
                break facts.len() == expected.len();
            }
            skipped += 1;
        };
        is_whole &= whole && skipped == 0;
    }
    Ok(is_whole && plays.next().is_none())
}

/// Holds `flows` and `sensor_boots` against the batches.
async fn stored(stage: &Stage, boots: &Boots, wrong: &mut Vec<String>) -> Result<()> {
    let batches = boots.values().flat_map(BTreeMap::values).flat_map(BTreeMap::values);
    let mut expected = Vec::new();
    for batch in batches {
        for fact in &batch.facts {
            if let Some(Stated::Flow(flow)) = &fact.fact {
                let Batch { site, sensor, epoch, sequence, .. } = batch.clone();
                expected.push((site, sensor, epoch, sequence, flow.id, flow.segment));
            }
        }
    }
    let mut flows = content::flows(stage).await?;
    expected.sort_unstable();
    flows.sort_unstable();
    if flows != expected {
        let twice = flows.windows(2).filter(|pair| pair[0] == pair[1]).count();
        let missing = expected.iter().filter(|flow| flows.binary_search(flow).is_err()).count();
        wrong.push(format!(
            "of {} flows in the log {missing} are not stored and {twice} are there twice",
            expected.len()
        ));
    }
    let incomplete =
        stage.lines("SELECT site, sensor, epoch, missing FROM sensor_boots FINAL WHERE missing > 0").await?;
    wrong.extend(incomplete.iter().map(|boot| format!("sensor_boots has holes: {boot}")));
    Ok(())
}

#[cfg(test)]
mod tests;
