//! The way into a running `wardwatch up` for people who decide something or ask how it is: where its collector listens, the
//! token that it takes commands with, and where its health is served. All of it stands in a file of the data folder that its owner alone can read, for as long as it runs.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::folder::Folder;

/// The file's name.
const FILE: &str = "control.json";

/// What stands in the file.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Door {
    /// `http://127.0.0.1:7443`.
    pub(crate) collector: String,
    pub(crate) token: String,
    /// `http://127.0.0.1:9600`: health, counters, and how far the log reaches.
    #[serde(default)]
    pub(crate) health: String,
}

/// The file, removed when this is dropped.
#[derive(Debug)]
pub(crate) struct OpenDoor(PathBuf);

impl Door {
    /// The door of the `wardwatch up` that runs on this folder; `None` where none does.
    pub(crate) fn find(folder: &Folder) -> anyhow::Result<Option<Self>> {
        let path = folder.path()?.join(FILE);
        match fs::read(&path) {
            Ok(text) => {
                let door = serde_json::from_slice(&text);
                door.map(Some).with_context(|| format!("{} is not ours", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
}

impl OpenDoor {
    /// Says where the collector listens, with which token it takes commands, and where health is served.
    pub(crate) fn open(
        folder: &Path,
        collector: SocketAddr,
        token: &str,
        health: SocketAddr,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join(FILE);
        // One that a process left behind that was killed may have other rights.
        let _ = fs::remove_file(&path);
        let door = Door {
            collector: format!("http://{collector}"),
            token: token.to_owned(),
            health: format!("http://{health}"),
        };
        let text = serde_json::to_vec(&door).context("cannot write JSON")?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        file.write_all(&text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for OpenDoor {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn it_is_there_for_its_owner_alone_and_as_long_as_it_is_open() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::at(data.path().to_owned());
        assert!(Door::find(&folder).expect("readable").is_none());
        fs::write(data.path().join(FILE), "left behind").expect("a file of a former process");
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let open = OpenDoor::open(data.path(), at(7), "secret", at(8)).expect("open");
        let mode = fs::metadata(data.path().join(FILE)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let found = Door::find(&folder).expect("readable").expect("open");
        assert_eq!((found.collector.as_str(), found.token.as_str()), ("http://127.0.0.1:7", "secret"));
        assert_eq!(found.health, "http://127.0.0.1:8");
        drop(open);
        assert!(Door::find(&folder).expect("readable").is_none());
    }
}
