//! Captures in folders.

use std::fs;
use std::path::{Path, PathBuf};

use crate::CaptureError;

/// The capture files in a folder and in those below it, told by their names' endings, in the order of their paths.
///
/// Links to folders are not followed: they may lead back.
pub fn captures_below(folder: &Path) -> Result<Vec<PathBuf>, CaptureError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |cause| CaptureError::Folder { path: folder.clone(), cause };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
