//! One shape for every service's `main`.

use std::ffi::OsString;
use std::future::Future;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::{Arg, ArgAction, Command, value_parser};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::{self, Common, Settings, Sources};
use crate::context::{Context, ServiceInfo};
use crate::health::HealthServer;
use crate::{shutdown, telemetry};

/// Runs a service from its command line to its end.
///
/// Takes `--config FILE`, `--check-config` (prints the effective settings, secrets hidden, and exits) and `--log FILTER`;
/// loads the settings; starts telemetry and health; calls `serve`, which returns soon after `context.shutdown` is cancelled; flushes
/// telemetry. Errors are printed with their causes; the exit code is 0 after an orderly end, 1 after an error and 2 for a
/// command line that cannot be read.
///
/// ```no_run
/// # async fn serve(_: Config, _: wardwatch_service::Context) -> anyhow::Result<()> { Ok(()) }
/// # #[derive(Default, serde::Serialize, serde::Deserialize)] struct Config {}
/// fn main() -> std::process::ExitCode {
///     let service = wardwatch_service::ServiceInfo { name: "sensor", version: env!("CARGO_PKG_VERSION") };
///     wardwatch_service::run(service, std::env::args_os(), serve)
/// }
/// ```
pub fn run<C, F, Fut>(
    service: ServiceInfo,
    arguments: impl IntoIterator<Item = OsString>,
    serve: F,
) -> ExitCode
where
    C: Default + Serialize + DeserializeOwned,
    F: FnOnce(C, Context) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    let arguments = match Arguments::parse(service, arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match carry_out(service, arguments, serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}", error_text(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes, each on a line of its own.
pub fn error_text(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}");
    for cause in error.chain().skip(1) {
        text.push_str("\n  caused by: ");
        text.push_str(&cause.to_string());
    }
    text
}

/// What every service takes on its command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Arguments {
    config: Option<PathBuf>,
    check_config: bool,
    log: Option<String>,
}

impl Arguments {
    fn parse(
        service: ServiceInfo,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let variable = format!("WARDWATCH_{}_CONFIG", service.name.to_ascii_uppercase().replace('-', "_"));
        let command = Command::new(format!("wardwatch-{}", service.name))
            .version(service.version)
            .arg(
                Arg::new("config")
                    .long("config")
                    .value_name("FILE")
                    .value_parser(value_parser!(PathBuf))
                    .env(variable)
                    .help("Read settings from this TOML file"),
            )
            .arg(
                Arg::new("check-config")
                    .long("check-config")
                    .action(ArgAction::SetTrue)
                    .help("Print the effective settings, secrets hidden, and exit"),
            )
            .arg(Arg::new("log").long("log").value_name("FILTER").help(
                "Which logs go to stderr: info, or info,wardwatch_bus=debug [overrides telemetry.log]",
            ));
        let mut matches = command.try_get_matches_from(arguments)?;
        Ok(Self {
            config: matches.remove_one("config"),
            check_config: matches.get_flag("check-config"),
            log: matches.remove_one("log"),
        })
    }
}

fn carry_out<C, F, Fut>(service: ServiceInfo, arguments: Arguments, serve: F) -> anyhow::Result<()>
where
    C: Default + Serialize + DeserializeOwned,
    F: FnOnce(C, Context) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    let mut sources = Sources::new(service.name).process_environment();
    if let Some(path) = &arguments.config {
        sources = sources.file(path);
    }
    let mut settings: Settings<C> = config::load_settings(&sources)?;
    if let Some(log) = arguments.log {
        settings.common.telemetry.log = log;
    }
    if arguments.check_config {
        let text = settings.to_toml()?;
        return std::io::stdout().write_all(text.as_bytes()).context("cannot print the settings");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name(service.name)
        .build()
        .context("cannot start the runtime")?;
    let Settings { common, service: own } = settings;
    let outcome = runtime.block_on(live(service, common, |context| serve(own, context)));
    // A blocking call that hangs (a dead disk, a name server) must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    outcome
}

/// Telemetry, health and signals around one service.
async fn live<F, Fut>(service: ServiceInfo, common: Common, serve: F) -> anyhow::Result<()>
where
    F: FnOnce(Context) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    let context = Context::new(service);
    let telemetry = telemetry::start(&common.telemetry, service, &context.counters)?;
    let outcome = watched(&common, &context, serve).await;
    if let Err(error) = &outcome {
        tracing::error!(service = service.name, error = format!("{error:#}"), "failed");
    }
    telemetry.stop().await;
    outcome
}

async fn watched<F, Fut>(common: &Common, context: &Context, serve: F) -> anyhow::Result<()>
where
    F: FnOnce(Context) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    shutdown::on_signals(context.shutdown.clone()).context("cannot listen for signals")?;
    if let Some(address) = common.health.address {
        let server = HealthServer::bind(address, context.health.clone(), context.counters.clone())
            .await
            .with_context(|| format!("cannot serve health on {address}"))?;
        tracing::info!(address = %server.address()?, "health is served");
        tokio::spawn(server.serve(context.shutdown.clone()));
    }
    let name = context.service.name;
    tracing::info!(service = name, version = context.service.version, "starting");
    let grace = common.shutdown.grace;
    let deadline = async {
        context.shutdown.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    let outcome = tokio::select! {
        outcome = serve(context.clone()) => outcome,
        () = deadline => Err(anyhow!("{name} did not stop within {grace:?}")),
    };
    context.shutdown.cancel();
    tracing::info!(service = name, "stopped");
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENSOR: ServiceInfo = ServiceInfo { name: "sensor", version: "1.2.3" };

    fn parse(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        let all = std::iter::once("wardwatch-sensor").chain(arguments.iter().copied());
        Arguments::parse(SENSOR, all.map(OsString::from))
    }

    #[test]
    fn the_command_line_is_the_same_for_every_service() {
        let all =
            parse(&["--config", "/etc/x.toml", "--check-config", "--log", "debug"]).expect("a command line");
        let expected = Arguments {
            config: Some("/etc/x.toml".into()),
            check_config: true,
            log: Some("debug".to_owned()),
        };
        assert_eq!(all, expected);
        assert_eq!(parse(&["--verbose"]).expect_err("unknown").exit_code(), 2);
        assert_eq!(parse(&["--version"]).expect_err("prints").exit_code(), 0);
    }

    #[test]
    fn an_error_is_printed_with_its_causes() {
        let error =
            anyhow!("connection refused").context("cannot reach the broker").context("collector failed");
        let expected =
            "error: collector failed\n  caused by: cannot reach the broker\n  caused by: connection refused";
        assert_eq!(error_text(&error), expected);
    }
}
