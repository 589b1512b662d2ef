//! The folder in which a standalone Wardwatch keeps everything: `clickhouse/` and `bus/`.

use std::path::PathBuf;

use clap::Args;

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub(crate) struct Folder {
    /// Folder that holds the data [default: $XDG_DATA_HOME/wardwatch or ~/.local/share/wardwatch]
    #[arg(long, value_name = "DIR", env = "WARDWATCH_DATA")]
    data: Option<PathBuf>,
    /// A ClickHouse server to use in place of one in the data folder, such as http://127.0.0.1:8123
    #[arg(long, value_name = "URL", env = "WARDWATCH_CLICKHOUSE")]
    pub(crate) clickhouse: Option<String>,
}

impl Folder {
    /// A folder that was chosen by the program.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { data: Some(path), clickhouse: None }
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> anyhow::Result<PathBuf> {
        self.data.clone().map_or_else(Self::default_path, Ok)
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

    /// Where the log between the services is.
    pub(crate) fn bus_data(&self) -> anyhow::Result<PathBuf> {
        Ok(self.path()?.join("bus"))
    }
}
