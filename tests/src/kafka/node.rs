//! A node's storage and process, in calls that block.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use wardwatch_engine::{Owned, Runner};

use super::libraries;

/// How long a broker may take until it answers: two or three seconds, and more on a busy machine.
const READY: Duration = Duration::from_secs(90);
/// How long one metadata request may take.
const METADATA: Duration = Duration::from_secs(2);
/// How much of the broker's log goes into an error.
const LOG_TAIL: usize = 3000;

/// A node whose configuration has been written into its folder.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) runner: Runner,
    pub(super) folder: PathBuf,
    /// `127.0.0.1:<port>`.
    pub(super) bootstrap: String,
}

impl Node {
    /// What every client's configuration starts with.
    pub(super) fn client_config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("broker.address.family", "v4");
        config
    }

    /// Formats the storage, as a new node's has to be.
    pub(super) fn format(&self) -> Result<()> {
        let cluster = uuid::Uuid::new_v4().simple().to_string();
        let mut format = self.java()?;
        format.args(["kafka.tools.StorageTool", "format", "--standalone", "--cluster-id"]);
        // The identifier is 16 bytes in URL-safe base64: 22 characters, of which ours use the hexadecimal ones.
        format
            .arg(cluster.get(..22).unwrap_or(&cluster))
            .arg("--config")
            .arg(self.folder.join("server.properties"));
        let output = format.stdin(Stdio::null()).output().context("run java")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            bail!("format the broker's storage: {} {said}", output.status);
        }
        Ok(())
    }

    /// Starts the node and returns once it answers a metadata request.
    pub(super) fn launch(&self) -> Result<Owned> {
        let printed = File::create(self.folder.join("printed.log")).context("open the broker's output")?;
        let mut command = self.java()?;
        command.arg("kafka.Kafka").arg(self.folder.join("server.properties"));
        command.stdin(Stdio::null()).stdout(printed.try_clone()?).stderr(printed);
        let mut process = Owned::spawn(command).context("start the broker")?;

        let client: BaseConsumer = self.client_config().create().context("make a client")?;
        let deadline = Instant::now() + READY;
        loop {
            let metadata = client.fetch_metadata(None, METADATA);
            if metadata.is_ok_and(|metadata| metadata.brokers().len() == 1) {
                return Ok(process);
            }
            if let Some(status) = process.ended()? {
                bail!("the broker ended before it was ready ({status}): {}", self.log());
            }
            if Instant::now() >= deadline {
                bail!("the broker did not answer within {READY:?}: {}", self.log());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Java with Kafka's jars, a small heap and the compiler that starts fast.
    fn java(&self) -> Result<Command> {
        let libraries = libraries();
        if !libraries.is_dir() {
            bail!("Apache Kafka is not in {}; `cargo xtask fetch kafka` puts it there", libraries.display());
        }
        let mut java = self.runner.exec("java");
        java.args([
            "-Xms64m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
        ]);
        let logging = self.folder.join("log4j2.properties");
        java.arg(format!("-Dlog4j2.configurationFile={}", logging.display()));
        java.arg("-classpath").arg(libraries.join("*"));
        Ok(java)
    }

    /// The end of what the broker printed and logged.
    fn log(&self) -> String {
        let read = |name: &str| fs::read(self.folder.join(name)).unwrap_or_default();
        let text = [read("printed.log"), read("broker.log")].concat();
        String::from_utf8_lossy(text.get(text.len().saturating_sub(LOG_TAIL)..).unwrap_or_default())
            .into_owned()
    }
}
