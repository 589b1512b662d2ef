//! Where a decision goes, and what is looked up before it is sent: an id that is wrong is told at once, and not by a
//! command that nothing came of.

use anyhow::Context as _;
use wardwatch_service::Secret;
use wardwatch_service::tls::ClientTls;
use wardwatch_store::quote;

use super::{Sending, Way};
use crate::door::Door;
use crate::engine::Database;
use crate::read;
use crate::table::{Row, text};

/// A collector that can be asked, and what can be read.
pub(crate) struct Session<'a> {
    pub(crate) sending: &'a Sending,
    pub(crate) collector: String,
    pub(crate) token: Secret,
    pub(crate) tls: Option<ClientTls>,
    /// Nothing where nobody said which ClickHouse belongs to the collector.
    pub(crate) database: Option<Database>,
}

/// What a decision is about.
pub(crate) struct Subject {
    pub(crate) site: String,
    pub(crate) id: String,
    /// In words.
    pub(crate) called: String,
    /// As it is known now; empty where it could not be looked up.
    pub(crate) row: Row,
}

/// Opens a session, lets `work` decide, and closes it whatever came of it.
pub(super) async fn with_session<'a, T>(
    sending: &'a Sending,
    work: impl AsyncFnOnce(&Session<'a>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let session = Session::open(sending).await?;
    let decided = work(&session).await;
    let closed = session.close().await;
    let value = decided?;
    closed?;
    Ok(value)
}

impl<'a> Session<'a> {
    /// Finds the collector, the token, and the ClickHouse.
    async fn open(sending: &'a Sending) -> anyhow::Result<Self> {
        let way = &sending.way;
        let door = if way.collector.is_some() { None } else { Some(local(way)?) };
        let database = match (&door, &way.folder.clickhouse) {
            (None, None) => None,
            _ => Some(Database::for_reading(&way.folder).await?),
        };
        anyhow::ensure!(
            database.is_some() || !sending.wait,
            "--wait: there is nothing to read from; name the ClickHouse with --clickhouse URL"
        );
        let (collector, token) = match door {
            Some(door) => (door.collector, Secret::new(door.token)),
            None => (way.collector.clone().unwrap_or_default(), own_token(way)?),
        };
        let tls = way.ca.as_ref().map(|ca| ClientTls {
            ca: ca.clone(),
            certificate: way.certificate.clone(),
            key: way.key.clone(),
            server_name: None,
        });
        anyhow::ensure!(
            tls.is_some() || !collector.starts_with("https:"),
            "{collector}: name the authority that vouches for the collector with --ca FILE"
        );
        Ok(Self { sending, collector, token, tls, database })
    }

    /// Stops the ClickHouse if it was started for this.
    async fn close(self) -> anyhow::Result<()> {
        match self.database {
            Some(database) => database.close().await,
            None => Ok(()),
        }
    }

    /// The alert of this id, or of one that begins like this.
    pub(crate) async fn alert(&self, wanted: &str) -> anyhow::Result<Subject> {
        let Some(database) = &self.database else { return self.unseen(wanted) };
        let id = quote(wanted);
        let condition = format!("(alert = {id} OR startsWith(alert, lower({id})))");
        let sql =
            format!("SELECT * FROM v_alerts WHERE {condition} {} ORDER BY alert LIMIT 10", self.at_site());
        let mut found = read::rows(database, &sql).await?;
        if found.len() > 1 {
            let ids: Vec<_> = found.iter().map(|row| text(row, "alert")).collect();
            anyhow::bail!("several alerts begin with {wanted}: {}", ids.join(", "));
        }
        let row = found.pop().with_context(|| {
            format!("no alert has the id {wanted}; `wardwatch alerts` lists them, the id first")
        })?;
        let called = format!("{} ({})", text(&row, "title"), text(&row, "device_name"));
        Ok(Subject { site: text(&row, "site"), id: text(&row, "alert"), called, row })
    }

    /// The device of this id, name or address.
    pub(crate) async fn device(&self, wanted: &str) -> anyhow::Result<Subject> {
        let Some(database) = &self.database else { return self.unseen(wanted) };
        let row = read::find_device(database, wanted, &self.at_site()).await?;
        Ok(Subject { site: text(&row, "site"), id: text(&row, "device"), called: text(&row, "name"), row })
    }

    /// The same, or a part of one by its own id, whole or the beginning of it.
    pub(crate) async fn device_or_part(&self, wanted: &str) -> anyhow::Result<Subject> {
        let Some(database) = &self.database else { return self.unseen(wanted) };
        let id = quote(wanted);
        let sql = format!(
            "SELECT site, device, name FROM v_aliases WHERE startsWith(device, lower({id})) {} ORDER BY device LIMIT 2",
            self.at_site()
        );
        let mut parts = read::rows(database, &sql).await?;
        match (parts.pop(), parts.is_empty()) {
            (Some(row), true) => Ok(Subject {
                site: text(&row, "site"),
                id: text(&row, "device"),
                called: text(&row, "name"),
                row,
            }),
            (Some(_), false) => {
                anyhow::bail!("several parts of devices begin with {wanted}; give more of the id")
            }
            (None, _) => self.device(wanted).await,
        }
    }

    /// Nothing can be looked up: what was typed must be whole.
    fn unseen(&self, wanted: &str) -> anyhow::Result<Subject> {
        let site = self.sending.site.clone().context(
            "say which --site it is of, or name the ClickHouse to look it up in with --clickhouse URL",
        )?;
        anyhow::ensure!(
            uuid::Uuid::parse_str(wanted).is_ok(),
            "{wanted} is no whole id; name the ClickHouse to look it up in with --clickhouse URL"
        );
        Ok(Subject { site, id: wanted.to_lowercase(), called: wanted.to_owned(), row: Row::new() })
    }

    fn at_site(&self) -> String {
        self.sending.site.as_ref().map(|site| format!("AND site = {}", quote(site))).unwrap_or_default()
    }
}

/// The collector of the `wardwatch up` that runs on the data folder.
fn local(way: &Way) -> anyhow::Result<Door> {
    let folder = way.folder.path()?;
    Door::find(&way.folder)?.with_context(|| {
        format!(
            "no `wardwatch up` runs on {}: name its folder with --data DIR, or a collector with --collector URL",
            folder.display()
        )
    })
}

fn own_token(way: &Way) -> anyhow::Result<Secret> {
    let token = match &way.token_file {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("--token-file: cannot read {}", path.display()))?,
        None => std::env::var("WARDWATCH_TOKEN").ok().filter(|token| !token.is_empty()).context(
            "the collector takes commands from those it knows only: put your token (operators.<name>.token in its \
             configuration) into a file and name it with --token-file FILE, or set WARDWATCH_TOKEN",
        )?,
    };
    Ok(Secret::new(token.trim()))
}
