//! A cluster of one machine: the example configurations of `deploy/config`, with the addresses of the test's own engines.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::time::sleep;
use toml::{Table, Value, toml};
use wardwatch_store::{Settings, Store};
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::pipeline::program::{self, Running};
use wardwatch_tests::pipeline::{PATIENCE, store_settings};

use crate::certificates::Certificates;

/// Where everything is.
pub(crate) struct Cluster {
    folder: TempDir,
    broker: String,
    store: Settings,
    certificates: Certificates,
}

const PARTITIONS: i64 = 8;
const TOKEN: &str = "4fd1c5";
const OPERATORS_TOKEN: &str = "b77e09";

impl Cluster {
    /// With empty engines.
    pub(crate) async fn new(broker: &Broker) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let certificates = Certificates::write(folder.path())?;
        Ok(Self {
            folder,
            broker: broker.bootstrap_servers().to_owned(),
            store: store_settings().await?,
            certificates,
        })
    }

    /// Writes `deploy/config/<name>.toml` with other values laid over it; gives the new file's name.
    fn config(&self, name: &str, overlay: Table) -> Result<String> {
        let mut settings = example(name)?;
        // The example speaks to a Kafka with passwords.
        if let Some(kafka) = settings.get_mut("bus").and_then(|bus| bus.get_mut("kafka")) {
            *kafka =
                Value::Table(Table::from_iter([("brokers".to_owned(), vec![self.broker.clone()].into())]));
        }
        if let Some(store) = settings.get_mut("store").and_then(Value::as_table_mut) {
            store.insert("url".into(), self.store.url.clone().into());
            store.insert("database".into(), self.store.database.clone().into());
            store.insert("user".into(), String::new().into());
        }
        if let Some(health) = settings.get_mut("health").and_then(Value::as_table_mut) {
            health.insert("address".into(), "127.0.0.1:0".into());
        }
        lay_over(&mut settings, overlay);
        let path = self.folder.path().join(format!("{name}.toml"));
        fs::write(&path, toml::to_string(&settings)?)?;
        Ok(path.to_str().context("a UTF-8 path")?.to_owned())
    }

    /// Starts a collector; port 0 takes a free one.
    pub(crate) fn collector(&self, port: u16) -> Result<Running> {
        let Certificates { authority, server, .. } = &self.certificates;
        let mut overlay = toml! {
            [sensors.mirror-1]
            token = "4fd1c5"
            [operators."a.roe"]
            token = "b77e09"
        };
        overlay.insert("partitions".into(), PARTITIONS.into());
        overlay.insert("listen".into(), format!("127.0.0.1:{port}").into());
        overlay.insert(
            "tls".into(),
            Table::from_iter([
                ("certificate".to_owned(), shown(&server.certificate)),
                ("key".to_owned(), shown(&server.key)),
                ("client_ca".to_owned(), shown(authority)),
            ])
            .into(),
        );
        Running::start("wardwatch-collector", &["--config", &self.config("collector", overlay)?], NONE)
    }

    /// A sensor that plays captures, at their original pace where `speed` says so.
    pub(crate) fn sensor(
        &self,
        collector: SocketAddr,
        captures: &[PathBuf],
        speed: Option<f64>,
    ) -> Result<Running> {
        let Certificates { authority, client, .. } = &self.certificates;
        let mut overlay = Table::new();
        let mut input = Table::from_iter([(
            "files".to_owned(),
            captures.iter().map(|path| shown(path)).collect::<Vec<_>>().into(),
        )]);
        if let Some(speed) = speed {
            input.insert("speed".into(), speed.into());
        }
        overlay.insert(
            "uplink".into(),
            Table::from_iter([
                ("collectors".to_owned(), vec![format!("https://{collector}")].into()),
                ("longest_pause".to_owned(), "500ms".into()),
                (
                    "tls".to_owned(),
                    Table::from_iter([
                        ("ca".to_owned(), shown(authority)),
                        ("certificate".to_owned(), shown(&client.certificate)),
                        ("key".to_owned(), shown(&client.key)),
                    ])
                    .into(),
                ),
            ])
            .into(),
        );
        let spool = Table::from_iter([("directory".to_owned(), shown(&self.folder.path().join("spool")))]);
        overlay.insert("spool".into(), spool.into());
        let path = self.config("sensor", overlay)?;
        // The example watches an interface.
        let mut settings: Table = toml::from_str(&fs::read_to_string(&path)?)?;
        settings.insert("input".into(), input.into());
        fs::write(&path, toml::to_string(&settings)?)?;
        let token = [("WARDWATCH_SENSOR__UPLINK__TOKEN", TOKEN)];
        Running::start("wardwatch-sensor", &["run", "--config", &path], token)
    }

    /// Runs a command of a person, with their own token and certificate.
    pub(crate) fn decide(&self, collector: SocketAddr, arguments: &[&str]) -> Result<program::Said> {
        let Certificates { authority, client, .. } = &self.certificates;
        let token = self.folder.path().join("token");
        fs::write(&token, format!("{OPERATORS_TOKEN}\n"))?;
        let mut command = program::command("wardwatch", arguments)?;
        command.arg("--collector").arg(format!("https://{collector}")).arg("--token-file").arg(&token);
        command.arg("--ca").arg(authority).arg("--certificate").arg(&client.certificate);
        command.arg("--key").arg(&client.key);
        program::run(command)
    }

    /// The text that a query gives.
    pub(crate) async fn text(&self, query: &str) -> Result<String> {
        Ok(Store::connect(&self.store)?.text(query, "TSV").await?.trim().to_owned())
    }

    /// Starts the enricher or the alerter.
    pub(crate) fn service(&self, name: &str) -> Result<Running> {
        let config = self.config(name, Table::new())?;
        Running::start(&format!("wardwatch-{name}"), &["--config", &config], NONE)
    }

    /// Runs `wardwatch migrate`.
    pub(crate) fn migrate(&self) -> Result<program::Said> {
        let mut overlay = toml! {
            [topics]
            replication = 1
        };
        lay_over(&mut overlay, toml::from_str(&format!("[topics]\npartitions = {PARTITIONS}"))?);
        let config = self.config("migrate", overlay)?;
        program::run(program::command("wardwatch", &["migrate", "--config", &config])?)
    }

    /// The number that a query gives.
    pub(crate) async fn number(&self, query: &str) -> Result<u64> {
        let text = Store::connect(&self.store)?.text(query, "TSV").await?;
        text.trim().parse().with_context(|| format!("{query} gave {text:?}"))
    }
    /// Asks until the answer to a query is this number.
    pub(crate) async fn until_it_gives(&self, query: &str, wanted: u64) -> Result<()> {
        let begun = Instant::now();
        loop {
            let found = self.number(query).await?;
            if found == wanted {
                return Ok(());
            }
            ensure!(begun.elapsed() < PATIENCE, "{query} gives {found} and not {wanted}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

const NONE: [(&str, &str); 0] = [];

/// An example configuration.
fn example(name: &str) -> Result<Table> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../deploy/config/{name}.toml"));
    Ok(toml::from_str(&fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?)?)
}

fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

fn shown(path: &Path) -> Value {
    path.display().to_string().into()
}
