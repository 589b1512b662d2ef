//! Who may write what comes of a partition, on a real server.

mod server;

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};
use wardwatch_store::{Error, InsertToken, Row, Store, migration};

#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
struct Reading {
    key: u64,
    value: u64,
}

const READINGS: &str = "CREATE TABLE readings (key UInt64, value UInt64) ENGINE = MergeTree ORDER BY key
    SETTINGS non_replicated_deduplication_window = 100";

async fn with_table(test: &str, table: &str) -> Option<Store> {
    let store = server::database(test).await?;
    store.migrate_with(migration::ALL).await.expect("a database");
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

async fn stored(store: &Store) -> u64 {
    number(store, "SELECT count() AS number FROM readings").await
}

#[tokio::test]
async fn who_was_replaced_is_refused() {
    let Some(store) = with_table("who_was_replaced_is_refused", READINGS).await else { return };
    let first = store.claim("enricher", 3).await.expect("claimed");
    store.insert_fenced("readings", &readings(0..10), None, &first.fence()).await.expect("the owner's");
    let second = store.claim("enricher", 3).await.expect("claimed");
    assert!(second.epoch() > first.epoch());
    let refused = store.insert_fenced("readings", &readings(10..20), None, &first.fence()).await;
    assert!(
        matches!(&refused, Err(Error::Fenced { attempted }) if attempted.contains("readings")),
        "{refused:?}"
    );
    assert_eq!(stored(&store).await, 10);
    store.insert_fenced("readings", &readings(10..30), None, &second.fence()).await.expect("the owner's");
    assert_eq!(stored(&store).await, 30);
}

/// A reading takes 16 octets, and the body goes out in pieces of 256 KiB.
#[tokio::test]
async fn rows_that_end_with_a_piece_are_taken_like_others() {
    let test = "rows_that_end_with_a_piece_are_taken_like_others";
    let Some(store) = with_table(test, READINGS).await else { return };
    let fence = store.claim("enricher", 3).await.expect("claimed").fence();
    let mut from = 0;
    for rows in [16_383, 16_384, 16_385, 32_768] {
        store.insert_fenced("readings", &readings(from..from + rows), None, &fence).await.expect("stored");
        from += rows;
        assert_eq!(stored(&store).await, from);
    }
}

#[tokio::test]
async fn other_partitions_and_services_are_others_matters() {
    let test = "other_partitions_and_services_are_others_matters";
    let Some(store) = with_table(test, READINGS).await else { return };
    let owner = store.claim("enricher", 3).await.expect("claimed");
    for (service, partition) in [("enricher", 4), ("alerter", 3)] {
        for _ in 0..3 {
            store.claim(service, partition).await.expect("claimed");
        }
    }
    store.insert_fenced("readings", &readings(0..10), None, &owner.fence()).await.expect("still the owner");
}

#[tokio::test]
async fn of_two_who_claimed_the_same_number_one_is_the_owner() {
    let test = "of_two_who_claimed_the_same_number_one_is_the_owner";
    let Some(store) = with_table(test, READINGS).await else { return };
    let mine = store.claim("enricher", 0).await.expect("claimed");
    let claim = |owner: &str| {
        format!(
            "INSERT INTO owners (service, partition, epoch, owner) VALUES ('enricher', 0, {}, '{owner}')",
            mine.epoch()
        )
    };
    // A lower name of the same number changes nothing.
    store.execute(&claim("")).await.expect("claimed");
    store.insert_fenced("readings", &readings(0..1), None, &mine.fence()).await.expect("the owner's");
    store.execute(&claim("~")).await.expect("claimed");
    let refused = store.insert_fenced("readings", &readings(1..2), None, &mine.fence()).await;
    assert!(matches!(refused, Err(Error::Fenced { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_owner_whose_claim_is_gone_is_refused() {
    let test = "an_owner_whose_claim_is_gone_is_refused";
    let Some(store) = with_table(test, READINGS).await else { return };
    let owner = store.claim("enricher", 0).await.expect("claimed");
    store.execute("TRUNCATE TABLE owners").await.expect("a restored backup, say");
    let refused = store.insert_fenced("readings", &readings(0..1), None, &owner.fence()).await;
    assert!(matches!(refused, Err(Error::Fenced { .. })), "{refused:?}");
}

#[tokio::test]
async fn another_condition_holds_or_nothing_is_written() {
    let test = "another_condition_holds_or_nothing_is_written";
    let Some(store) = with_table(test, READINGS).await else { return };
    let fence = store.claim("enricher", 0).await.expect("claimed").fence();
    let is_empty = fence.and("(SELECT count() FROM readings) = 0");
    store.insert_fenced("readings", &readings(0..5), None, &is_empty).await.expect("it holds");
    let refused = store.insert_fenced("readings", &readings(5..9), None, &is_empty).await;
    assert!(matches!(refused, Err(Error::Overtaken { .. })), "{refused:?}");
    let never = fence.and("(SELECT max(key) FROM readings GROUP BY key HAVING key > 100) = 3");
    let refused = store.insert_fenced("readings", &readings(5..9), None, &never).await;
    assert!(matches!(refused, Err(Error::Overtaken { .. })), "nothing is not 3: {refused:?}");
    assert_eq!(stored(&store).await, 5);
}

#[tokio::test]
async fn an_insert_that_has_landed_is_not_sent_again() {
    let test = "an_insert_that_has_landed_is_not_sent_again";
    let Some(store) = with_table(test, READINGS).await else { return };
    let fence = store.claim("enricher", 0).await.expect("claimed").fence();
    let token = InsertToken("facts:0:1:0:10".into());
    let landed = || async { Ok(true) };
    let sent =
        store.insert_fenced_unless("readings", &readings(0..5), &token, [&fence, &fence], landed).await;
    assert_eq!(sent.expect("inserted"), 1, "the first time it is not asked");
    assert_eq!(stored(&store).await, 5);
}

#[tokio::test]
async fn claims_do_not_pile_up() {
    let Some(store) = with_table("claims_do_not_pile_up", READINGS).await else { return };
    let mut newest = store.claim("enricher", 0).await.expect("claimed");
    for _ in 0..70 {
        newest = store.claim("enricher", 0).await.expect("claimed");
    }
    assert_eq!(newest.epoch(), 71);
    let kept = number(&store, "SELECT count() AS number FROM owners").await;
    assert!(kept <= 40, "{kept} claims are kept");
    assert_eq!(number(&store, "SELECT max(epoch) AS number FROM owners").await, 71);
}

#[tokio::test]
async fn a_token_holds_behind_the_fence_too() {
    let Some(store) = with_table("a_token_holds_behind_the_fence_too", READINGS).await else { return };
    let token = InsertToken("facts:0:1:0:10".into());
    for _ in 0..2 {
        // Whoever repeats a former owner's plan has another claim and the same token.
        let owner = store.claim("enricher", 0).await.expect("claimed");
        let rows = readings(0..1_000);
        store.insert_fenced("readings", &rows, Some(&token), &owner.fence()).await.expect("inserted");
    }
    assert_eq!(stored(&store).await, 1_000);
}

#[tokio::test]
async fn a_large_insert_is_one_part() {
    let Some(store) = with_table("a_large_insert_is_one_part", READINGS).await else { return };
    store.execute("SYSTEM STOP MERGES readings").await.expect("no merges");
    let owner = store.claim("enricher", 0).await.expect("claimed");
    store.insert_fenced("readings", &readings(0..500_000), None, &owner.fence()).await.expect("inserted");
    let parts = "SELECT count() AS number FROM system.parts \
        WHERE database = currentDatabase() AND table = 'readings' AND active";
    assert_eq!(number(&store, parts).await, 1);
    assert_eq!(stored(&store).await, 500_000);
}

/// One of each kind of column that the product's tables have.
#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
struct Sample {
    small: u8,
    port: u16,
    number: u32,
    large: u64,
    name: String,
    word: String,
    is_guess: bool,
    address: Ipv6Addr,
    at: i64,
    vlans: Vec<u16>,
    words: Vec<String>,
    #[serde(with = "serde_bytes")]
    value: Vec<u8>,
    #[serde(rename = "factors.points")]
    points: Vec<u32>,
}

const SAMPLES: &str = "CREATE TABLE samples (large UInt64, small UInt8, port UInt16, number UInt32, name String,
    word LowCardinality(String), is_guess Bool, address IPv6, at DateTime64(9, 'UTC'), vlans Array(UInt16),
    words Array(LowCardinality(String)), value String, factors Nested(points UInt32)) ENGINE = MergeTree ORDER BY large";

#[tokio::test]
async fn every_kind_of_column_comes_back_as_it_went() {
    let test = "every_kind_of_column_comes_back_as_it_went";
    let Some(store) = with_table(test, SAMPLES).await else { return };
    let samples: Vec<Sample> = (0..200_u16)
        .map(|n| Sample {
            small: n as u8,
            port: n * 300,
            number: u32::from(n) << 20,
            large: u64::MAX - u64::from(n),
            name: "Gerät ".repeat(usize::from(n)),
            word: format!("w{}", n % 3),
            is_guess: n % 2 == 0,
            address: Ipv6Addr::new(0xfe80, n, 0, 0, 0, 0, 1, n),
            at: 1_700_000_000_123_456_789 + i64::from(n),
            vlans: (0..n % 5).collect(),
            words: (0..n % 4).map(|n| n.to_string()).collect(),
            value: (0..n as u8).collect(),
            points: (0..u32::from(n % 7)).collect(),
        })
        .collect();
    let owner = store.claim("enricher", 0).await.expect("claimed");
    store.insert_fenced("samples", &samples, None, &owner.fence()).await.expect("inserted");
    let query = "SELECT small, port, number, large, name, word, is_guess, address, at, vlans, words, value, \
        factors.points FROM samples ORDER BY large DESC";
    assert_eq!(store.fetch::<Sample>(query).await.expect("rows"), samples);
}

#[tokio::test]
async fn rows_that_do_not_fit_their_table_are_told_apart() {
    #[derive(Debug, Row, Serialize, Deserialize)]
    struct Wider {
        key: u64,
        value: u64,
        unit: String,
    }
    #[derive(Debug, Row, Serialize, Deserialize)]
    struct Narrower {
        key: u64,
        value: u32,
    }
    let test = "rows_that_do_not_fit_their_table_are_told_apart";
    let Some(store) = with_table(test, READINGS).await else { return };
    let fence = store.claim("enricher", 0).await.expect("claimed").fence();
    let wider = [Wider { key: 1, value: 1, unit: "mV".into() }];
    let error = store.insert_fenced("readings", &wider, None, &fence).await.expect_err("no such column");
    assert!(error.to_string().contains("no column unit"), "{error}");
    let narrower = [Narrower { key: 1, value: 1 }];
    let error = store.insert_fenced("readings", &narrower, None, &fence).await.expect_err("another type");
    assert!(error.to_string().contains("value is u32, the column is UInt64"), "{error}");
}
