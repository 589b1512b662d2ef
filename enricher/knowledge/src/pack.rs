//! Reading a pack: TOML files whose entries are checked one by one, so that an error names file, entry and key.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::error::KnowledgeError;

/// The files that are built in, in the order in which they are read.
const BUILT_IN: &[(&str, &str)] = &[
    ("pack.toml", include_str!("../pack/pack.toml")),
    ("manufacturers.toml", include_str!("../pack/manufacturers.toml")),
    ("manufacturers-plant.toml", include_str!("../pack/manufacturers-plant.toml")),
    ("manufacturers-others.toml", include_str!("../pack/manufacturers-others.toml")),
    ("mac-prefixes.toml", include_str!("../pack/mac-prefixes.toml")),
    ("dicom-roots.toml", include_str!("../pack/dicom-roots.toml")),
    ("bacnet-vendors.toml", include_str!("../pack/bacnet-vendors.toml")),
    ("hl7-applications.toml", include_str!("../pack/hl7-applications.toml")),
    ("sources.toml", include_str!("../pack/sources.toml")),
    ("assigned.toml", include_str!("../pack/assigned.toml")),
    ("taxonomy.toml", include_str!("../pack/taxonomy.toml")),
    ("models.toml", include_str!("../pack/models.toml")),
    ("rules-imaging.toml", include_str!("../pack/rules-imaging.toml")),
    ("rules-clinical.toml", include_str!("../pack/rules-clinical.toml")),
    ("rules-plant.toml", include_str!("../pack/rules-plant.toml")),
    ("rules-network.toml", include_str!("../pack/rules-network.toml")),
    ("rules-other.toml", include_str!("../pack/rules-other.toml")),
    ("signatures-web.toml", include_str!("../pack/signatures-web.toml")),
    ("signatures-clients.toml", include_str!("../pack/signatures-clients.toml")),
    ("signatures-network.toml", include_str!("../pack/signatures-network.toml")),
    ("signatures-names.toml", include_str!("../pack/signatures-names.toml")),
    ("signatures-hosts.toml", include_str!("../pack/signatures-hosts.toml")),
    ("patient-data.toml", include_str!("../pack/patient-data.toml")),
    ("rules-computers.toml", include_str!("../pack/rules-computers.toml")),
    ("rules-things.toml", include_str!("../pack/rules-things.toml")),
    ("rules-names.toml", include_str!("../pack/rules-names.toml")),
    ("score.toml", include_str!("../pack/score.toml")),
    ("profile.toml", include_str!("../pack/profile.toml")),
    ("lifecycle.toml", include_str!("../pack/lifecycle.toml")),
];

/// What may stand at the top of a file.
const SECTIONS: &[&str] = &[
    "version",
    "manufacturer",
    "mac_prefixes",
    "dicom_root",
    "bacnet_vendors",
    "hl7_application",
    "assigned",
    "assigned_prefix",
    "assigned_protocol",
    "binding_protocols",
    "many_valued",
    "third_key",
    "same_device",
    "teller",
    "source",
    "type",
    "rule",
    "signature",
    "model",
    "patient_data",
    "factor",
    "field",
    "fda_products",
    "retired_states",
    "behaviour",
];

/// A file of a pack.
#[derive(Debug)]
pub(crate) struct File {
    name: String,
    sections: Table,
}

/// Where something stands, for error messages.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    file: String,
    entry: String,
}

/// An entry and where it stands.
pub(crate) struct Entry<T> {
    pub(crate) place: Place,
    pub(crate) value: T,
}

impl Place {
    /// Something is wrong with a key here.
    pub(crate) fn wrong(&self, key: impl Into<String>, problem: impl Into<String>) -> KnowledgeError {
        KnowledgeError::Entry {
            file: self.file.clone(),
            entry: self.entry.clone(),
            key: key.into(),
            problem: problem.into(),
        }
    }
}

impl File {
    /// Reads one file's text and checks that it holds nothing but known sections.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, KnowledgeError> {
        let sections: Table = toml::from_str(text).map_err(|error| KnowledgeError::Syntax {
            file: name.to_owned(),
            problem: error.to_string().trim_end().to_owned(),
        })?;
        let file = Self { name: name.to_owned(), sections };
        match file.sections.keys().find(|key| !SECTIONS.contains(&key.as_str())) {
            Some(unknown) => {
                Err(file.place("").wrong(unknown, format!("unknown; known are {}", SECTIONS.join(", "))))
            }
            None => Ok(file),
        }
    }

    pub(crate) fn place(&self, entry: &str) -> Place {
        Place { file: self.name.clone(), entry: entry.to_owned() }
    }

    /// A section that is one value; `None` where the file does not have it.
    pub(crate) fn value<T: DeserializeOwned>(
        &self,
        section: &str,
    ) -> Result<Option<Entry<T>>, KnowledgeError> {
        let Some(value) = self.sections.get(section) else { return Ok(None) };
        let place = self.place(section);
        read(&place, value.clone()).map(|value| Some(Entry { place, value }))
    }

    /// The entries of a section that is an array of tables, each known by the value of `id`.
    pub(crate) fn entries<T: DeserializeOwned>(
        &self,
        section: &str,
        id: &str,
    ) -> Result<Vec<Entry<T>>, KnowledgeError> {
        let Some(value) = self.sections.get(section) else { return Ok(Vec::new()) };
        let Value::Array(tables) = value else {
            return Err(self.place(section).wrong("", format!("must be written as [[{section}]]")));
        };
        let entry = |(number, table): (usize, &Value)| {
            let name = table.get(id).and_then(Value::as_str);
            let place =
                self.place(&name.map_or_else(
                    || format!("{section} {}", number + 1),
                    |name| format!("{section} {name:?}"),
                ));
            read(&place, table.clone()).map(|value| Entry { place, value })
        };
        tables.iter().enumerate().map(entry).collect()
    }
}

fn read<T: DeserializeOwned>(place: &Place, value: Value) -> Result<T, KnowledgeError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let problem = error.into_inner();
        place.wrong(if path == "." { String::new() } else { path }, problem.message())
    })
}

/// The files that are built in.
pub(crate) fn built_in() -> Result<Vec<File>, KnowledgeError> {
    BUILT_IN.iter().map(|(name, text)| File::parse(name, text)).collect()
}

/// The `.toml` files of a folder in the order of their names, or one file.
pub(crate) fn read_from(path: &Path) -> Result<Vec<File>, KnowledgeError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| KnowledgeError::Read { path, source }
    };
    let mut paths = Vec::new();
    if path.is_dir() {
        for item in fs::read_dir(path).map_err(failed(path))? {
            let item = item.map_err(failed(path))?.path();
            if item.extension().is_some_and(|extension| extension == "toml") {
                paths.push(item);
            }
        }
        paths.sort();
    } else {
        paths.push(path.to_owned());
    }
    let parse = |path: &std::path::PathBuf| {
        File::parse(&path.display().to_string(), &fs::read_to_string(path).map_err(failed(path))?)
    };
    paths.iter().map(parse).collect()
}
