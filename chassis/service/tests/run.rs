//! A service as a process: its command line, its signals, its end. The test program runs itself as the service.

#![allow(missing_docs, reason = "a test")]

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, ExitCode, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use wardwatch_service::{Context, Secret, ServiceInfo};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    behaviour: String,
    password: Secret,
}

async fn serve(config: Config, context: Context) -> anyhow::Result<()> {
    use anyhow::Context as _;
    tracing::info!("serving");
    match config.behaviour.as_str() {
        "fail" => Err(anyhow::anyhow!("connection refused")).context("cannot reach the broker"),
        "hang" => std::future::pending().await,
        "end" => Ok(()),
        _ => {
            context.shutdown.cancelled().await;
            Ok(())
        }
    }
}

/// Not a test of its own: the service, when a test has started this program for it.
#[test]
fn the_service() {
    let Ok(arguments) = std::env::var("SERVICE_ARGUMENTS") else { return };
    let arguments =
        std::iter::once("wardwatch-probe").chain(arguments.split_whitespace()).map(OsString::from);
    let info = ServiceInfo { name: "probe", version: "1.2.3" };
    let code = wardwatch_service::run(info, arguments, serve);
    std::process::exit(i32::from(code != ExitCode::SUCCESS));
}

/// The service with these settings; killed when it is dropped.
struct Service(Child);

impl Service {
    fn start(arguments: &str, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command
            .args(["--exact", "the_service", "--nocapture", "--quiet"])
            .env("SERVICE_ARGUMENTS", arguments);
        for (key, value) in settings {
            command.env(format!("WARDWATCH_PROBE__{key}"), value);
        }
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started"))
    }

    /// Reads standard error until a line holds this text.
    fn until(&mut self, text: &str) {
        let stderr = self.0.stderr.as_mut().expect("piped");
        let found = BufReader::new(stderr).lines().any(|line| line.expect("text").contains(text));
        assert!(found, "the service did not say {text:?}");
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(id, signal).expect("signalled");
    }

    /// Exit code, standard output and standard error.
    fn end(mut self) -> (Option<i32>, String, String) {
        let mut texts = [String::new(), String::new()];
        if let Some(mut stdout) = self.0.stdout.take() {
            stdout.read_to_string(&mut texts[0]).expect("text");
        }
        if let Some(mut stderr) = self.0.stderr.take() {
            stderr.read_to_string(&mut texts[1]).expect("text");
        }
        let code = self.0.wait().expect("ended").code();
        let [stdout, stderr] = std::mem::take(&mut texts);
        (code, stdout, stderr)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn either_signal_ends_it_in_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut service = Service::start("", &[]);
        service.until("serving");
        service.signal(signal);
        assert_eq!(service.end().0, Some(0));
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut service = Service::start("", &[("BEHAVIOUR", "hang"), ("SHUTDOWN__GRACE", "1h")]);
    service.until("serving");
    service.signal(Signal::TERM);
    service.until("a second signal stops at once");
    service.signal(Signal::TERM);
    assert_eq!(service.end().0, Some(130));
}

#[test]
fn one_that_does_not_stop_is_ended_when_its_time_is_over() {
    let mut service = Service::start("", &[("BEHAVIOUR", "hang"), ("SHUTDOWN__GRACE", "200ms")]);
    service.until("serving");
    service.signal(Signal::TERM);
    let (code, _, stderr) = service.end();
    assert_eq!(code, Some(1));
    assert!(stderr.contains("error: probe did not stop within 200ms"), "{stderr}");
}

#[test]
fn an_error_ends_it_with_its_causes() {
    let (code, _, stderr) = Service::start("", &[("BEHAVIOUR", "fail")]).end();
    assert_eq!(code, Some(1));
    assert!(stderr.contains("error: cannot reach the broker\n  caused by: connection refused"), "{stderr}");
    assert_eq!(Service::start("", &[("BEHAVIOUR", "end")]).end().0, Some(0));
}

#[test]
fn check_config_prints_the_effective_settings_and_starts_nothing() {
    let settings = [("BEHAVIOUR", "fail"), ("PASSWORD", "s3cret")];
    let (code, stdout, stderr) = Service::start("--check-config --log debug", &settings).end();
    assert_eq!(code, Some(0), "{stderr}");
    for part in [
        "behaviour = \"fail\"",
        "password = \"(hidden)\"",
        "[telemetry]",
        "log = \"debug\"",
        "grace = \"20s\"",
    ] {
        assert!(stdout.contains(part), "{part} is missing: {stdout}");
    }
    assert!(!stdout.contains("s3cret") && !stderr.contains("s3cret"));
}

#[test]
fn a_configuration_that_is_wrong_is_an_error_before_anything_starts() {
    let (code, _, stderr) = Service::start("--config /nowhere/probe.toml", &[]).end();
    assert_eq!(code, Some(1));
    assert!(stderr.contains("error: there is no configuration file /nowhere/probe.toml"), "{stderr}");
    let (code, _, stderr) = Service::start("", &[("BEHAVIOR", "x")]).end();
    assert_eq!(code, Some(1));
    let expected = "error: configuration key behavior: unknown field `behavior`";
    assert!(stderr.contains(expected) && stderr.contains("WARDWATCH_PROBE__BEHAVIOR"), "{stderr}");
}

#[test]
fn health_is_served_where_it_is_asked_for() {
    let mut service = Service::start("", &[("HEALTH__ADDRESS", "127.0.0.1:0")]);
    service.until("health is served");
    service.signal(Signal::TERM);
    assert_eq!(service.end().0, Some(0));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("bound").to_string();
    let (code, _, stderr) = Service::start("", &[("HEALTH__ADDRESS", &address)]).end();
    assert_eq!(code, Some(1));
    assert!(stderr.contains(&format!("error: cannot serve health on {address}")), "{stderr}");
}
