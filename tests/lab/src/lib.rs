//! The lab: a small hospital of real software in network namespaces, and the sensor at its mirror port.
//!
//! # What it does
//! A [hospital](Hospital) is described in one file: its devices, their addresses, and what their software is configured
//! to say. A [scene](Scene) is what happens in one area of it, step by step: which program serves or runs on which
//! device, and which of the description goes over the wire there. The lab gives each device of a scene a [network
//! namespace](namespace) of its own and joins them by a [bridge](network) with mirror ports. On each of these stands
//! the real [sensor](sensor), by another means of capturing; tcpdump [keeps](capture) what passes, as a witness and for
//! the captures that the demonstration and the ordinary tests replay. Afterwards what the sensor stated is
//! [held against](comparison) the [truth] in the description.
//!
//! Nothing touches the machine's own network. Whatever happens, programs, namespaces and files are gone afterwards:
//! the guards here see to it, the kernel ends the programs if the lab itself is killed, and the next play removes the
//! namespaces that were left then.
//!
//! # Another hospital
//! is a file such as `tests/captures/hospital.toml`, which has the words for it; `cargo xtask lab --hospital FILE` plays
//! it:
//!
//! ```toml
//! [hospital]                          # what all have in common
//! name = "Larkfield Clinic"
//! domain = "larkfield.example"
//! network = "10.30.0.0/16"
//! scenes = "scenes"                   # the folder of its scenes, from this file; without it, that of this project
//!
//! [[device]]
//! name = "files-1"                    # its key, and the namespace that it runs in
//! category = "it"
//! type = "server"
//! mac = "54:bf:64:20:10:10"           # its own addresses, or `behind = "NAME"`: another one speaks for it
//! ip = "10.30.1.10"
//! host_name = "FILES-1"
//! captures = ["offices"]              # the scenes that it takes part in
//! [device.smb]                        # configures its software; scripts read it, and the truth is taken from it
//! domain = "LARKFIELD"
//! ```
//!
//! A scene is `<name>.toml` in the folder of scenes. Its scripts are looked for beside it, then among this project's;
//! `requirements.txt` beside it pins the Python packages that they need.
//!
//! ```toml
//! [[step]]
//! on = "files-1"
//! serve = ["file_server.py"]          # or `run` to its end, or `rest` for seconds
//! ready = { tcp = 445 }               # where a service listens when it is ready
//!
//! [[truth]]
//! of = ["files-1"]
//! protocols = ["smb"]                 # that it takes part in
//! says = ["host_name", "smb.domain"]  # keys of its description whose values go over the wire in this scene
//! states = { role = ["smb-server"] }  # what else is to be stated of it, as attribute and values
//! ```
//!
//! Under which attribute a key's value is to be stated stands in [`truth`]; a key in a table of software that is named
//! like an attribute is that attribute.

#![forbid(unsafe_code)]

mod capture;
pub mod comparison;
mod hospital;
mod namespace;
mod network;
mod program;
pub mod report;
mod scene;
pub mod sensor;
mod software;
#[cfg(test)]
mod tests;
pub mod truth;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context, Result};

pub use hospital::{Credential, Device, Dhcp, Hospital, Patient, Site};
pub use scene::{Act, Scene, Step, Truth};

use capture::Capture;
use network::Network;
use program::{Program, Service};
use sensor::{Means, Sensor, Watched};
use software::Python;

/// How long the last packets may take to the sensor.
const SETTLING: Duration = Duration::from_secs(1);

/// A hospital that can be played.
#[derive(Debug, Clone)]
pub struct Lab {
    /// The hospital's description. Captures (`<area>.pcap`) stand beside it.
    description: PathBuf,
    /// Scenes (`<area>.toml`) and the scripts that they name.
    scenes: PathBuf,
    hospital: Hospital,
}

/// A scene that has been played.
#[derive(Debug)]
pub struct Played {
    /// What passed, as tcpdump kept it.
    pub capture: PathBuf,
    /// How many packets that were.
    pub packets: u64,
    /// What the sensor stated, by each means.
    pub watched: Vec<Watched>,
    /// Everything the play has written, until this is dropped.
    _scratch: tempfile::TempDir,
}

impl Lab {
    /// This project's own hospital.
    pub fn of_this_project() -> Result<Self> {
        Self::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/hospital.toml"))
    }

    /// The hospital that a file describes.
    pub fn of(description: &Path) -> Result<Self> {
        let hospital = Hospital::read(description)?;
        let folder = description.parent().unwrap_or(Path::new(""));
        let scenes = hospital.site.scenes.as_ref().map_or_else(own_scenes, |scenes| folder.join(scenes));
        // Programs run in a folder of their own.
        let absolute =
            |path: &Path| std::path::absolute(path).with_context(|| format!("find {}", path.display()));
        Ok(Self { description: absolute(description)?, scenes: absolute(&scenes)?, hospital })
    }

    /// The hospital's description: the truth about what is on the wire.
    pub fn hospital(&self) -> &Hospital {
        &self.hospital
    }

    /// The recorded capture of an area.
    pub fn capture(&self, area: &str) -> PathBuf {
        self.description.with_file_name(format!("{area}.pcap"))
    }

    /// The areas that can be played, by name.
    pub fn areas(&self) -> Result<Vec<String>> {
        let folder = || format!("read {}", self.scenes.display());
        let mut areas = Vec::new();
        for entry in fs::read_dir(&self.scenes).with_context(folder)? {
            let path = entry.with_context(folder)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                areas.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
            }
        }
        areas.sort();
        Ok(areas)
    }

    /// The scene of an area, which fits the hospital.
    pub fn scene(&self, area: &str) -> Result<Scene> {
        let scene = Scene::read(&self.scenes.join(format!("{area}.toml")))?;
        scene.check(&self.hospital).with_context(|| format!("check the scene {area}"))?;
        truth::check(&scene, &self.hospital).with_context(|| format!("check the truth of {area}"))?;
        Ok(scene)
    }

    /// Plays one area, with the sensor's program at a mirror port by each of these means.
    pub fn play(&self, area: &str, sensor: Option<&Path>, means: &[Means]) -> Result<Played> {
        self.played(area, sensor, means).with_context(|| format!("play {area}"))
    }

    fn played(&self, area: &str, program: Option<&Path>, means: &[Means]) -> Result<Played> {
        let scene = self.scene(area)?;
        let python = self.python()?;
        let scratch = tempfile::Builder::new().prefix("wardwatch-lab-").tempdir().context("make a folder")?;
        let folder = scratch.path();
        let network = Network::build(&self.hospital, &scene, means)?;
        let mut sensors = Vec::new();
        for means in program.iter().flat_map(|_| means) {
            sensors.extend(program.map(|program| Sensor::start(program, *means, &network, folder)));
        }
        let sensors: Vec<Sensor> = sensors.into_iter().collect::<Result<_>>()?;
        let recorded = folder.join("capture.pcap");
        let capture = Capture::start(network.mirror(), &recorded, folder)?;
        let steps = self.steps(&scene, &network, &python, folder);
        if steps.is_ok() {
            thread::sleep(SETTLING);
        }
        let stopped = capture.stop();
        let watched = sensors.into_iter().map(Sensor::stop).collect::<Result<_>>();
        steps?;
        Ok(Played { capture: recorded, packets: stopped?, watched: watched?, _scratch: scratch })
    }

    /// The Python packages of the scenes, or those of this project's.
    fn python(&self) -> Result<Python> {
        let theirs = self.scenes.join("requirements.txt");
        let requirements = if theirs.is_file() { theirs } else { own_scenes().join("requirements.txt") };
        Python::prepare(&requirements, &self.hospital.site.domain)
    }

    /// Plays the steps in order; services end when it is over, the last first.
    fn steps(&self, scene: &Scene, network: &Network, python: &Python, scratch: &Path) -> Result<()> {
        let mut services = Vec::new();
        let own = own_scenes();
        for (index, step) in scene.steps.iter().enumerate() {
            let namespace = network.host(&step.on)?;
            let program = || -> Result<Program> {
                Ok(Program {
                    namespace: namespace.name().to_owned(),
                    host_name: self.hospital.device(&step.on).map(Device::own_name),
                    words: python.resolve(&step.words(&self.hospital)?, &[&self.scenes, &own])?,
                    environment: vec![
                        ("WARDWATCH_HOSPITAL".into(), self.description.clone().into()),
                        ("WARDWATCH_DEVICE".into(), step.on.clone().into()),
                        // The scripts of another hospital read its description as ours do.
                        ("PYTHONPATH".into(), own.clone().into()),
                    ],
                    folder: scratch.to_owned(),
                    output: None,
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
                    thread::sleep(Duration::from_secs_f64(*seconds));
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

/// This project's scenes and scripts.
fn own_scenes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes")
}
