//! Opening the spool's file, and what is done with one that cannot be used.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::SpoolConfig;
use super::store::{Error, Store};
use crate::telling::Telling;

/// The journal's file.
const FILE: &str = "journal.redb";

/// What a corrupt file is called from then on, with the time behind it.
const CORRUPT: &str = "spool.corrupt-";

/// How long to wait for the process that had the spool before, which may be about to end.
const HANDOVER: Duration = Duration::from_secs(3);

/// Opens the spool. A corrupt file is set aside; `None` when the disk is full or fails, which passes.
pub(super) fn open(config: &SpoolConfig, owner: &str, telling: &Telling) -> Result<Option<Store>, Error> {
    let begun = Instant::now();
    loop {
        match Store::open(&config.directory, config.bytes, owner) {
            Ok(store) => return Ok(Some(store)),
            Err(Error::Journal(wardwatch_journal::Error::Locked { .. })) if begun.elapsed() < HANDOVER => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(error) if is_corrupt(&error) => {
                tracing::error!(%error, "the spool cannot be read");
                if let Err(error) = set_aside(&config.directory, telling) {
                    tracing::error!(%error, "the corrupt spool cannot be set aside");
                    return Ok(None);
                }
            }
            Err(error) if passes(&error) => {
                tracing::error!(error = text(&error), "the spool cannot be opened for now");
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether what is on the disk is not what was written.
pub(super) fn is_corrupt(error: &Error) -> bool {
    matches!(error, Error::Journal(wardwatch_journal::Error::Corrupt { .. }))
}

/// Whether the same may succeed later: a disk that is full or fails, and not a directory that cannot be used.
fn passes(error: &Error) -> bool {
    let Error::Journal(error) = error else { return false };
    if matches!(error, wardwatch_journal::Error::Locked { .. }) {
        return false;
    }
    let kind = error.system().map(std::io::Error::kind);
    !matches!(
        kind,
        Some(
            ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::NotADirectory
                | ErrorKind::AlreadyExists
                | ErrorKind::IsADirectory
        )
    )
}

/// Gives the file another name, so that a fresh one can be begun. One such file is left for whoever wants to look into it; the
/// one before it goes, since the disk is bounded.
pub(super) fn set_aside(directory: &Path, telling: &Telling) -> std::io::Result<()> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let aside = directory.join(format!("{CORRUPT}{seconds}"));
    for earlier in set_aside_before(directory)? {
        std::fs::remove_file(earlier)?;
    }
    std::fs::rename(directory.join(FILE), &aside)?;
    telling.spool_files_set_aside.increment();
    tracing::error!(file = %aside.display(), "the corrupt spool is set aside, and a fresh one begun");
    Ok(())
}

/// Removes the file, if there is one.
pub(super) fn remove(directory: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(directory.join(FILE)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn set_aside_before(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(CORRUPT) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// An error with its causes, in a line.
pub(super) fn text(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
