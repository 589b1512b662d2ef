//! The captures that tests are given, by area.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result};
use wardwatch_capture::captures_below;

/// One capture file.
#[derive(Debug, Clone)]
pub struct Capture {
    /// The folder it stands in: medical, building, iot, infra, attacks, throughput.
    pub area: String,
    /// Area and file name, as exceptions name it: `medical/ndpi__hl7.pcap`.
    pub id: String,
    /// The file.
    pub path: PathBuf,
}

/// All captures in `data`, the folder that [`crate::skip::unless_test_data`] gives, in the order of their names.
pub fn captures(data: &Path) -> Result<Vec<Capture>> {
    let folder = data.join("captures");
    let found: Vec<_> = captures_below(&folder)?.into_iter().filter_map(of_area).collect();
    anyhow::ensure!(!found.is_empty(), "there is no capture in {}", folder.display());
    Ok(found)
}

/// The project's own captures, in `tests/captures`; their area is `own`.
pub fn own() -> Result<Vec<Capture>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let capture = |path: PathBuf| Capture { area: "own".into(), id: format!("own/{}", name(&path)), path };
    Ok(captures_below(&folder)?.into_iter().map(capture).collect())
}

/// A capture in the folder of its area.
fn of_area(path: PathBuf) -> Option<Capture> {
    let area = name(path.parent()?);
    Some(Capture { id: format!("{area}/{}", name(&path)), area, path })
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Looks at every capture, on all cores; the answers come in the order of the captures.
pub fn each<T: Send>(captures: &[Capture], look: impl Fn(&Capture) -> Result<T> + Sync) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::new());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((index, capture)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    captures.get(index).map(|capture| (index, capture))
                } {
                    let answer = look(capture).with_context(|| format!("look at {}", capture.id));
                    answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, answer));
                }
            });
        }
    });
    let mut answers = answers.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
