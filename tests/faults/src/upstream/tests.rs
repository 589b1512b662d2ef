//! The comparison finds what it is for.

use super::*;
use crate::facts::recorded::of_process;

/// A sensor of two processes; the facts of each in batches of eight.
fn sensor() -> (Instance, BTreeMap<u64, BTreeMap<u64, Batch>>) {
    let sensor = Instance { plays: vec![vec![0], vec![1]], ..Instance::new(Service::Sensor, 1) };
    let boots = (100..).zip(&sensor.plays).map(|(epoch, captures)| {
        let facts = of_process(captures).unwrap();
        let batch = |(sequence, facts): (u64, &[Fact])| {
            (sequence, Batch { epoch, sequence, facts: facts.to_vec(), ..Batch::default() })
        };
        (epoch, (1..).zip(facts.chunks(8)).map(batch).collect())
    });
    let boots = boots.collect();
    (sensor, boots)
}

fn judged(sensor: &Instance, boots: &BTreeMap<u64, BTreeMap<u64, Batch>>) -> (bool, Vec<String>) {
    let mut wrong = Vec::new();
    let is_whole = compare(sensor, boots, &mut wrong).unwrap();
    (is_whole, wrong)
}

#[test]
fn everything_is_whole() {
    let (sensor, boots) = sensor();
    assert_eq!(judged(&sensor, &boots), (true, vec![]));
}

#[test]
fn a_boot_that_ends_early_is_no_loss_but_not_whole() {
    let (sensor, mut boots) = sensor();
    boots.get_mut(&100).unwrap().pop_last();
    assert_eq!(judged(&sensor, &boots), (false, vec![]));
    boots.remove(&100);
    assert_eq!(judged(&sensor, &boots), (false, vec![]), "it had kept nothing");
}

#[test]
fn a_hole_is_wrong() {
    let (sensor, mut boots) = sensor();
    boots.get_mut(&100).unwrap().remove(&2);
    let (_, wrong) = judged(&sensor, &boots);
    assert!(wrong.iter().any(|wrong| wrong.contains("holes")), "{wrong:?}");
}

#[test]
fn a_fact_that_nobody_saw_is_wrong() {
    let (sensor, mut boots) = sensor();
    let batch = boots.get_mut(&101).unwrap().get_mut(&1).unwrap();
    batch.facts.swap(0, 1);
    let (_, wrong) = judged(&sensor, &boots);
    assert!(wrong.iter().any(|wrong| wrong.contains("none of its processes saw")), "{wrong:?}");
}
