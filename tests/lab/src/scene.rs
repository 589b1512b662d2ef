//! What happens in one area of the hospital, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::Hospital;

/// A scene, as read from `<area>.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Its name, that of its file.
    #[serde(skip)]
    pub name: String,
    /// Devices that have no address when it begins and ask for one by DHCP.
    #[serde(default)]
    pub unaddressed: BTreeSet<String>,
    /// What happens, in order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
    /// What is to be seen of it.
    #[serde(rename = "truth", default)]
    pub truths: Vec<Truth>,
}

/// What is to be stated of some devices in a scene. Values stand in the hospital's description alone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// The devices.
    pub of: Vec<String>,
    /// The protocols that each of them takes part in.
    #[serde(default)]
    pub protocols: Vec<String>,
    /// Keys of their descriptions, as `serial` or `dicom.ae_title`, whose values go over the wire.
    #[serde(default)]
    pub says: Vec<String>,
    /// Attributes and values that follow from what the software does, as roles.
    #[serde(default)]
    pub states: BTreeMap<String, Vec<String>>,
}

/// A step of a scene.
#[derive(Debug, Clone, Deserialize)]
pub struct Step {
    /// The device whose namespace it happens in.
    pub on: String,
    /// What happens.
    #[serde(flatten)]
    pub act: Act,
    /// For a service: where it listens.
    pub ready: Option<Port>,
    /// For a program that is run: the status that it must exit with.
    #[serde(default)]
    pub exit: i32,
    /// Seconds after which the step has failed.
    seconds: Option<u64>,
}

/// What happens in a step. Words that name a device in braces, as in `{ct-1}`, stand for its address; a first word
/// that ends in `.py` is one of the scene's scripts.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// A program runs to its end.
    Run(Vec<String>),
    /// A program runs until the scene is over. The step is done when it listens.
    Serve(Vec<String>),
    /// Nothing, for so many seconds.
    Rest(f64),
}

/// A port that a service listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Port {
    /// A TCP port.
    Tcp(u16),
    /// A UDP port.
    Udp(u16),
}

impl Scene {
    /// Reads a scene.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let scene: Self = toml::from_str(&text).with_context(|| format!("understand {}", path.display()))?;
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        Ok(Self { name, ..scene })
    }

    /// The devices that take part.
    pub fn cast(&self) -> BTreeSet<&str> {
        self.steps.iter().map(|step| step.on.as_str()).collect()
    }

    /// Sees that every device of the scene is one of the hospital's and has addresses.
    pub fn check(&self, hospital: &Hospital) -> Result<()> {
        for name in self.cast() {
            let device = hospital.device(name);
            ensure!(device.is_some_and(|device| device.ip.is_some()), "no device {name} with an address");
        }
        for name in &self.unaddressed {
            ensure!(self.cast().contains(name.as_str()), "{name} is to ask for an address but never acts");
        }
        for step in &self.steps {
            let serves = matches!(step.act, Act::Serve(_));
            ensure!(serves == step.ready.is_some(), "{} on {}: a service has a port", step.act, step.on);
            step.words(hospital)?;
        }
        Ok(())
    }
}

impl Step {
    /// How long it may take.
    pub fn within(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(30))
    }

    /// The words of its program, with devices' addresses in place.
    pub fn words(&self, hospital: &Hospital) -> Result<Vec<String>> {
        let (Act::Run(words) | Act::Serve(words)) = &self.act else { return Ok(Vec::new()) };
        ensure!(!words.is_empty(), "a step on {} names no program", self.on);
        words.iter().map(|word| with_addresses(word, hospital)).collect()
    }
}

fn with_addresses(word: &str, hospital: &Hospital) -> Result<String> {
    let mut replaced = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').with_context(|| format!("no closing brace in {word}"))?;
        let address = hospital.device(name).and_then(|device| device.ip);
        let address = address.with_context(|| format!("no device {name} with an address"))?;
        replaced.push_str(before);
        replaced.push_str(&address.to_string());
        rest = after;
    }
    replaced.push_str(rest);
    Ok(replaced)
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(words) => write!(f, "run {}", words.join(" ")),
            Self::Serve(words) => write!(f, "serve {}", words.join(" ")),
            Self::Rest(seconds) => write!(f, "rest {seconds} s"),
        }
    }
}
