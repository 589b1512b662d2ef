//! The folder in which a standalone Wardwatch keeps everything: `clickhouse/`, `bus/` and `spool/`.

use std::path::PathBuf;

use clap::Args;
use wardwatch_service::Secret;
use wardwatch_store::Settings;

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub(crate) struct Folder {
    /// Folder that holds the data [default: $XDG_DATA_HOME/wardwatch or ~/.local/share/wardwatch]
    #[arg(long, value_name = "DIR", env = "WARDWATCH_DATA")]
    data: Option<PathBuf>,
    /// A ClickHouse server to use in place of one in the data folder, such as http://127.0.0.1:8123
    #[arg(long, value_name = "URL", env = "WARDWATCH_CLICKHOUSE")]
    pub(crate) clickhouse: Option<String>,
    /// The user to ask that server as; the password is read from WARDWATCH_CLICKHOUSE_PASSWORD
    #[arg(long, value_name = "NAME", env = "WARDWATCH_CLICKHOUSE_USER", requires = "clickhouse")]
    clickhouse_user: Option<String>,
}

impl Folder {
    /// A folder that was chosen by the program.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { data: Some(path), clickhouse: None, clickhouse_user: None }
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> anyhow::Result<PathBuf> {
        self.data.clone().map_or_else(Self::default_path, Ok)
    }

    /// How to reach the ClickHouse server that was named, if one was.
    pub(crate) fn clickhouse_settings(&self) -> Option<Settings> {
        // Not an argument: those are for everyone on the machine to see.
        let password = std::env::var("WARDWATCH_CLICKHOUSE_PASSWORD").unwrap_or_default();
        Some(Settings {
            url: self.clickhouse.clone()?,
            user: self.clickhouse_user.clone().unwrap_or_default(),
            password: Secret::new(password),
            ..Settings::default()
        })
    }

    /// Where it is when nobody says where.
    pub(crate) fn default_path() -> anyhow::Result<PathBuf> {
        let home = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        home("XDG_DATA_HOME")
            .or_else(|| home("HOME").map(|home| home.join(".local/share")))
            .map(|share| share.join("wardwatch"))
            .ok_or_else(|| {
                anyhow::anyhow!(
                    "neither HOME nor XDG_DATA_HOME is set: say where the data is with --data DIR"
                )
            })
    }

    /// Where ClickHouse keeps its part.
    pub(crate) fn clickhouse_data(&self) -> anyhow::Result<PathBuf> {
        Ok(self.path()?.join("clickhouse"))
    }

    /// Where the sensor keeps what is not acknowledged yet.
    pub(crate) fn spool_data(&self) -> anyhow::Result<PathBuf> {
        Ok(self.path()?.join("spool"))
    }

    /// Where the log between the services is.
    pub(crate) fn bus_data(&self) -> anyhow::Result<PathBuf> {
        Ok(self.path()?.join("bus"))
    }
}
