//! What can be wrong with a configuration.

use std::path::PathBuf;

/// What is wrong with a configuration, with the key and where it was set.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was asked for is not there.
    #[error("there is no configuration file {}", path.display())]
    Missing {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the configuration file {} is not valid TOML: {problem}", path.display())]
    Syntax {
        /// The file that was asked for.
        path: PathBuf,
        /// Line, column and what was expected.
        problem: String,
    },
    /// The name of an environment variable leads to no key.
    #[error("environment variable {variable}: {problem}")]
    Variable {
        /// The variable's name.
        variable: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A key is unknown or its value does not fit.
    #[error("configuration key {key}: {problem} (from {origin})")]
    Key {
        /// The full path of the key, `kafka.brokers`.
        key: String,
        /// What is wrong with it.
        problem: String,
        /// `file /etc/wardwatch/sensor.toml`, `environment variable WARDWATCH_…`, or `defaults`.
        origin: String,
    },
    /// The settings cannot be written as TOML.
    #[error("cannot write the configuration as TOML: {problem}")]
    Render {
        /// What the writer said.
        problem: String,
    },
}
