//! What identifies a device: the declarative knowledge pack and its rules.

#![forbid(unsafe_code)]

mod error;

pub use error::KnowledgeError;

/// A checked knowledge pack.
#[derive(Clone, Debug)]
pub struct Knowledge {
    version: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: String,
}

impl Knowledge {
    /// The pack that is built in.
    pub fn builtin() -> Result<Self, KnowledgeError> {
        let header: Header =
            toml::from_str(include_str!("../pack/pack.toml")).map_err(|error| KnowledgeError::Entry {
                file: "pack.toml".into(),
                entry: String::new(),
                key: "version".into(),
                problem: error.message().to_owned(),
            })?;
        Ok(Self { version: header.version })
    }

    /// The pack's version, with those of the packs laid over it.
    pub fn version(&self) -> &str {
        &self.version
    }
}
