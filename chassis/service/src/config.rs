//! A service's settings, in three layers: the defaults of its types, then a TOML file, then environment variables.
//!
//! The settings are one struct per service, a nested struct per section, every one of them
//! `#[serde(default, deny_unknown_fields)]`, so that what a file leaves out keeps its default and a misspelt key is
//! an error. Keys are in `snake_case`. Durations are written as people write them (`30s`, `5m`) by
//! `#[serde(with = "humantime_serde")]`, secrets are [`Secret`]s.
//!
//! The variable `WARDWATCH_<SERVICE>__<SECTION>__<KEY>` sets `key` in `[section]`. Its text is read as the type that
//! the key has; a text that starts with `[` or `{` is read as a TOML array or inline table. Variables with a single
//! underscore after the service's name are not ours: Kubernetes sets such ones for every service it knows
//! (`WARDWATCH_SENSOR_PORT`).
//!
//! An enum that is internally tagged or untagged cannot take numbers from the environment, since serde does not say
//! which type it expects there: use a plain enum and one section per alternative.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

mod common;
mod error;
mod layers;
mod secret;

pub use common::Common;
pub use error::ConfigError;
pub use secret::Secret;

use layers::Layers;

/// Where a service's settings come from.
#[derive(Clone, Debug)]
pub struct Sources {
    service: String,
    file: Option<PathBuf>,
    environment: Vec<(String, String)>,
}

impl Sources {
    /// The defaults alone, for the service called `service` (`sensor`, `collector`).
    pub fn new(service: &str) -> Self {
        Self { service: service.to_owned(), file: None, environment: Vec::new() }
    }

    /// Adds a TOML file, which then must exist.
    #[must_use]
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        self.file = Some(path.as_ref().to_owned());
        self
    }

    /// Adds the variables of this process. Those that are not UTF-8 cannot be ours and are left out.
    #[must_use]
    pub fn process_environment(self) -> Self {
        let variables = std::env::vars_os();
        self.environment(
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// Adds these variables.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(variables);
        self
    }
}

/// A service's own settings beside those that every service has.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Settings<T> {
    /// The sections `telemetry`, `health` and `shutdown`.
    #[serde(flatten)]
    pub common: Common,
    /// All other sections.
    #[serde(flatten)]
    pub service: T,
}

impl<T: Serialize> Settings<T> {
    /// The effective settings as a TOML file, secrets hidden.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        to_toml(self)
    }
}

/// Reads the settings of one type, for a program that lays out its sections itself.
pub fn load<T: DeserializeOwned>(sources: &Sources) -> Result<T, ConfigError> {
    Layers::collect(&sources.service, sources.file.as_deref(), &sources.environment)?.read()
}

/// Reads the settings of a service: the sections that every service has go to [`Settings::common`], all others to its own type.
pub fn load_settings<T: DeserializeOwned>(sources: &Sources) -> Result<Settings<T>, ConfigError> {
    let mut own = Layers::collect(&sources.service, sources.file.as_deref(), &sources.environment)?;
    let common = own.split_off(Common::SECTIONS);
    Ok(Settings { common: common.read()?, service: own.read()? })
}

/// The settings as a TOML file, secrets hidden.
pub fn to_toml<T: Serialize>(settings: &T) -> Result<String, ConfigError> {
    toml::to_string_pretty(settings).map_err(|error| ConfigError::Render { problem: error.to_string() })
}

#[cfg(test)]
mod tests;
