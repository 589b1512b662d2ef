//! Rows on their way into a real server.

mod server;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wardwatch_store::{BatchLimits, BatchWriter, Error, InsertToken, Row, Store};

#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
struct Reading {
    key: u64,
    value: u64,
}

const TABLE: &str = "CREATE TABLE readings (key UInt64, value UInt64) ENGINE = MergeTree ORDER BY key
    SETTINGS non_replicated_deduplication_window = 100";

async fn with_table(test: &str, table: &str) -> Option<Store> {
    let store = server::database(test).await?;
    store.migrate_with(&[]).await.expect("a database");
    store.execute(table).await.expect("a table");
    Some(store)
}

fn readings(keys: std::ops::Range<u64>) -> Vec<Reading> {
    keys.map(|key| Reading { key, value: key * 3 }).collect()
}

async fn number(store: &Store, query: &str) -> u64 {
    #[derive(Row, Deserialize)]
    struct Number {
        number: u64,
    }
    store.fetch::<Number>(query).await.expect("an answer").pop().expect("a row").number
}

#[tokio::test]
async fn what_was_flushed_is_in_the_table() {
    let Some(store) = with_table("what_was_flushed_is_in_the_table", TABLE).await else { return };
    let limits = BatchLimits { rows: 10_000, age: Duration::from_hours(1) };
    let writer = BatchWriter::new(store.clone(), "readings", limits);
    for row in readings(0..25_000) {
        writer.write(row).await.expect("taken");
    }
    writer.flush().await.expect("durable");
    let written = writer.written();
    assert_eq!((written.rows_in(), written.rows_out(), written.rows_lost()), (25_000, 25_000, 0));
    assert_eq!(written.batches(), 3);
    assert_eq!(number(&store, "SELECT count() AS number FROM readings").await, 25_000);
    assert_eq!(number(&store, "SELECT sum(value) AS number FROM readings").await, 3 * 25_000 * 24_999 / 2);
}

#[tokio::test]
async fn a_row_does_not_wait_longer_than_its_age() {
    let Some(store) = with_table("a_row_does_not_wait_longer_than_its_age", TABLE).await else { return };
    let limits = BatchLimits { rows: 10_000, age: Duration::from_millis(20) };
    let writer = BatchWriter::new(store.clone(), "readings", limits);
    writer.write(Reading { key: 1, value: 1 }).await.expect("taken");
    while writer.written().rows_out() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(number(&store, "SELECT count() AS number FROM readings").await, 1);
}

#[tokio::test]
async fn rows_arrive_in_the_order_in_which_they_were_written() {
    let latest = "CREATE TABLE readings (key UInt64, value UInt64) ENGINE = ReplacingMergeTree ORDER BY key";
    let test = "rows_arrive_in_the_order_in_which_they_were_written";
    let Some(store) = with_table(test, latest).await else { return };
    let limits = BatchLimits { rows: 7, age: Duration::from_hours(1) };
    let writer = BatchWriter::new(store.clone(), "readings", limits);
    for value in 0..100 {
        writer.write(Reading { key: value % 3, value }).await.expect("taken");
    }
    writer.flush().await.expect("durable");
    // Without a version the row that was inserted last wins.
    let last =
        store.fetch::<Reading>("SELECT key, value FROM readings FINAL ORDER BY key").await.expect("rows");
    assert_eq!(last.iter().map(|row| row.value).collect::<Vec<_>>(), [99, 97, 98]);
}

#[tokio::test]
async fn a_writer_that_cannot_write_says_so() {
    let Some(store) = with_table("a_writer_that_cannot_write_says_so", TABLE).await else { return };
    let writer = BatchWriter::new(store, "no_such_table", BatchLimits::default());
    writer.write(Reading { key: 1, value: 1 }).await.expect("taken");
    let error = writer.flush().await.expect_err("no table");
    assert!(
        matches!(&error, Error::WriterStopped { reason, .. } if reason.contains("no_such_table")),
        "{error}"
    );
    assert!(writer.write(Reading { key: 2, value: 2 }).await.is_err());
    assert_eq!((writer.written().rows_out(), writer.written().rows_lost()), (0, 1));
}

#[tokio::test]
async fn an_insert_is_one_part() {
    let Some(store) = with_table("an_insert_is_one_part", TABLE).await else { return };
    store.execute("SYSTEM STOP MERGES readings").await.expect("no merges");
    store.insert("readings", &readings(0..300_000), None).await.expect("inserted");
    let parts = "SELECT count() AS number FROM system.parts WHERE database = currentDatabase() AND active";
    assert_eq!(number(&store, parts).await, 1);
}

#[tokio::test]
async fn equal_rows_without_a_token_are_all_stored() {
    let Some(store) = with_table("equal_rows_without_a_token_are_all_stored", TABLE).await else { return };
    let rows = readings(0..1_000);
    store.insert("readings", &rows, None).await.expect("first");
    store.insert("readings", &rows, None).await.expect("meant");
    assert_eq!(number(&store, "SELECT count() AS number FROM readings").await, 2_000);
}

#[tokio::test]
async fn the_same_insert_under_one_token_is_stored_once() {
    let test = "the_same_insert_under_one_token_is_stored_once";
    let Some(store) = with_table(test, TABLE).await else { return };
    let rows = readings(0..1_000);
    let token = InsertToken("1:0:0:10".into());
    store.insert("readings", &rows, Some(&token)).await.expect("first");
    store.insert("readings", &rows, Some(&token)).await.expect("after a lost answer");
    assert_eq!(number(&store, "SELECT count() AS number FROM readings").await, 1_000);
    store.insert("readings", &rows, Some(&InsertToken("1:0:10:20".into()))).await.expect("another range");
    assert_eq!(number(&store, "SELECT count() AS number FROM readings").await, 2_000);
}
