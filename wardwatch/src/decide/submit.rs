//! Sends a decision, and says what the log and the services made of it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};
use uuid::Uuid;
use wardwatch_proto::command::action;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::control_client::ControlClient;
use wardwatch_proto::v1::{Command, Receipt};
use wardwatch_store::quote;

use super::session::Session;
use crate::engine::Database;
use crate::read;
use crate::table::{Format, print, text};

/// How long the log may take to hold it.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is sent, under one id, when the log or the collector is away.
const ATTEMPTS: u32 = 4;
/// How long `--wait` waits.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(200);

impl Session<'_> {
    /// Sends a decision about a site (empty for all) and prints what came of it; `said` is what was decided, in words.
    pub(crate) async fn submit(&self, site: &str, wanted: Action, said: &str) -> anyhow::Result<()> {
        self.submit_all(site, vec![wanted], said).await
    }

    /// Sends a decision in several parts, one after the other, and prints what came of the last; the first of which nothing
    /// came ends it.
    pub(crate) async fn submit_all(&self, site: &str, wanted: Vec<Action>, said: &str) -> anyhow::Result<()> {
        let count = wanted.len();
        for (number, wanted) in (1..).zip(wanted) {
            let id = Uuid::new_v4().to_string();
            let command = Command { id, site: site.to_owned(), action: Some(wanted), ..Command::default() };
            let receipt = self.sent(&command).await?;
            let outcome = match (&self.database, self.sending.wait) {
                (Some(database), true) => Some(outcome(database, &receipt).await?),
                _ => None,
            };
            if number == count {
                match self.sending.format {
                    Format::Json => print(&as_json(&command, &receipt, outcome.as_ref()).to_string())?,
                    Format::Table => print(&in_words(said, &receipt, outcome.as_ref()))?,
                }
            }
            if let Some(Outcome { came_of_it, reason }) = outcome
                && came_of_it == "ignored"
            {
                bail!("nothing came of it: {reason}")
            }
        }
        Ok(())
    }

    pub(super) async fn sent(&self, command: &Command) -> anyhow::Result<Receipt> {
        let url = &self.collector;
        let mut endpoint = Endpoint::from_shared(url.clone())
            .with_context(|| format!("--collector: {url:?} is not a URL such as https://host:7443"))?
            .connect_timeout(Duration::from_secs(10))
            .timeout(PATIENCE);
        if let Some(tls) = &self.tls {
            endpoint = endpoint.tls_config(tls.load()?).context("the credentials cannot be used")?;
        }
        let token = format!("Bearer {}", self.token.expose());
        let mut token: MetadataValue<Ascii> =
            token.parse().ok().context("the token holds characters that cannot be sent")?;
        token.set_sensitive(true);
        let mut attempt = 1;
        loop {
            let channel = endpoint.connect().await.with_context(|| self.nobody_there())?;
            let mut request = Request::new(command.clone());
            request.metadata_mut().insert("authorization", token.clone());
            match ControlClient::new(channel).submit(request).await {
                Ok(receipt) => return Ok(receipt.into_inner()),
                Err(status) if is_passing(&status) && attempt < ATTEMPTS => attempt += 1,
                Err(status) => return Err(self.explained(&status)),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    fn nobody_there(&self) -> String {
        let url = &self.collector;
        if self.sending.way.collector.is_some() {
            format!("cannot reach a collector at {url}")
        } else {
            format!("`wardwatch up` does not answer at {url}: it was ended without notice; start it again")
        }
    }

    fn explained(&self, status: &Status) -> anyhow::Error {
        let (url, message) = (&self.collector, status.message());
        match status.code() {
            Code::Unauthenticated => anyhow::anyhow!(
                "the collector at {url} does not know this token: it must be one of operators.<name>.token in its \
                 configuration"
            ),
            Code::InvalidArgument | Code::PermissionDenied => {
                anyhow::anyhow!("the collector refuses it: {message}")
            }
            Code::Unimplemented => {
                anyhow::anyhow!("what answers at {url} is no collector that takes commands, or an older one")
            }
            _ if is_passing(status) => anyhow::anyhow!(
                "the collector at {url} cannot lay it into the log now ({message}); it may be there already: look at \
                 `wardwatch commands` before you try again"
            ),
            _ => anyhow::anyhow!("the collector at {url} failed: {message}"),
        }
    }
}

/// Whether it may work a moment later.
fn is_passing(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled)
}

/// What the services made of a command.
pub(super) struct Outcome {
    pub(super) came_of_it: String,
    pub(super) reason: String,
}

/// Waits until every partition has worked on a command, and the alerter too where it is for that.
pub(super) async fn outcome(database: &Database, receipt: &Receipt) -> anyhow::Result<Outcome> {
    let sql = format!("SELECT outcome, reason, partitions FROM v_commands WHERE id = {}", quote(&receipt.id));
    let looking = async {
        loop {
            let row = read::rows(database, &sql).await?.pop().unwrap_or_default();
            let came_of_it = text(&row, "outcome");
            let everywhere = text(&row, "partitions") == receipt.places.len().to_string();
            if everywhere && came_of_it != "forwarded" {
                return Ok(Outcome { came_of_it, reason: text(&row, "reason") });
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(LONGEST_WAIT, looking).await.unwrap_or_else(|_| {
        bail!("it is in the log and has not been worked on yet: `wardwatch commands` tells what comes of it")
    })
}

fn as_json(command: &Command, receipt: &Receipt, outcome: Option<&Outcome>) -> Value {
    let places = receipt.places.iter().map(|at| json!({ "partition": at.partition, "offset": at.offset }));
    json!({
        "id": receipt.id,
        "site": command.site,
        "author": receipt.author,
        "at": receipt.at,
        "action": action(command),
        "places": places.collect::<Vec<_>>(),
        "outcome": outcome.map(|outcome| outcome.came_of_it.as_str()),
        "reason": outcome.map(|outcome| outcome.reason.as_str()).filter(|reason| !reason.is_empty()),
    })
}

fn in_words(said: &str, receipt: &Receipt, outcome: Option<&Outcome>) -> String {
    let place = match receipt.places.as_slice() {
        [only] => format!("partition {}, offset {}", only.partition, only.offset),
        all => format!("{} partitions", all.len()),
    };
    let came_of_it = match outcome {
        None => "the log holds it".to_owned(),
        Some(outcome) if outcome.reason.is_empty() => outcome.came_of_it.clone(),
        Some(outcome) => format!("{}: {}", outcome.came_of_it, outcome.reason),
    };
    format!("{said}\n{came_of_it} ({place}), by {}, command {}", receipt.author, receipt.id)
}
