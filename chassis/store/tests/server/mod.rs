//! A real ClickHouse for a test, in a database of its own.

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use wardwatch_store::{Settings, Store};

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A connection to an empty database, or `None`, said aloud, where there is no server.
pub(crate) async fn database(test: &str) -> Option<Store> {
    let Ok(url) = std::env::var("WARDWATCH_TEST_CLICKHOUSE") else {
        skipped(test, "there is no ClickHouse: set WARDWATCH_TEST_CLICKHOUSE to the URL of one");
        return None;
    };
    let database = format!("store_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let settings = Settings { url, database, ..Settings::default() };
    let store = Store::connect(&settings).expect("valid settings");
    store.ping().await.expect("a server that answers");
    Some(store)
}

fn skipped(test: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {reason}");
    let Some(path) = std::env::var_os("WARDWATCH_SKIPPED") else { return };
    let line = format!("wardwatch-store::{test}: {reason}\n");
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
}
