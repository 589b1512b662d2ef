//! Records captures from real medical and building software.
//!
//! A [hospital](Hospital) is described in one file: its devices, their addresses, and what their software says about
//! itself. A [scene](Scene) is what happens in one area of it, step by step: which program serves or runs on which
//! device. The recorder gives each device of a scene a network namespace of its own, joins them by a bridge in
//! another, which stands for the mirror port, runs the scene, and keeps what passes the bridge.
//!
//! Nothing touches the machine's own network. Whatever happens, programs, namespaces and files are gone afterwards:
//! the guards here see to it, the kernel ends the programs if the recorder itself is killed, and the next recording
//! removes the namespaces that were left then.

mod capture;
mod hospital;
mod namespace;
mod network;
mod program;
mod scene;
mod software;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub use hospital::{Credential, Device, Dhcp, Hospital, Patient, Site};
pub use scene::{Act, Scene, Step};

use crate::scratch::Scratch;
use capture::Capture;
use network::Network;
use program::{Program, Service};
use software::Python;

/// Where the recorder's scenes and scripts are, and where its captures go.
#[derive(Debug, Clone)]
pub struct Recorder {
    /// Scenes (`<area>.toml`) and the Python scripts that they name.
    scripts: PathBuf,
    /// The hospital's description and the captures (`<area>.pcap`).
    captures: PathBuf,
}

/// What was recorded.
#[derive(Debug)]
pub struct Recording {
    /// The capture file.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Default for Recorder {
    /// That of this repository.
    fn default() -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { scripts: tests.join("recorder"), captures: tests.join("captures") }
    }
}

impl Recorder {
    /// The hospital's description: the truth about what is in the captures.
    pub fn hospital(&self) -> Result<Hospital> {
        Hospital::read(&self.captures.join("hospital.toml"))
    }

    /// The capture of an area.
    pub fn capture(&self, area: &str) -> PathBuf {
        self.captures.join(format!("{area}.pcap"))
    }

    /// The areas that can be recorded, by name.
    pub fn areas(&self) -> Result<Vec<String>> {
        let folder = || format!("read {}", self.scripts.display());
        let mut areas = Vec::new();
        for entry in fs::read_dir(&self.scripts).with_context(folder)? {
            let path = entry.with_context(folder)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                areas.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
            }
        }
        areas.sort();
        Ok(areas)
    }

    /// Records one area and replaces its capture.
    pub fn record(&self, area: &str) -> Result<Recording> {
        let hospital = self.hospital()?;
        let scene = Scene::read(&self.scripts.join(format!("{area}.toml")))?;
        scene.check(&hospital)?;
        let python = Python::prepare(&self.scripts.join("requirements.txt"))?;
        let scratch = Scratch::new("record")?;

        let network = Network::build(&hospital, &scene)?;
        let recorded = scratch.path().join("capture.pcap");
        let capture = Capture::start(network.mirror(), &recorded, scratch.path())?;
        let played = self.play(&scene, &hospital, &network, &python, scratch.path());
        let stopped = capture.stop();
        played.with_context(|| format!("record {area}"))?;
        stopped.with_context(|| format!("record {area}"))?;

        let file = self.capture(area);
        let bytes = fs::copy(&recorded, &file).with_context(|| format!("write {}", file.display()))?;
        Ok(Recording { file, bytes })
    }

    /// Plays the steps in order; services end when it is over, the last first.
    fn play(
        &self,
        scene: &Scene,
        hospital: &Hospital,
        network: &Network,
        python: &Python,
        scratch: &Path,
    ) -> Result<()> {
        let mut services = Vec::new();
        for (index, step) in scene.steps.iter().enumerate() {
            let namespace = network.host(&step.on)?;
            let program = || -> Result<Program> {
                Ok(Program {
                    namespace: namespace.name().to_owned(),
                    words: python.resolve(&step.words(hospital)?, &self.scripts),
                    environment: vec![
                        ("WARDWATCH_HOSPITAL".into(), self.captures.join("hospital.toml").into()),
                        ("WARDWATCH_DEVICE".into(), step.on.clone().into()),
                    ],
                    folder: scratch.to_owned(),
                    log: scratch.join(format!("{index}-{}.log", step.on)),
                })
            };
            let played = match &step.act {
                Act::Run(_) => program()?.run(step.within(), step.exit),
                Act::Serve(_) => {
                    let service = Service::start(program()?);
                    service.and_then(|mut service| {
                        let port = step.ready.context("a service has a port")?;
                        service.wait_until_ready(port, step.within())?;
                        services.push(service);
                        Ok(())
                    })
                }
                Act::Rest(seconds) => {
                    std::thread::sleep(std::time::Duration::from_secs_f64(*seconds));
                    Ok(())
                }
            };
            played.with_context(|| format!("step {} on {}: {}", index + 1, step.on, step.act))?;
        }
        while let Some(service) = services.pop() {
            service.stop()?;
        }
        Ok(())
    }
}
