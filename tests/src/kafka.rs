//! An Apache Kafka broker for tests: one node that is broker and controller (KRaft).

mod configuration;
mod node;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use wardwatch_engine::cache::Cache;
use wardwatch_engine::{Owned, free_ports};

use crate::runner;
use crate::scratch::Scratch;
use configuration::Configuration;
use node::Node;

/// How long an orderly stop may take before the broker is killed.
const STOP: Duration = Duration::from_secs(30);
/// How often a start is tried when somebody takes the ports in between.
const ATTEMPTS: usize = 3;

/// The folder of Kafka's jars.
pub(crate) fn libraries() -> PathBuf {
    Cache::default().kafka_libraries()
}

/// A broker with data of its own; dropping it kills the broker and removes the data.
#[derive(Debug)]
pub struct Broker {
    /// `None` after [`Broker::stop`] and [`Broker::kill`].
    process: Option<Owned>,
    node: Node,
    // After the process, so that it is dropped after it.
    _scratch: Scratch,
}

impl Broker {
    /// Starts an empty broker and returns once it answers a metadata request.
    pub async fn start() -> Result<Self> {
        spawn_blocking(|| {
            let mut attempt = 1;
            loop {
                match Self::start_blocking() {
                    Err(error)
                        if attempt < ATTEMPTS && format!("{error:#}").contains("Address already in use") =>
                    {
                        attempt += 1;
                    }
                    started => return started,
                }
            }
        })
        .await?
    }

    /// The broker that all tests of this program share; started when it is first asked for, and gone with the program.
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<Broker> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    fn start_blocking() -> Result<Self> {
        let scratch = Scratch::new("kafka")?;
        let [port, controller_port] = free_ports()?;
        let configuration = Configuration { folder: scratch.path(), port, controller_port };
        configuration.write().context("write the broker's configuration")?;
        let folder = scratch.path().to_owned();
        let node = Node { runner: runner()?, folder, bootstrap: format!("127.0.0.1:{port}") };
        node.format()?;
        let process = node.launch()?;
        Ok(Self { process: Some(process), node, _scratch: scratch })
    }

    /// `127.0.0.1:<port>`; the same before and after a restart.
    pub fn bootstrap_servers(&self) -> &str {
        &self.node.bootstrap
    }

    /// What every client's configuration starts with.
    pub fn client_config(&self) -> ClientConfig {
        self.node.client_config()
    }

    /// Makes a topic. `settings` are the topic's own, such as `("retention.ms", "1000")`.
    pub async fn create_topic(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) -> Result<()> {
        let admin: AdminClient<_> = self.client_config().create()?;
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let topic = settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        for made in admin.create_topics([&topic], &options).await? {
            made.map_err(|(topic, code)| anyhow!("make topic {topic}: {code}"))?;
        }
        Ok(())
    }

    /// The broker's process; `None` while it is stopped.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Owned::id)
    }

    /// The folder of the logs: one folder for each partition, `<topic>-<number>`.
    pub fn logs(&self) -> PathBuf {
        self.node.folder.join("data")
    }

    /// Stops the broker in order.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        spawn_blocking(move || {
            process.terminate()?;
            if process.wait(STOP)?.is_none() {
                process.kill()?;
            }
            Ok(())
        })
        .await?
    }

    /// Kills the broker with SIGKILL.
    pub async fn kill(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        spawn_blocking(move || process.kill()).await?.context("kill the broker")?;
        Ok(())
    }

    /// Starts the broker again after [`Broker::stop`] or [`Broker::kill`], on the same data and address.
    ///
    /// After a kill the controller waits until the broker's session has run out: some three seconds.
    pub async fn restart(&mut self) -> Result<()> {
        self.kill().await?;
        let node = self.node.clone();
        self.process = Some(spawn_blocking(move || node.launch()).await??);
        Ok(())
    }
}
