//! A real ClickHouse for a test, in a database of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use wardwatch_store::{Settings, Store};
use wardwatch_tests::clickhouse::Server;
use wardwatch_tests::skip;

static NEXT: AtomicU32 = AtomicU32::new(1);

/// A connection to a database that is not there yet; `None`, said aloud, where no server can be started.
pub(crate) async fn database(test: &str) -> Option<Store> {
    if skip::unless_clickhouse(test) {
        return None;
    }
    let server = Server::shared().await.expect("a server");
    let database = format!("store_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let settings = Settings { url: server.url().to_owned(), database, ..Settings::default() };
    Some(Store::connect(&settings).expect("valid settings"))
}
