//! What a configuration promises, on settings as a service has them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::*;

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Sensor {
    site: String,
    listen: Option<SocketAddr>,
    uplink: Uplink,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Uplink {
    endpoints: Vec<String>,
    #[serde(with = "humantime_serde")]
    timeout: Duration,
    attempts: u8,
    compress: bool,
    password: Secret,
    properties: BTreeMap<String, String>,
    mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Live,
    BackfillFirst,
}

impl Default for Sensor {
    fn default() -> Self {
        Self { site: "main".to_owned(), listen: None, uplink: Uplink::default() }
    }
}

impl Default for Uplink {
    fn default() -> Self {
        Self {
            endpoints: vec!["http://127.0.0.1:7070".to_owned()],
            timeout: Duration::from_secs(5),
            attempts: 3,
            compress: true,
            password: Secret::default(),
            properties: BTreeMap::new(),
            mode: Mode::Live,
        }
    }
}

struct File {
    directory: TempDir,
}

impl File {
    fn with(text: &str) -> Self {
        let file = Self { directory: tempfile::tempdir().expect("a temporary directory") };
        std::fs::write(file.path(), text).expect("written");
        file
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("sensor.toml")
    }
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn from_file(text: &str) -> Result<Sensor, ConfigError> {
    load(&Sources::new("sensor").file(File::with(text).path()))
}

fn from_environment(pairs: &[(&str, &str)]) -> Result<Sensor, ConfigError> {
    load(&Sources::new("sensor").environment(variables(pairs)))
}

#[test]
fn nothing_said_means_the_defaults() {
    assert_eq!(load::<Sensor>(&Sources::new("sensor")).expect("defaults"), Sensor::default());
    assert_eq!(from_file("").expect("an empty file"), Sensor::default());
}

#[test]
fn the_file_goes_over_the_defaults_and_the_environment_over_the_file() {
    let file =
        File::with("site = 'north'\n[uplink]\nattempts = 7\ntimeout = '2m'\nmode = 'backfill_first'\n");
    let environment = variables(&[
        ("WARDWATCH_SENSOR__UPLINK__ATTEMPTS", "9"),
        ("WARDWATCH_SENSOR__UPLINK__COMPRESS", "false"),
        ("WARDWATCH_SENSOR__LISTEN", "127.0.0.1:0"),
        ("WARDWATCH_SENSOR__UPLINK__ENDPOINTS", r#"["http://a:1", "http://b:2"]"#),
        ("WARDWATCH_SENSOR__UPLINK__PROPERTIES", r#"{ "security.protocol" = "SSL" }"#),
    ]);
    let found: Sensor =
        load(&Sources::new("sensor").file(file.path()).environment(environment)).expect("settings");
    let expected = Sensor {
        site: "north".to_owned(),
        listen: Some("127.0.0.1:0".parse().expect("a literal")),
        uplink: Uplink {
            endpoints: vec!["http://a:1".to_owned(), "http://b:2".to_owned()],
            timeout: Duration::from_mins(2),
            attempts: 9,
            compress: false,
            properties: [("security.protocol".to_owned(), "SSL".to_owned())].into(),
            mode: Mode::BackfillFirst,
            ..Uplink::default()
        },
    };
    assert_eq!(found, expected);
}

#[test]
fn keys_with_dots_and_capitals_in_a_map_stay_as_they_are() {
    let found = from_file("[uplink.properties]\n\"ssl.ca.Location\" = '/x'\n").expect("settings");
    assert_eq!(found.uplink.properties, [("ssl.ca.Location".to_owned(), "/x".to_owned())].into());
}

#[test]
fn text_that_looks_like_a_number_stays_text_where_text_is_expected() {
    let found = from_environment(&[
        ("WARDWATCH_SENSOR__SITE", "0042"),
        ("WARDWATCH_SENSOR__UPLINK__PASSWORD", "[not toml"),
    ]);
    let found = found.expect("settings");
    assert_eq!(found.site, "0042");
    assert_eq!(found.uplink.password.expose(), "[not toml");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = load::<Sensor>(&Sources::new("sensor").file("/nowhere/sensor.toml")).expect_err("missing");
    assert_eq!(error.to_string(), "there is no configuration file /nowhere/sensor.toml");
}

#[test]
fn a_file_that_is_not_toml_is_named_with_the_line() {
    let file = File::with("site = 'north'\nuplink = [\n");
    let error = load::<Sensor>(&Sources::new("sensor").file(file.path())).expect_err("not TOML");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("the configuration file {} is not valid TOML: ", file.path().display())),
        "{text}"
    );
    assert!(text.contains("line 2") || text.contains("line 3"), "{text}");
}

#[test]
fn an_error_names_the_key_the_problem_and_the_file() {
    let cases = [
        (
            "[uplink]\nattempts = 'many'\n",
            "uplink.attempts",
            "invalid type: string \"many\", expected an integer",
        ),
        ("[uplink]\nattempts = 300\n", "uplink.attempts", "300"),
        ("[uplink]\ntimeout = 'soon'\n", "uplink.timeout", "expected"),
        ("[uplink]\nendpoints = ['a', {}]\n", "uplink.endpoints[1]", "expected a string"),
        ("[uplink]\nmode = 'later'\n", "uplink.mode", "later"),
        ("listen = 'here'\n", "listen", "socket address"),
        ("uplink = 3\n", "uplink", "expected"),
    ];
    for (text, key, problem) in cases {
        let file = File::with(text);
        let error = load::<Sensor>(&Sources::new("sensor").file(file.path())).expect_err(text);
        let message = error.to_string();
        let ConfigError::Key { key: found, problem: why, origin } = error else { panic!("{message}") };
        assert_eq!(found, key, "{message}");
        assert!(why.contains(problem), "{message}");
        assert_eq!(origin, format!("file {}", file.path().display()), "{message}");
    }
}

#[test]
fn an_error_names_the_variable() {
    let error = from_environment(&[("WARDWATCH_SENSOR__UPLINK__ATTEMPTS", "x")]).expect_err("not a number");
    let expected = "configuration key uplink.attempts: invalid type: string \"x\", expected an integer \
                    (from environment variable WARDWATCH_SENSOR__UPLINK__ATTEMPTS)";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_unknown_key_is_an_error_that_names_it_wherever_it_is() {
    let error = from_file("[uplink]\nattemps = 3\n").expect_err("misspelt").to_string();
    assert!(
        error.starts_with("configuration key uplink.attemps: unknown field `attemps`, expected one of"),
        "{error}"
    );
    let error = from_file("sight = 'x'\n").expect_err("misspelt").to_string();
    assert!(error.contains("unknown field `sight`") && error.contains("sensor.toml"), "{error}");
    let error =
        from_environment(&[("WARDWATCH_SENSOR__UPLINK__ATTEMPS", "3")]).expect_err("misspelt").to_string();
    assert!(error.contains("attemps") && error.contains("WARDWATCH_SENSOR__UPLINK__ATTEMPS"), "{error}");
}

#[test]
fn variables_that_are_not_ours_are_left_alone_and_half_names_are_errors() {
    let strange = [
        ("WARDWATCH_SENSOR_PORT", "tcp://10.0.0.1:80"),
        ("WARDWATCH_SENSORS__SITE", "x"),
        ("WARDWATCH_COLLECTOR__SITE", "x"),
        ("PATH", "/bin"),
    ];
    assert_eq!(from_environment(&strange).expect("defaults"), Sensor::default());
    for half in ["WARDWATCH_SENSOR__", "WARDWATCH_SENSOR__UPLINK__", "WARDWATCH_SENSOR____SITE"] {
        let error = from_environment(&[(half, "x")]).expect_err("it names no key").to_string();
        assert!(error.starts_with(&format!("environment variable {half}: ")), "{error}");
    }
}

#[test]
fn the_sections_of_every_service_are_read_beside_its_own() {
    let file = File::with("site = 'north'\n[telemetry]\nlog = 'debug'\n[health]\naddress = '127.0.0.1:0'\n");
    let sources = Sources::new("sensor")
        .file(file.path())
        .environment(variables(&[("WARDWATCH_SENSOR__SHUTDOWN__GRACE", "3s")]));
    let settings: Settings<Sensor> = load_settings(&sources).expect("settings");
    assert_eq!(settings.service.site, "north");
    assert_eq!(settings.common.telemetry.log, "debug");
    assert_eq!(settings.common.health.address, Some("127.0.0.1:0".parse().expect("a literal")));
    assert_eq!(settings.common.shutdown.grace, Duration::from_secs(3));

    let file = File::with("[telemetry]\nlogs = 'debug'\n");
    let error = load_settings::<Sensor>(&Sources::new("sensor").file(file.path())).expect_err("misspelt");
    assert!(error.to_string().starts_with("configuration key telemetry.logs: unknown field"), "{error}");
}

#[test]
fn a_secret_is_read_from_text_or_a_file_and_never_shown() {
    let file = File::with("s3cret\n");
    let by_file = format!("[uplink]\npassword = {{ file = '{}' }}\n", file.path().display());
    for text in ["[uplink]\npassword = 's3cret'\n", by_file.as_str()] {
        let found = from_file(text).expect("settings");
        assert_eq!(found.uplink.password.expose(), "s3cret");
        let shown = format!("{found:?}{}", to_toml(&found).expect("TOML"));
        assert!(!shown.contains("s3cret") && shown.contains("(hidden)"), "{shown}");
    }
    let error = from_file("[uplink]\npassword = { file = '/nowhere/x' }\n").expect_err("missing").to_string();
    assert!(error.contains("uplink.password") && error.contains("/nowhere/x"), "{error}");
}

#[test]
fn a_wrong_secret_is_not_shown_in_the_error() {
    let error = from_file("[uplink]\npassword = ['s3cret']\n").expect_err("a list").to_string();
    assert!(!error.contains("s3cret"), "{error}");
    let error =
        from_environment(&[("WARDWATCH_SENSOR__UPLINK__PASSWORD__FILE__X", "s3cret")]).expect_err("deeper");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[test]
fn the_effective_settings_are_a_file_that_gives_the_same_settings() {
    let text = "site = 'north'\n[uplink]\nattempts = 7\n[telemetry]\nlog = 'warn'\n";
    let settings: Settings<Sensor> =
        load_settings(&Sources::new("sensor").file(File::with(text).path())).expect("settings");
    let written = File::with(&settings.to_toml().expect("TOML"));
    let again: Settings<Sensor> =
        load_settings(&Sources::new("sensor").file(written.path())).expect("settings");
    assert_eq!(again.service, settings.service);
    assert_eq!(again.common.telemetry.log, "warn");
}

proptest! {
    #[test]
    fn whatever_a_file_or_variable_holds_is_settings_or_an_error(text in ".{0,80}", name in "[A-Z_]{0,12}", value in ".{0,20}") {
        let _ = from_file(&text);
        let _ = from_environment(&[(&format!("WARDWATCH_SENSOR__{name}"), &value)]);
    }
}
