//! The manual, the example configurations and the units say what the programs do.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};
use wardwatch_tests::pipeline::program;
use wardwatch_tests::skip;

/// A program that has settings: its name in variables, the program, and the manual's tables of its settings.
struct Configured {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    tables: &'static [&'static str],
}

const ALL: [Configured; 6] = [
    Configured {
        name: "sensor",
        program: "wardwatch-sensor",
        arguments: &["run"],
        tables: &["every service", "sensor"],
    },
    Configured {
        name: "collector",
        program: "wardwatch-collector",
        arguments: &[],
        tables: &["every service", "collector", "bus"],
    },
    Configured {
        name: "enricher",
        program: "wardwatch-enricher",
        arguments: &[],
        tables: &["every service", "enricher", "bus", "store", "work on partitions"],
    },
    Configured {
        name: "alerter",
        program: "wardwatch-alerter",
        arguments: &[],
        tables: &["every service", "alerter", "bus", "store", "work on partitions"],
    },
    Configured {
        name: "migrate",
        program: "wardwatch",
        arguments: &["migrate"],
        tables: &["migrate", "bus", "store"],
    },
    Configured {
        name: "doctor",
        program: "wardwatch",
        arguments: &["doctor"],
        tables: &["doctor", "bus", "store"],
    },
];

impl Configured {
    /// What `--check-config` says, with more arguments and variables.
    fn check(&self, arguments: &[&str], variables: &[(String, &str)]) -> Result<program::Said> {
        let mut command = program::command(self.program, self.arguments)?;
        command
            .arg("--check-config")
            .args(arguments)
            .envs(variables.iter().map(|(name, value)| (name, value)));
        program::run(command)
    }
}

#[test]
fn the_manual_lists_every_setting_with_its_default_and_no_other() -> Result<()> {
    let manual = fs::read_to_string(root().join("docs/operations.md"))?;
    let tables = settings(&manual)?;
    for configured in &ALL {
        let said = configured.check(&[], &[])?;
        let mut defaults = BTreeMap::new();
        flatten(&toml::from_str(&said.out)?, "", &mut defaults);
        let mut written = BTreeMap::new();
        for table in configured.tables {
            written.extend(tables.get(*table).with_context(|| format!("no table {table:?}"))?.clone());
        }
        let shown: BTreeMap<_, _> =
            written.iter().filter_map(|(key, default)| Some((key.clone(), default.clone()?))).collect();
        assert_eq!(shown, defaults, "{}", configured.name);
        for key in written.iter().filter(|(_, default)| default.is_none()).map(|(key, _)| key) {
            let variable =
                format!("WARDWATCH_{}__{}", configured.name, key.replace('.', "__")).to_uppercase();
            let said = configured.check(&[], &[(variable, "1")])?;
            assert!(!said.err.contains("unknown"), "{} does not know {key}: {}", configured.name, said.err);
        }
    }
    Ok(())
}

/// The manual's settings: by table, by key, the default where there is one.
fn settings(manual: &str) -> Result<BTreeMap<String, BTreeMap<String, Option<Value>>>> {
    let chapter = manual
        .split("\n## ")
        .find(|chapter| chapter.starts_with("Settings"))
        .context("a chapter on settings")?;
    let mut tables = BTreeMap::new();
    for section in chapter.split("\n### ").skip(1) {
        let (title, text) = section.split_once('\n').context("a title")?;
        let prefix = if matches!(title, "bus" | "store") { title } else { "" };
        let mut table = BTreeMap::new();
        for row in text.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            let [key, default, _meaning] = cells[..] else { anyhow::bail!("a row of another shape: {row}") };
            let key = key.trim_matches('`');
            ensure!(key.starts_with(prefix), "{key} is not of {title}");
            let default = match default {
                "unset" => None,
                text => Some(
                    toml::from_str::<Table>(&format!("value = {}", text.trim_matches('`')))?["value"].clone(),
                ),
            };
            ensure!(table.insert(key.to_owned(), default).is_none(), "{key} is written twice");
        }
        tables.insert(title.to_owned(), table);
    }
    Ok(tables)
}

/// Every value by its full key.
fn flatten(table: &Table, prefix: &str, into: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(below) => flatten(below, &key, into),
            value => {
                into.insert(key, value.clone());
            }
        }
    }
}

#[test]
fn the_example_configurations_are_what_the_programs_take() -> Result<()> {
    let folder = root().join("deploy/config");
    let mut examples: BTreeSet<PathBuf> =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    for configured in &ALL {
        let path = folder.join(format!("{}.toml", configured.name));
        assert!(examples.remove(&path), "there is no {}", path.display());
        let said = configured.check(&["--config", path.to_str().context("a UTF-8 path")?], &[])?;
        assert!(said.status.success(), "{}", said.err);
        let (mut written, mut effective) = (BTreeMap::new(), BTreeMap::new());
        flatten(&toml::from_str(&fs::read_to_string(&path)?)?, "", &mut written);
        flatten(&toml::from_str(&said.out)?, "", &mut effective);
        // Secrets are hidden, among them those that a file holds.
        for (key, value) in written.iter().filter(|(key, _)| key.rsplit('.').next() != Some("token")) {
            assert_eq!(effective.get(key), Some(value), "{key} of {}", configured.name);
        }
    }
    assert!(examples.is_empty(), "examples of nothing: {examples:?}");
    Ok(())
}

#[test]
fn the_units_start_the_programs_and_give_them_no_more_than_they_need() -> Result<()> {
    let test = "pipeline_is_documented::the_units_start_the_programs_and_give_them_no_more_than_they_need";
    let mut services = BTreeSet::new();
    let scratch = tempfile::tempdir()?;
    let mut units = Vec::new();
    for entry in fs::read_dir(root().join("deploy/systemd"))? {
        let path = entry?.path();
        let unit = fs::read_to_string(&path)?;
        let command =
            setting(&unit, "ExecStart").with_context(|| format!("{} starts nothing", path.display()))?;
        let words: Vec<&str> = command.split(' ').collect();
        let installed =
            words.first().and_then(|word| word.strip_prefix("/usr/bin/")).context("a program in /usr/bin")?;
        let configured =
            ALL.iter().find(|configured| configured.program == installed).context("a program of ours")?;
        let config = format!("/etc/wardwatch/{}.toml", configured.name);
        let expected: Vec<_> = configured.arguments.iter().copied().chain(["--config", &config]).collect();
        assert_eq!(words[1..], expected, "{}", path.display());
        let capabilities = if configured.name == "sensor" { "CAP_NET_RAW" } else { "" };
        assert_eq!(setting(&unit, "AmbientCapabilities"), Some(capabilities), "{}", path.display());
        assert_eq!(setting(&unit, "CapabilityBoundingSet"), Some(capabilities), "{}", path.display());
        assert_eq!(setting(&unit, "NoNewPrivileges"), Some("yes"), "{}", path.display());
        services.insert(configured.name);
        // Where it will be installed there is nothing here.
        let here = program::path(installed)?.display().to_string();
        let copy = scratch.path().join(path.file_name().context("a file's name")?);
        fs::write(&copy, unit.replace(&format!("/usr/bin/{installed}"), &here))?;
        units.push(copy);
    }
    assert_eq!(services, BTreeSet::from(["sensor", "collector", "enricher", "alerter"]));
    if skip::unless_program(test, "systemd-analyze") {
        return Ok(());
    }
    let verified = Command::new("systemd-analyze").arg("verify").args(&units).output()?;
    let said = String::from_utf8_lossy(&verified.stderr);
    // It reads what is installed here as well, and has its say about that.
    let of_ours: Vec<&str> = said.lines().filter(|line| line.contains("wardwatch")).collect();
    assert!(verified.status.success() && of_ours.is_empty(), "{said}");
    Ok(())
}

fn setting<'a>(unit: &'a str, key: &str) -> Option<&'a str> {
    unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
