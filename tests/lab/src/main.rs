//! `lab`: plays a hospital, holds the sensor against the truth, and records captures.

#![forbid(unsafe_code)]

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use wardwatch_lab::sensor::Means;
use wardwatch_lab::{Lab, comparison, report};

/// Play a hospital of real software in network namespaces, with the sensor at its mirror ports, and compare what the
/// sensor states with what the software was configured to say.
///
/// Ends with a failure when something that was to be stated is missing, when something was invented, or when a word
/// about a patient left the sensor. Needs root.
///
/// Another hospital is described in a file: devices with their addresses, and what configures their software. Its
/// scenes are files in the folder that it names: which programs run where, and what of the description goes over the
/// wire. tests/captures/hospital.toml and tests/lab/scenes/radiology.toml are examples, and the first page of the
/// crate's documentation (tests/lab/src/lib.rs) explains them.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask lab", bin_name = "cargo xtask lab")]
struct Arguments {
    /// The scenes to play, such as radiology; all when none is named
    scenes: Vec<String>,
    /// The hospital's description; without it, that of the captures of this project
    #[arg(long, value_name = "FILE")]
    hospital: Option<PathBuf>,
    /// How the sensor captures; may be repeated. All means at once when it is not given
    #[arg(long, value_enum)]
    capture: Vec<Means>,
    /// Also replace the captures beside the hospital's description
    #[arg(long)]
    record: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Also print what is stated beyond the truth
    #[arg(long)]
    more: bool,
    /// The sensor's program; without it, the one beside this program
    #[arg(long, value_name = "PROGRAM")]
    sensor: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for each device
    Table,
    /// A JSON object for each scene, on a line of its own
    Json,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// True when every scene agrees with the truth.
fn run(arguments: &Arguments) -> Result<bool> {
    let lab = match &arguments.hospital {
        Some(description) => Lab::of(description)?,
        None => Lab::of_this_project()?,
    };
    let mut wanted = arguments.scenes.clone();
    let areas = lab.areas()?;
    for area in &wanted {
        ensure!(areas.contains(area), "no scene {area}; there are {}", areas.join(", "));
    }
    if wanted.is_empty() {
        wanted = areas;
    }
    let means = if arguments.capture.is_empty() { &Means::ALL[..] } else { &arguments.capture };
    let sensor = match &arguments.sensor {
        Some(program) => program.clone(),
        None => env::current_exe().context("find this program")?.with_file_name("wardwatch-sensor"),
    };
    let sensor =
        fs::canonicalize(&sensor).with_context(|| format!("find the sensor {}", sensor.display()))?;
    ensure!(rustix::process::geteuid().is_root(), "the lab needs root, for network namespaces");

    let mut agrees = true;
    for area in wanted {
        let played = lab.play(&area, Some(&sensor), means)?;
        if arguments.record {
            let file = lab.capture(&area);
            fs::copy(&played.capture, &file).with_context(|| format!("write {}", file.display()))?;
        }
        let comparison = comparison::compare(lab.hospital(), &lab.scene(&area)?, &played);
        agrees &= comparison.agrees();
        let text = match arguments.format {
            Format::Table => report::tables(&comparison, arguments.more),
            Format::Json => serde_json::to_string(&comparison).context("write JSON")? + "\n",
        };
        io::stdout().write_all(text.as_bytes()).context("print")?;
    }
    Ok(agrees)
}
