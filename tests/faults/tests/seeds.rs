//! Twenty runs under faults, each made from its seed: everything ends as if nothing had happened.

#![forbid(unsafe_code)]

use wardwatch_fault_suite::facts::FactsLog;
use wardwatch_fault_suite::plan::{Plan, Side};
use wardwatch_fault_suite::trial;
use wardwatch_tests::skip;

async fn ends_like_a_run_without_faults(test: &str, seed: u64) {
    // What it is held against comes of Kafka, whatever the log.
    if skip::unless_clickhouse(test) || skip::unless_kafka(test) {
        return;
    }
    let plan = Plan::of_seed(seed, None, None);
    let facts = match plan.side {
        Side::After => FactsLog::ward().expect("the captures can be read"),
        Side::Before => FactsLog::default(),
    };
    let verdict = trial::held(&facts, &plan, false).await.expect("the engines start");
    let wrong = verdict.wrong.unwrap_or_default();
    assert!(wrong.is_empty(), "seed {seed} on {:?}, faults {:?} it\n{plan}\n{wrong}", plan.log, plan.side);
}

macro_rules! seeds {
    ($($test:ident $seed:literal),+ $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            ends_like_a_run_without_faults(stringify!($test), $seed).await;
        })+
    };
}

seeds! {
    seed_0 0, seed_1 1, seed_2 2, seed_3 3, seed_4 4, seed_5 5, seed_6 6, seed_7 7, seed_8 8, seed_9 9,
    seed_10 10, seed_11 11, seed_12 12, seed_13 13, seed_14 14, seed_15 15, seed_16 16, seed_17 17, seed_18 18, seed_19 19,
}
