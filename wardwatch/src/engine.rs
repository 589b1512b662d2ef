//! Which ClickHouse is used: one that was named, one that already runs on the data folder, or one that is started on it
//! and stopped again.

use anyhow::Context as _;
use wardwatch_engine::{Engine, Options};
use wardwatch_service::Secret;
use wardwatch_store::{Settings, Store};

use crate::folder::Folder;

/// A ClickHouse and, where it is ours, its life.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) store: Store,
    /// As it can be shown: where it answers.
    pub(crate) url: String,
    engine: Option<Engine>,
}

impl Database {
    /// The one to write to: named, or started on the data folder.
    pub(crate) async fn own(folder: &Folder) -> anyhow::Result<Self> {
        match folder.clickhouse_settings() {
            Some(settings) => Self::named(&settings),
            None => Self::started(folder).await,
        }
    }

    /// The one to read from: named, running on the data folder, or started on it for the time being.
    pub(crate) async fn for_reading(folder: &Folder) -> anyhow::Result<Self> {
        if let Some(settings) = folder.clickhouse_settings() {
            return Self::named(&settings);
        }
        let data = folder.clickhouse_data()?;
        if let Some(running) = Engine::find_running(&data) {
            let user = if running.password.is_some() { running.user } else { String::new() };
            let password = running.password.map(Secret::new).unwrap_or_default();
            let settings = Settings { url: running.url.clone(), user, password, ..Settings::default() };
            return Ok(Self { store: Store::connect(&settings)?, url: running.url, engine: None });
        }
        anyhow::ensure!(
            data.is_dir(),
            "there is no data in {}: run `wardwatch up` first, or name the folder with --data DIR",
            folder.path()?.display()
        );
        Self::started(folder).await
    }

    fn named(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self { store: Store::connect(settings)?, url: settings.url.clone(), engine: None })
    }

    async fn started(folder: &Folder) -> anyhow::Result<Self> {
        let options = Options::new(folder.clickhouse_data()?);
        let engine = tokio::task::spawn_blocking(move || Engine::start(&options))
            .await
            .context("starting ClickHouse panicked")?
            .context("cannot start ClickHouse")?;
        let url = engine.url().to_owned();
        let settings = Settings { url: url.clone(), ..Settings::default() };
        Ok(Self { store: Store::connect(&settings)?, url, engine: Some(engine) })
    }

    /// Stops it if it is ours.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        let Some(engine) = self.engine else { return Ok(()) };
        tokio::task::spawn_blocking(move || engine.stop())
            .await
            .context("stopping ClickHouse panicked")?
            .context("cannot stop ClickHouse in order")
    }
}
