//! The migrations on a real server.

mod server;

use serde::Deserialize;
use wardwatch_store::migration::{ALL, Migration};
use wardwatch_store::{Error, Retention, Row, Settings, Store};

#[derive(Row, Deserialize)]
struct Text {
    text: String,
}

async fn tables(store: &Store) -> Vec<String> {
    let query = "SELECT name AS text FROM system.tables WHERE database = currentDatabase() ORDER BY name";
    store.fetch::<Text>(query).await.expect("the tables").into_iter().map(|row| row.text).collect()
}

async fn engine_of(store: &Store, table: &str) -> String {
    let query = format!(
        "SELECT engine_full AS text FROM system.tables WHERE database = currentDatabase() AND name = '{table}'"
    );
    store.fetch::<Text>(&query).await.expect("the engine").pop().expect("the table").text
}

#[tokio::test]
async fn applying_them_twice_changes_nothing_the_second_time() {
    let Some(store) = server::database("applying_them_twice_changes_nothing_the_second_time").await else {
        return;
    };
    assert!(matches!(store.check_migrated().await, Err(Error::NotMigrated { number: 1, .. })));

    assert_eq!(store.migrate().await.expect("a first run").len(), ALL.len());
    let first = tables(&store).await;
    assert_eq!(store.migrate().await.expect("a second run"), Vec::<String>::new());
    assert_eq!(tables(&store).await, first);

    for table in [
        "alert_events",
        "alerter_state",
        "alerts",
        "attributes",
        "changes",
        "conversations",
        "devices",
        "enricher_state",
        "flows",
        "import_rows",
        "sensor_boots",
        "sightings",
        "site_minute",
        "topic_incarnations",
        "v_alerts",
        "v_attributes",
        "v_conversations",
        "v_devices",
        "v_flows",
        "v_import_differences",
        "v_import_rows",
        "v_imports",
        "v_ledger",
        "v_sensors",
        "v_site_minute",
    ] {
        assert!(first.iter().any(|name| name == table), "{table} is missing from {first:?}");
    }
    store.check_migrated().await.expect("complete");
}

#[tokio::test]
async fn an_interrupted_run_is_taken_up_again() {
    let Some(store) = server::database("an_interrupted_run_is_taken_up_again").await else { return };
    let half = &ALL[..2];
    store.migrate_with(half).await.expect("half of them");
    // The third had made its tables, and the program died before it could say so.
    let unrecorded = Migration { number: 1, ..ALL[2] };
    let elsewhere = Store::connect(store.settings()).expect("valid settings");
    for statement in unrecorded.sql.split(";\n") {
        if statement.contains("CREATE") {
            elsewhere.execute(statement).await.expect("a statement of the third");
        }
    }
    assert_eq!(store.migrate().await.expect("the rest").len(), ALL.len() - half.len());
}

#[tokio::test]
async fn an_edited_file_is_refused_by_name() {
    let Some(store) = server::database("an_edited_file_is_refused_by_name").await else { return };
    let first =
        Migration { number: 1, name: "gateways", sql: "CREATE TABLE IF NOT EXISTS g (a UInt8) ORDER BY a" };
    let edited = Migration { sql: "CREATE TABLE IF NOT EXISTS g (b UInt8) ORDER BY b", ..first };
    store.migrate_with(&[first]).await.expect("as it was");
    let error = store.migrate_with(&[edited]).await.expect_err("edited");
    assert!(matches!(error, Error::MigrationChanged { .. }), "{error}");
    assert!(error.to_string().contains("0001_gateways"), "{error}");
}

#[tokio::test]
async fn two_programs_may_migrate_at_once() {
    let Some(store) = server::database("two_programs_may_migrate_at_once").await else { return };
    let other = Store::connect(store.settings()).expect("valid settings");
    let (one, two) = tokio::join!(store.migrate(), other.migrate());
    one.expect("one");
    two.expect("the other");
    store.check_migrated().await.expect("complete");
    assert_eq!(store.migrate().await.expect("again"), Vec::<String>::new());
}

#[tokio::test]
async fn the_configuration_decides_retention_and_synchronous_writes() {
    let name = "the_configuration_decides_retention_and_synchronous_writes";
    let Some(store) = server::database(name).await else { return };
    store.migrate().await.expect("the defaults");
    let by_default = engine_of(&store, "flows").await;
    assert!(!by_default.contains("TTL"), "nothing is removed unless asked for: {by_default}");
    assert!(by_default.contains("fsync_after_insert = 1"), "{by_default}");

    let retention = Retention { flows: Some(90), conversations: Some(365), ..Retention::default() };
    let configured = Settings { fsync: false, retention, ..store.settings().clone() };
    Store::connect(&configured).expect("valid settings").migrate().await.expect("a change");
    let engine = engine_of(&store, "flows").await;
    assert!(engine.contains("toIntervalDay(90)"), "{engine}");
    assert!(engine.contains("fsync_after_insert = 0"), "{engine}");
    assert!(engine_of(&store, "conversations").await.contains("toIntervalDay(365)"));
    assert!(!engine_of(&store, "changes").await.contains("TTL"));

    store.migrate().await.expect("back to the defaults");
    assert!(!engine_of(&store, "flows").await.contains("TTL"));
}

#[tokio::test]
async fn a_topic_made_anew_gets_a_higher_incarnation() {
    let Some(store) = server::database("a_topic_made_anew_gets_a_higher_incarnation").await else { return };
    store.migrate().await.expect("tables");
    assert_eq!(store.incarnation("facts", "journal-a").await.expect("first"), 1);
    assert_eq!(store.incarnation("facts", "journal-a").await.expect("the same topic"), 1);
    assert_eq!(store.incarnation("facts", "journal-b").await.expect("another journal"), 2);
    assert_eq!(store.incarnation("events", "").await.expect("another topic"), 1);
    assert_eq!(store.begin_incarnation("events", "").await.expect("made anew"), 2);
    assert_eq!(store.incarnation("events", "").await.expect("the new one"), 2);
}
