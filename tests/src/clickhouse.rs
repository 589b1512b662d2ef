//! A ClickHouse server for tests.

use anyhow::{Context, Result};
use clickhouse::Client;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use wardwatch_engine::{Engine, Options};

use crate::runner;
use crate::scratch::Scratch;

/// A server with data of its own; dropping it kills the server and removes the data.
#[derive(Debug)]
pub struct Server {
    /// `None` after [`Server::stop`] and [`Server::kill`].
    engine: Option<Engine>,
    options: Options,
    url: String,
    // After the engine, so that it is dropped after it.
    _scratch: Scratch,
}

impl Server {
    /// Starts an empty server: user `default`, no password.
    pub async fn start() -> Result<Self> {
        let scratch = Scratch::new("clickhouse")?;
        let mut options = Options::new(scratch.path().join("data"));
        options.program = Some(runner()?.program().to_owned());
        let engine = launch(&options).await?;
        // It keeps its address over a restart.
        options.http_port = engine.url().rsplit(':').next().and_then(|port| port.parse().ok());
        options.tcp_port = Some(engine.tcp_port());
        let url = engine.url().to_owned();
        Ok(Self { engine: Some(engine), options, url, _scratch: scratch })
    }

    /// The server that all tests of this program share; started when it is first asked for, and gone with the program.
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<Server> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// The address of the HTTP interface; the same before and after a restart.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server's process; `None` while it is stopped.
    pub fn pid(&self) -> Option<u32> {
        self.engine.as_ref().map(Engine::pid)
    }

    /// A client of the database `default`.
    pub fn client(&self) -> Client {
        Client::default().with_url(&self.url).with_user("default")
    }

    /// Makes an empty database, so that tests that share a server do not meet, and returns its name.
    pub async fn new_database(&self) -> Result<String> {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        self.client().query(&format!("CREATE DATABASE {name}")).execute().await.context("make a database")?;
        Ok(name)
    }

    /// Stops the server in order.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(engine) = self.engine.take() else { return Ok(()) };
        Ok(spawn_blocking(move || engine.stop()).await??)
    }

    /// Kills the server with SIGKILL.
    pub async fn kill(&mut self) -> Result<()> {
        let Some(engine) = self.engine.take() else { return Ok(()) };
        Ok(spawn_blocking(move || engine.kill()).await??)
    }

    /// Starts the server again after [`Server::stop`] or [`Server::kill`], on the same data and address.
    pub async fn restart(&mut self) -> Result<()> {
        self.kill().await?;
        self.engine = Some(launch(&self.options).await?);
        Ok(())
    }
}

async fn launch(options: &Options) -> Result<Engine> {
    let options = options.clone();
    Ok(spawn_blocking(move || Engine::start(&options)).await??)
}
