//! The captures that tests are given, by area.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::{Context, Result};
use wardwatch_capture::captures_below;
use wardwatch_lab::Lab;

/// The hospitals of the lab, by the areas that their captures have here, and where each is described.
const HOSPITALS: [(&str, &str); 2] =
    [("own", "captures/hospital.toml"), ("larkfield", "lab/larkfield/hospital.toml")];

/// One capture file.
#[derive(Debug, Clone)]
pub struct Capture {
    /// The folder it stands in: medical, building, iot, infra, attacks, throughput; of the project's own, their hospital.
    pub area: String,
    /// Area and file name, as exceptions name it: `medical/ndpi__hl7.pcap`.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// The hospital that it was recorded in; none for what others recorded.
    pub lab: Option<Arc<Lab>>,
}

impl Capture {
    /// The name of the file without its ending: of the project's own, the scene that was played.
    pub fn scene(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// All captures in `data`, the folder that [`crate::skip::unless_test_data`] gives, in the order of their names.
pub fn captures(data: &Path) -> Result<Vec<Capture>> {
    let folder = data.join("captures");
    let found: Vec<_> = captures_below(&folder)?.into_iter().filter_map(of_area).collect();
    anyhow::ensure!(!found.is_empty(), "there is no capture in {}", folder.display());
    Ok(found)
}

/// A hospital of the lab whose scenes are recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What it is called here.
    pub area: &'static str,
    /// The hospital.
    pub lab: Arc<Lab>,
    /// A capture of each scene, in the order of their names.
    pub captures: Vec<Capture>,
}

/// The hospitals of the lab: first the one in `tests/captures`, whose area is `own`, then the other one.
pub fn hospitals() -> Result<Vec<Recorded>> {
    HOSPITALS.into_iter().map(|(area, description)| recorded(area, description)).collect()
}

fn recorded(area: &'static str, description: &str) -> Result<Recorded> {
    let lab = Arc::new(Lab::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join(description))?);
    let capture = |scene: String| {
        let path = lab.capture(&scene);
        let how = || format!("cargo xtask lab --hospital tests/{description} --record {scene}");
        anyhow::ensure!(path.is_file(), "{} is not recorded: {}", path.display(), how());
        Ok(Capture { area: area.into(), id: format!("{area}/{}", name(&path)), path, lab: Some(lab.clone()) })
    };
    let captures = lab.areas()?.into_iter().map(capture).collect::<Result<_>>()?;
    Ok(Recorded { area, lab: lab.clone(), captures })
}

/// The project's own captures, of all these hospitals.
pub fn own() -> Result<Vec<Capture>> {
    Ok(hospitals()?.into_iter().flat_map(|recorded| recorded.captures).collect())
}

/// A capture in the folder of its area.
fn of_area(path: PathBuf) -> Option<Capture> {
    let area = name(path.parent()?);
    Some(Capture { id: format!("{area}/{}", name(&path)), area, path, lab: None })
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
