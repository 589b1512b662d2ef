//! The layers over one another, every value with its origin.

use std::io::ErrorKind;
use std::path::Path;

use config::{Config, Map, Source, Value, ValueKind};
use serde::de::DeserializeOwned;

use super::ConfigError;

/// How deep an environment variable may reach; no section is nested this far.
const DEEPEST: usize = 16;

/// What the file and the environment say together; the defaults come in when it is [`read`](Self::read) as a type.
pub(super) struct Layers {
    root: Value,
}

impl Layers {
    pub(super) fn collect(
        service: &str,
        file: Option<&Path>,
        environment: &[(String, String)],
    ) -> Result<Self, ConfigError> {
        let mut builder = Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(read_file(path)?);
        }
        for layer in read_environment(service, environment)? {
            builder = builder.add_source(layer);
        }
        let merged = builder.build().map_err(|error| ConfigError::Key {
            key: "(top)".to_owned(),
            problem: problem_of(&error),
            origin: "the layers together".to_owned(),
        })?;
        Ok(Self { root: merged.cache })
    }

    /// Takes the named sections out into layers of their own.
    pub(super) fn split_off(&mut self, sections: &[&str]) -> Self {
        let mut taken = Map::new();
        if let ValueKind::Table(table) = &mut self.root.kind {
            for section in sections {
                if let Some(value) = table.remove(*section) {
                    taken.insert((*section).to_owned(), value);
                }
            }
        }
        Self { root: Value::new(None, taken) }
    }

    /// The layers as a type, its defaults beneath them.
    pub(super) fn read<T: DeserializeOwned>(self) -> Result<T, ConfigError> {
        let root = self.root.clone();
        serde_path_to_error::deserialize(self.root).map_err(|error| {
            let key = error.path().to_string();
            let origin = origin_of(&root, error.path()).unwrap_or("defaults").to_owned();
            ConfigError::Key { key, problem: problem_of(error.inner()), origin }
        })
    }
}

/// One layer as the `config` crate takes it.
#[derive(Clone, Debug)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.clone())
    }
}

fn read_file(path: &Path) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => ConfigError::Missing { path: path.to_owned() },
        _ => ConfigError::Unreadable { path: path.to_owned(), source },
    })?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        problem: error.to_string().trim_end().to_owned(),
    })?;
    let origin = format!("file {}", path.display());
    Ok(Layer(table.into_iter().map(|(key, value)| (key, with_origin(value, &origin))).collect()))
}

/// One layer per variable, in the order of their names, so that the outcome does not hang on the order of the environment.
fn read_environment(service: &str, environment: &[(String, String)]) -> Result<Vec<Layer>, ConfigError> {
    let prefix = format!("WARDWATCH_{}__", service.to_ascii_uppercase().replace('-', "_"));
    let mut ours: Vec<_> = environment.iter().filter(|(name, _)| name.starts_with(&prefix)).collect();
    ours.sort();
    ours.into_iter()
        .map(|(name, text)| {
            let wrong = |problem| ConfigError::Variable { variable: name.clone(), problem };
            let path: Vec<String> = name[prefix.len()..].split("__").map(str::to_ascii_lowercase).collect();
            if path.iter().any(String::is_empty) {
                return Err(wrong("names no key: sections and keys stand between double underscores"));
            }
            if path.len() > DEEPEST {
                return Err(wrong("is nested deeper than any key"));
            }
            let origin = format!("environment variable {name}");
            let mut value = variable_value(text, &origin);
            for key in path.iter().skip(1).rev() {
                value = Value::new(Some(&origin), Map::from_iter([(key.clone(), value)]));
            }
            Ok(Layer(path.first().map(|key| (key.clone(), value)).into_iter().collect()))
        })
        .collect()
}

/// A text stays a text, to be read as the type its key has, unless it is a TOML array or inline table.
fn variable_value(text: &str, origin: &String) -> Value {
    if text.starts_with(['[', '{'])
        && let Ok(mut table) = toml::from_str::<toml::Table>(&format!("value = {text}"))
        && let Some(value) = table.remove("value")
    {
        return with_origin(value, origin);
    }
    Value::new(Some(origin), text)
}

fn with_origin(value: toml::Value, origin: &String) -> Value {
    let kind = match value {
        toml::Value::String(text) => ValueKind::String(text),
        toml::Value::Integer(number) => ValueKind::I64(number),
        toml::Value::Float(number) => ValueKind::Float(number),
        toml::Value::Boolean(truth) => ValueKind::Boolean(truth),
        toml::Value::Datetime(time) => ValueKind::String(time.to_string()),
        toml::Value::Array(values) => {
            ValueKind::Array(values.into_iter().map(|value| with_origin(value, origin)).collect())
        }
        toml::Value::Table(table) => ValueKind::Table(
            table.into_iter().map(|(key, value)| (key, with_origin(value, origin))).collect(),
        ),
    };
    Value::new(Some(origin), kind)
}

/// Where the value at a path was set; of a key that a type does not know, where the table that holds it was.
fn origin_of<'v>(root: &'v Value, path: &serde_path_to_error::Path) -> Option<&'v str> {
    use serde_path_to_error::Segment;
    let mut value = root;
    for segment in path {
        let next = match (segment, &value.kind) {
            (Segment::Map { key }, ValueKind::Table(table)) => table.get(key),
            (Segment::Seq { index }, ValueKind::Array(values)) => values.get(*index),
            _ => None,
        };
        let Some(next) = next else { break };
        value = next;
    }
    value.origin()
}

/// What went wrong, without key and origin, which [`ConfigError`] tells better.
fn problem_of(error: &config::ConfigError) -> String {
    match error {
        config::ConfigError::Type { unexpected, expected, .. } => {
            format!("invalid type: {unexpected}, expected {expected}")
        }
        config::ConfigError::At { error, .. } => problem_of(error),
        config::ConfigError::NotFound(key) => format!("missing key {key}"),
        config::ConfigError::Message(message) => message.clone(),
        other => other.to_string(),
    }
}
