//! The connection: blocks in, rows out, and another try where that can help.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use clickhouse::{Client, Compression, RowOwned, RowRead, RowWrite};
use url::{Host, Url};
use uuid::Uuid;
use wardwatch_service::retry;

use crate::columns::Known;
use crate::{Error, Result, Settings};

/// A connection to the database of the configuration. Cheap to clone; clones share the connection pool.
#[derive(Clone)]
pub struct Store {
    client: Client,
    settings: std::sync::Arc<Settings>,
    columns: std::sync::Arc<Known>,
}

/// Names an insert, so that the same rows sent twice under one name are stored once (`insert_deduplication_token`).
///
/// The server remembers tokens per table for a bounded number of parts, so a token covers the retry right after a lost
/// answer, not a replay an hour later. Two inserts with different rows must never share one: the second would be
/// dropped without a word. Make it from everything that decides the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsertToken(pub String);

impl InsertToken {
    /// A token that no other insert has.
    pub(crate) fn unique() -> Self {
        Self(Uuid::new_v4().to_string())
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({}/{})", self.settings.url, self.settings.database)
    }
}

impl Store {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Settings`] when the URL or the database's name cannot work.
    pub fn connect(settings: &Settings) -> Result<Self> {
        if !(settings.url.starts_with("http://") || settings.url.starts_with("https://")) {
            return Err(Error::Settings(format!(
                "url {:?} must begin with http:// or https://",
                settings.url
            )));
        }
        if !is_identifier(&settings.database) {
            return Err(Error::Settings(format!(
                "database {:?} must be letters, digits and _, not beginning with a digit",
                settings.database
            )));
        }
        // What does not leave the machine is not worth packing.
        let compression = if is_local(&settings.url) { Compression::None } else { Compression::Lz4 };
        let mut client = Client::default()
            .with_url(&settings.url)
            .with_compression(compression)
            .with_database(&settings.database)
            .with_product_info("wardwatch", env!("CARGO_PKG_VERSION"))
            .with_setting("async_insert", "0")
            .with_setting("max_execution_time", settings.end_timeout.as_secs().max(1).to_string());
        if !settings.user.is_empty() {
            client = client.with_user(&settings.user);
        }
        if !settings.password.is_empty() {
            client = client.with_password(settings.password.expose());
        }
        let settings = std::sync::Arc::new(settings.clone());
        Ok(Self { client, settings, columns: std::sync::Arc::default() })
    }

    /// The name of the database.
    pub fn database(&self) -> &str {
        &self.settings.database
    }

    /// The configuration it was made from.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Asks the server for its version, without trying again: the readiness probe.
    pub async fn ping(&self) -> Result<String> {
        let query = self.client.clone().with_database("default").query_raw("SELECT version()");
        within(self.settings.send_timeout, query.fetch_one::<String>())
            .await
            .map_err(failed("ask for the version"))
    }

    /// Inserts the rows as one block; when it returns, they are in the table. No rows, no request.
    ///
    /// Failures that may pass are tried again for as long as the configuration says, under the same token, so that rows
    /// whose answer was lost are not stored twice. Without a token the insert is like no other: without one the server
    /// would go by the rows, and drop equal ones that are meant.
    pub async fn insert<R>(&self, table: &str, rows: &[R], token: Option<&InsertToken>) -> Result<()>
    where
        R: RowOwned + RowWrite + Sync,
    {
        if rows.is_empty() {
            return Ok(());
        }
        let token = token.cloned().unwrap_or_else(InsertToken::unique);
        self.retry(|| self.insert_once(table, rows, &token)).await
    }

    async fn insert_once<R>(&self, table: &str, rows: &[R], token: &InsertToken) -> Result<()>
    where
        R: RowOwned + RowWrite + Sync,
    {
        let attempted = || format!("insert {} rows into {}.{table}", rows.len(), self.settings.database);
        let outcome = async {
            // The first insert into a table asks for its columns.
            let asked = self.client.insert::<R>(table);
            let mut insert = within(self.settings.send_timeout, asked).await?;
            insert = insert.with_timeouts(Some(self.settings.send_timeout), Some(self.settings.end_timeout));
            insert = insert.with_setting("insert_deduplication_token", &token.0);
            for row in rows {
                insert.write(row).await?;
            }
            insert.end().await
        };
        outcome.await.map_err(|source| Error::Request { attempted: attempted(), source })
    }

    /// Reads all rows of a query; the columns are matched by name. Failures that may pass are tried again.
    ///
    /// The text is sent as it is: put values in by [`quote`] or as numbers.
    pub async fn fetch<R>(&self, query: &str) -> Result<Vec<R>>
    where
        R: RowOwned + RowRead,
    {
        self.retry(|| async {
            let rows = self.client.query_raw(query).fetch_all::<R>();
            within(self.settings.end_timeout, rows).await.map_err(failed(query))
        })
        .await
    }

    /// Runs a statement that gives no rows. Failures that may pass are tried again, so it must be idempotent.
    pub async fn execute(&self, statement: &str) -> Result<()> {
        self.execute_in(&self.client, statement).await
    }

    /// As [`Store::execute`], for a statement that inserts: the server takes each try for an insert of its own, where without a
    /// token it would go by the rows.
    pub(crate) async fn execute_once_each(&self, statement: &str) -> Result<()> {
        self.retry(|| async {
            let token = InsertToken::unique();
            let client = self.client.clone().with_setting("insert_deduplication_token", token.0);
            let done = client.query_raw(statement).execute();
            within(self.settings.end_timeout, done).await.map_err(failed(statement))
        })
        .await
    }

    /// A client that may read and choose settings, and change no data (`readonly = 2`).
    pub(crate) fn reader(&self) -> Client {
        self.client.clone().with_setting("readonly", "2")
    }

    pub(crate) fn known_columns(&self) -> &Known {
        &self.columns
    }

    /// A client for inserts that bring their own statement.
    pub(crate) fn writer(&self) -> &Client {
        &self.client
    }

    /// Removes the whole database with all its tables: for measurements and tests that made one of their own.
    pub async fn drop_database(&self) -> Result<()> {
        let outside = self.client.clone().with_database("default");
        let statement = format!("DROP DATABASE IF EXISTS {} SYNC", self.settings.database);
        self.execute_in(&outside, &statement).await
    }

    /// Makes the database if it is not there.
    pub(crate) async fn create_database(&self) -> Result<()> {
        let outside = self.client.clone().with_database("default");
        let statement = format!("CREATE DATABASE IF NOT EXISTS {}", self.settings.database);
        self.execute_in(&outside, &statement).await
    }

    async fn execute_in(&self, client: &Client, statement: &str) -> Result<()> {
        self.retry(|| async {
            let done = client.query_raw(statement).execute();
            within(self.settings.end_timeout, done).await.map_err(failed(statement))
        })
        .await
    }

    pub(crate) async fn retry<T, F, Fut>(&self, attempt: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        retry("clickhouse", self.settings.retry_for, Error::is_retriable, attempt).await
    }
}

/// A text as an SQL literal.
pub fn quote(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            literal.push('\\');
        }
        literal.push(c);
    }
    literal.push('\'');
    literal
}

/// Whether a URL names this machine.
fn is_local(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The first line of a statement is enough to know it by.
fn failed(statement: &str) -> impl FnOnce(clickhouse::error::Error) -> Error {
    let line = statement.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let attempted: String = line.chars().take(120).collect();
    move |source| Error::of_request(attempted, source)
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = clickhouse::error::Result<T>>,
) -> clickhouse::error::Result<T> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(clickhouse::error::Error::TimedOut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_cannot_be_left_from_inside() {
        assert_eq!(quote(r"it's \ here"), r"'it\'s \\ here'");
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for url in ["http://127.0.0.1:8123", "https://localhost:8443/path", "http://[::1]:8123"] {
            assert!(is_local(url), "{url}");
        }
        for url in ["http://clickhouse:8123", "http://127.example:8123", "http://10.0.0.1", "no URL"] {
            assert!(!is_local(url), "{url}");
        }
    }

    #[test]
    fn a_configuration_that_cannot_work_is_refused_at_once() {
        for (url, database) in
            [("clickhouse:9000", "wardwatch"), ("http://h", "ward-watch"), ("http://h", "")]
        {
            let settings = Settings { url: url.into(), database: database.into(), ..Settings::default() };
            assert!(matches!(Store::connect(&settings), Err(Error::Settings(_))), "{url} {database}");
        }
    }
}
