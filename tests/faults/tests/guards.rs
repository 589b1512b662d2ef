//! Each guard against writing twice is needed: in the run that it is for, rows are there twice as soon as it is switched off.

#![forbid(unsafe_code)]

use wardwatch_fault_suite::facts::FactsLog;
use wardwatch_fault_suite::guards::{Named, directed};
use wardwatch_fault_suite::plan::Plan;
use wardwatch_fault_suite::trial;
use wardwatch_tests::skip;

async fn is_needed(test: &str, guard: Named) {
    if skip::unless_clickhouse(test) || skip::unless_kafka(test) {
        return;
    }
    let facts = FactsLog::heavy();
    let with = directed(guard);
    let without = Plan { without: [guard.name().to_owned()].into(), ..with.clone() };
    let verdict = trial::held(&facts, &with, false).await.expect("the engines start");
    assert!(verdict.wrong.is_none(), "with all guards\n{with}\n{}", verdict.wrong.unwrap_or_default());
    let verdict = trial::held(&facts, &without, false).await.expect("the engines start");
    let wrong = verdict.wrong.unwrap_or_default();
    // Nothing else may have gone wrong instead.
    assert!(wrong.contains("0 are missing") && wrong.contains("1000 are there twice"), "{without}\n{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mark_is_needed() {
    is_needed("the_mark_is_needed", Named::Mark).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_needed() {
    is_needed("the_token_is_needed", Named::Token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_is_needed() {
    is_needed("the_plan_is_needed", Named::Plan).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_epoch_is_needed() {
    is_needed("the_epoch_is_needed", Named::Epoch).await;
}
