//! Where ClickHouse is, who we are to it, and how long to be patient.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wardwatch_service::Secret;

/// The section `store` of a service's configuration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Base URL of the HTTP interface, `http://` or `https://`.
    pub url: String,
    /// The database that holds all tables: letters, digits and `_`.
    pub database: String,
    /// The user to log in as; empty for the server's default user.
    pub user: String,
    /// The user's password; empty for none.
    pub password: Secret,
    /// How long sending one piece of an insert may take.
    #[serde(with = "humantime_serde")]
    pub send_timeout: Duration,
    /// How long the server may take to finish an insert or a query.
    #[serde(with = "humantime_serde")]
    pub end_timeout: Duration,
    /// For how long, by the clock, a failure that may pass (network, overload, full disk) is tried again before it is
    /// reported.
    #[serde(with = "humantime_serde")]
    pub retry_for: Duration,
    /// Whether every insert is on the disk, not only in the page cache, before it counts. Costs inserts a second, not
    /// rows a second; without it a power failure can take rows that were reported as written. Set by `migrate`.
    pub fsync: bool,
    /// How long rows are kept. Set by `migrate`.
    pub retention: Retention,
}

/// How long append-only rows are kept, counted from the broker's time of their source, in days. `None` keeps them for
/// ever.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Days to keep rows of `flows`.
    pub flows: Option<u32>,
    /// Days to keep rows of `conversations`.
    pub conversations: Option<u32>,
    /// Days to keep rows of `site_minute`.
    pub site_minute: Option<u32>,
    /// Days to keep rows of `changes`.
    pub changes: Option<u32>,
    /// Days to keep rows of `alert_events`.
    pub alert_events: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8123".into(),
            database: "wardwatch".into(),
            user: String::new(),
            password: Secret::default(),
            send_timeout: Duration::from_secs(10),
            end_timeout: Duration::from_mins(1),
            retry_for: Duration::from_mins(5),
            fsync: true,
            retention: Retention::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_show_in_logs() {
        let settings = Settings { password: Secret::new("hunter2"), ..Settings::default() };
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
