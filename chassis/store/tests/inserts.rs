//! Rows on their way into a real server.

mod server;

use serde::{Deserialize, Serialize};
use wardwatch_store::{InsertToken, Row, Store};

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
