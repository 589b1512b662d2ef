//! Records the captures of the invented hospital: `record [AREA]...`, as root; without an area, all of them.

#![forbid(unsafe_code)]

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::{env, time::Instant};

use anyhow::{Result, ensure};
use wardwatch_tests::recorder::Recorder;

fn main() -> ExitCode {
    match record(env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn record(mut wanted: Vec<String>) -> Result<()> {
    let recorder = Recorder::default();
    let areas = recorder.areas()?;
    for area in &wanted {
        ensure!(areas.contains(area), "no area {area}; there are {}", areas.join(", "));
    }
    ensure!(rustix::process::geteuid().is_root(), "recording needs root, for network namespaces");
    if wanted.is_empty() {
        wanted = areas;
    }
    for area in wanted {
        let began = Instant::now();
        let recording = recorder.record(&area)?;
        let _ = writeln!(
            io::stdout(),
            "{}: {} bytes in {:.1} s",
            recording.file.display(),
            recording.bytes,
            began.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
