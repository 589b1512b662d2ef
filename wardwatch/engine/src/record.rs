//! Who runs the engine of a data directory: `engine.lock` decides, `engine.json` tells.
//!
//! The lock is handed to the engine's process, and the starter lets go of it: it is held exactly while that process
//! lives, however it dies. A record without a held lock is from an engine that is gone.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::{Attempted, Error, Holder, Result};

/// How long a lock is tried for: someone may be looking ([`is_held`]), or a killed engine may still be going.
const PATIENCE: Duration = Duration::from_millis(500);

/// The content of `engine.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The engine's process.
    pub(crate) pid: u32,
    /// The process that started it.
    pub(crate) owner: u32,
    pub(crate) url: String,
    pub(crate) http_port: u16,
    pub(crate) tcp_port: u16,
    /// The server's macro `engine`: whoever answers at the port with another one is somebody else.
    pub(crate) instance: String,
    pub(crate) password: Option<String>,
}

impl Record {
    /// Reads the record; `None` when there is none that can be read, which is as good as none.
    pub(crate) fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(data.join("engine.json")).ok()?).ok()
    }

    /// Writes the record, whole or not at all, for its owner's eyes only: it may hold a password.
    pub(crate) fn write(&self, data: &Path) -> Result<()> {
        let (target, draft) = (data.join("engine.json"), data.join("engine.json.new"));
        let write = || {
            let mut file = private(&draft)?;
            serde_json::to_writer(&mut file, self)?;
            file.write_all(b"\n")?;
            fs::rename(&draft, &target)
        };
        write().attempted(|| format!("write {}", target.display()))
    }

    /// Removes the record.
    pub(crate) fn remove(data: &Path) -> Result<()> {
        let path = data.join("engine.json");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).attempted(|| format!("remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }
}

/// Opens a file that only its owner may read, emptied.
pub(crate) fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn open(data: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(data.join("engine.lock"))
}

/// Takes the lock of a data directory, to be handed to the engine's process.
///
/// # Errors
/// [`Error::Locked`] with the holder's name when an engine runs on the directory.
pub(crate) fn lock(data: &Path) -> Result<File> {
    let file = open(data).attempted(|| format!("open the lock of {}", data.display()))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => {
                let by = Record::read(data).map(|record| Holder { pid: record.pid, owner: record.owner });
                return Err(Error::Locked { data: data.to_owned(), by });
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).attempted(|| format!("lock {}", data.display()));
            }
        }
    }
}

/// Whether an engine's process holds the lock of a data directory.
pub(crate) fn is_held(data: &Path) -> bool {
    File::open(data.join("engine.lock"))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_and_names_the_holder() {
        let data = tempfile::tempdir().unwrap();
        assert!(!is_held(data.path()), "nothing there yet");
        let held = lock(data.path()).unwrap();
        assert!(is_held(data.path()));
        assert!(matches!(lock(data.path()), Err(Error::Locked { by: None, .. })));
        let record = Record {
            pid: 11,
            owner: 22,
            url: String::new(),
            http_port: 1,
            tcp_port: 2,
            instance: String::new(),
            password: None,
        };
        record.write(data.path()).unwrap();
        let refusal = lock(data.path()).unwrap_err().to_string();
        assert!(
            refusal.ends_with("in use by another engine (process 11, started by process 22)"),
            "{refusal}"
        );
        drop(held);
        assert!(!is_held(data.path()));
        lock(data.path()).unwrap();
    }
}
