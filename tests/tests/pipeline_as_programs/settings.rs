//! What an operator meets who sets something, and sets it wrong.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use toml::Table;
use wardwatch_tests::pipeline::program;

/// One of the four programs, with two of its settings that are numbers.
struct Service {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    section: &'static str,
    keys: [&'static str; 2],
}

const SERVICES: [Service; 4] = [
    Service {
        name: "sensor",
        program: "wardwatch-sensor",
        arguments: &["run"],
        section: "limits",
        keys: ["flows", "remembered_facts"],
    },
    Service {
        name: "collector",
        program: "wardwatch-collector",
        arguments: &[],
        section: "limits",
        keys: ["streams", "batch_bytes"],
    },
    Service {
        name: "enricher",
        program: "wardwatch-enricher",
        arguments: &[],
        section: "commit",
        keys: ["rows", "compact_after"],
    },
    Service {
        name: "alerter",
        program: "wardwatch-alerter",
        arguments: &[],
        section: "commit",
        keys: ["rows", "compact_after"],
    },
];

impl Service {
    /// The program with a configuration file and a variable, asked to check them.
    fn check(&self, file: Option<&Path>, variable: Option<(&str, &str)>) -> Result<program::Said> {
        let mut command = program::command(self.program, self.arguments)?;
        command.arg("--check-config");
        if let Some(file) = file {
            command.arg("--config").arg(file);
        }
        command.envs(variable);
        program::run(command)
    }

    /// The variable that sets a key of its section.
    fn variable(&self, key: &str) -> String {
        format!("WARDWATCH_{}__{}__{key}", self.name, self.section).to_uppercase()
    }
}

#[test]
fn settings_are_defaults_below_the_file_below_the_environment() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for service in &SERVICES {
        let Service { section, keys: [first, second], .. } = service;
        let file = written(&folder, "ours.toml", &format!("[{section}]\n{first} = 70\n{second} = 80\n"))?;
        let variable = service.variable(second);
        let effective = |said: program::Said| -> Result<[i64; 2]> {
            ensure!(said.status.success(), "{}: {said:?}", service.name);
            let settings: Table = toml::from_str(&said.out)?;
            let number = |key: &str| settings.get(*section)?.get(key)?.as_integer();
            Ok([number(first).context("a number")?, number(second).context("a number")?])
        };
        let defaults = effective(service.check(None, None)?)?;
        assert!(defaults.iter().all(|default| ![70, 80, 90].contains(default)), "{defaults:?}");
        assert_eq!(effective(service.check(Some(&file), None)?)?, [70, 80], "{}", service.name);
        assert_eq!(
            effective(service.check(None, Some((&variable, "90")))?)?,
            [defaults[0], 90],
            "{}",
            service.name
        );
        assert_eq!(
            effective(service.check(Some(&file), Some((&variable, "90")))?)?,
            [70, 90],
            "{}",
            service.name
        );
        // The file can be named by a variable too.
        let named = format!("WARDWATCH_{}_CONFIG", service.name.to_uppercase());
        let said = service.check(None, Some((&named, file.to_str().context("a UTF-8 path")?)))?;
        assert_eq!(effective(said)?, [70, 80], "{}", service.name);
    }
    Ok(())
}

#[test]
fn a_setting_that_is_wrong_is_named_with_where_it_comes_from() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let missing = folder.path().join("missing.toml");
    for service in &SERVICES {
        let Service { section, keys: [key, _], .. } = service;
        let file = |name: &str, text: &str| written(&folder, name, text);
        let misspelt = file("misspelt.toml", &format!("[{section}]\n{key}s_ = 1\n"))?;
        let nowhere = file("nowhere.toml", "nowhere = 1\n")?;
        let mistyped = file("mistyped.toml", &format!("[{section}]\n{key} = \"many\"\n"))?;
        let broken = file("broken.toml", "[section\n")?;
        let shown = |path: &Path| path.display().to_string();
        let cases = [
            (
                service.check(Some(&misspelt), None)?,
                vec![format!("{section}.{key}s_"), "unknown field".into(), shown(&misspelt)],
            ),
            (
                service.check(Some(&nowhere), None)?,
                vec!["nowhere".into(), "unknown field".into(), shown(&nowhere)],
            ),
            (
                service.check(Some(&mistyped), None)?,
                vec![format!("{section}.{key}"), "invalid type".into(), shown(&mistyped)],
            ),
            (
                service.check(Some(&missing), None)?,
                vec!["there is no configuration file".into(), shown(&missing)],
            ),
            (
                service.check(Some(&broken), None)?,
                vec!["is not valid TOML".into(), "line 1".into(), shown(&broken)],
            ),
            {
                let variable = service.variable("misspelt");
                let said = service.check(None, Some((&variable, "1")))?;
                (said, vec![format!("{section}.misspelt"), "unknown field".into(), variable])
            },
            {
                let variable = service.variable(key);
                let said = service.check(None, Some((&variable, "many")))?;
                (said, vec![format!("{section}.{key}"), "invalid type".into(), variable])
            },
        ];
        for (said, expected) in cases {
            assert_eq!(said.status.code(), Some(1), "{}: {said:?}", service.name);
            assert_eq!(said.out, "", "{}", service.name);
            for part in expected {
                assert!(said.err.contains(&part), "{}: no {part:?} in {}", service.name, said.err);
            }
        }
        let mut command = program::command(service.program, service.arguments)?;
        command.arg("--no-such-option");
        assert_eq!(program::run(command)?.status.code(), Some(2), "{}", service.name);
    }
    Ok(())
}

#[test]
fn settings_that_cannot_work_together_are_named_at_the_start() -> Result<()> {
    let cases = [
        ("wardwatch-sensor", &["run"][..], vec![], "site: is not set"),
        (
            "wardwatch-sensor",
            &["run"],
            vec![
                ("WARDWATCH_SENSOR__SITE", "tarnwick"),
                ("WARDWATCH_SENSOR__SENSOR", "mirror-1"),
                ("WARDWATCH_SENSOR__UPLINK__TOKEN", "t"),
                ("WARDWATCH_SENSOR__INPUT__INTERFACE", "eth1"),
                ("WARDWATCH_SENSOR__INPUT__FILES", "[\"a.pcap\"]"),
            ],
            "input.interface and input.files exclude each other",
        ),
        (
            "wardwatch-collector",
            &[],
            vec![("WARDWATCH_COLLECTOR__SENSORS", "{ mirror-1 = { site = \"tarnwick\" } }")],
            "sensors.mirror-1.token: is not set",
        ),
        (
            "wardwatch-enricher",
            &[],
            vec![("WARDWATCH_ENRICHER__STORE__URL", "clickhouse:9000")],
            "must begin with http",
        ),
        ("wardwatch-alerter", &[], vec![("WARDWATCH_ALERTER__BUS__KAFKA__BROKERS", "[]")], "kafka.brokers"),
    ];
    for (name, arguments, variables, expected) in cases {
        let mut command = program::command(name, arguments)?;
        command.envs(variables);
        let said = program::run(command)?;
        assert_eq!(said.status.code(), Some(1), "{name}: {said:?}");
        assert!(said.err.contains(expected), "{name}: {}", said.err);
    }
    Ok(())
}

#[test]
fn secrets_are_not_shown() -> Result<()> {
    let secret = "do-not-show-me";
    for (name, arguments, variable, text) in [
        ("wardwatch-sensor", &["run"][..], "WARDWATCH_SENSOR__UPLINK__TOKEN", secret.to_owned()),
        (
            "wardwatch-collector",
            &[],
            "WARDWATCH_COLLECTOR__SENSORS",
            format!("{{ s = {{ site = \"x\", token = \"{secret}\" }} }}"),
        ),
        ("wardwatch-enricher", &[], "WARDWATCH_ENRICHER__STORE__PASSWORD", secret.to_owned()),
        ("wardwatch-alerter", &[], "WARDWATCH_ALERTER__BUS__KAFKA__SASL_PASSWORD", secret.to_owned()),
        ("wardwatch", &["migrate"], "WARDWATCH_MIGRATE__STORE__PASSWORD", secret.to_owned()),
    ] {
        let mut command = program::command(name, arguments)?;
        command.arg("--check-config").env(variable, text);
        let said = program::run(command)?;
        assert!(said.status.success(), "{name}: {said:?}");
        assert!(!said.out.contains(secret) && !said.err.contains(secret), "{name}: {said:?}");
    }
    Ok(())
}

fn written(folder: &TempDir, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.path().join(name);
    fs::write(&path, text)?;
    Ok(path)
}
