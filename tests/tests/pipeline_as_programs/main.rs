//! The services as programs: what an operator meets who has configuration files, an environment and signals.

#![forbid(unsafe_code)]

mod certificates;
mod cluster;
mod settings;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cluster::Cluster;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use wardwatch_proto::topic;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::oracle::stated;
use wardwatch_tests::pipeline::program::{Running, get};
use wardwatch_tests::pipeline::{SENSOR, SITE, recorded};
use wardwatch_tests::skip;

/// Flow records in captures, as this process states them.
fn flow_records(captures: &[PathBuf]) -> Result<u64> {
    let mut count = 0;
    for capture in captures {
        let facts = stated::facts(capture)?;
        count += facts.iter().filter(|fact| matches!(fact.fact, Some(Stated::Flow(_)))).count();
    }
    Ok(count as u64)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_made_run_and_stopped_as_the_manual_says() -> Result<()> {
    let test = "pipeline_as_programs::a_cluster_is_made_run_and_stopped_as_the_manual_says";
    if skip::unless_kafka(test) || skip::unless_clickhouse(test) {
        return Ok(());
    }
    let broker = Broker::start().await?;
    let cluster = Cluster::new(&broker).await?;

    let (status, log) = cluster.service("enricher")?.ended()?;
    assert_eq!(status.code(), Some(1), "there are no tables yet: {log}");
    assert!(log.contains("migration 1 (flows)") || log.contains("flows"), "{log}");

    let made = cluster.migrate()?;
    assert!(made.status.success(), "{made:?}");
    for line in ["made flows, devices", "topic wardwatch.facts: made with 8 partitions, incarnation 1"] {
        assert!(made.err.contains(line), "{}", made.err);
    }
    let again = cluster.migrate()?;
    assert!(again.status.success(), "{again:?}");
    assert_eq!(again.err.matches("up to date").count(), 6, "tables and five topics: {}", again.err);

    let mut collector = cluster.collector(0)?;
    let mut enricher = cluster.service("enricher")?;
    let mut alerter = cluster.service("alerter")?;
    let health = [collector.ready()?, enricher.ready()?, alerter.ready()?];
    for address in health {
        assert_eq!(get(address, "/healthz")?.0, 200);
    }
    let address = listening(&mut collector)?;

    let captures = recorded();
    let (status, log) = cluster.sensor(address, &captures, None)?.ended()?;
    assert!(status.success(), "{log}");
    cluster.until_it_gives("SELECT count() FROM flows", flow_records(&captures)?).await?;
    assert!(cluster.number("SELECT count() FROM v_devices").await? > 20);
    a_person_decides(&cluster, address).await?;
    // Counted when the range is committed, which is after its rows are there.
    enricher.until("counted what it applied", |_| {
        let (status, metrics) = get(health[1], "/metrics.json").ok()?;
        (status == 200 && metrics.contains("enricher_batches_applied")).then_some(())
    })?;

    // A sensor that goes on for as long as it is let; its collector is replaced under it.
    let mut sensor = cluster.sensor(address, &captures, Some(0.01))?;
    sensor.ready()?;
    let (status, log) = collector.stop()?;
    assert!(status.success() && log.contains("stopped"), "{log}");
    let mut collector = cluster.collector(address.port())?;
    collector.ready()?;
    let watching = sensor.health()?;
    sensor.until("found the new collector", |_| {
        let metrics = get(watching, "/metrics.json").ok()?.1;
        metrics.contains(r#""name":"sensor_uplink_connections","kind":"counter","value":2"#).then_some(())
    })?;
    // What it has learned until now is stated, acknowledged and stored.
    let (status, log) = sensor.stop()?;
    assert!(status.success() && log.contains("stopped"), "{log}");
    cluster.until_it_gives("SELECT uniqExact(epoch) FROM flows", 2).await?;

    for service in [collector, enricher, alerter] {
        let (status, log) = service.stop()?;
        assert!(status.success() && log.contains("stopped"), "{log}");
        assert!(!log.contains("panicked"), "{log}");
    }
    a_topic_that_is_made_anew_begins_an_incarnation(&broker, &cluster).await
}

/// From afar, with TLS on both sides, and nothing to look up in.
async fn a_person_decides(cluster: &Cluster, collector: SocketAddr) -> Result<()> {
    let device = cluster.text("SELECT min(device) FROM v_devices WHERE location = ''").await?;
    let wanted = ["override", &device, "location", "Room 7", "--site", SITE];
    let said = cluster.decide(collector, &wanted)?;
    assert!(said.status.success() && said.out.contains("by a.roe"), "{said:?}");
    let shown = format!("SELECT count() FROM v_devices WHERE device = '{device}' AND location = 'Room 7'");
    cluster.until_it_gives(&shown, 1).await?;
    let elsewhere = ["override", &device, "location", "Room 7", "--site", "elsewhere"];
    let said = cluster.decide(collector, &elsewhere)?;
    assert!(!said.status.success() && said.err.contains("may only decide about"), "{said:?}");
    Ok(())
}

/// Where a collector listens.
fn listening(collector: &mut Running) -> Result<SocketAddr> {
    let line = collector.says("collecting")?;
    let address = line.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next());
    Ok(address.with_context(|| format!("no address in {line:?}"))?.parse()?)
}

async fn a_topic_that_is_made_anew_begins_an_incarnation(broker: &Broker, cluster: &Cluster) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = broker.client_config().create()?;
    for deleted in admin.delete_topics(&[topic::FACTS], &AdminOptions::new()).await? {
        deleted.map_err(|(topic, code)| anyhow::anyhow!("delete {topic}: {code}"))?;
    }
    let made = cluster.migrate()?;
    assert!(made.status.success(), "{made:?}");
    assert!(
        made.err.contains("topic wardwatch.facts: made with 8 partitions, incarnation 2"),
        "{}",
        made.err
    );
    assert!(made.err.contains("topic wardwatch.events: up to date"), "{}", made.err);
    Ok(())
}

#[test]
fn a_sensor_needs_one_capability_and_no_root() -> Result<()> {
    let test = "pipeline_as_programs::a_sensor_needs_one_capability_and_no_root";
    if skip::unless_root(test) || skip::unless_program(test, "setpriv") || skip::unless_program(test, "ip") {
        return Ok(());
    }
    let space = Namespace::new()?;
    let folder = tempfile::tempdir()?;
    let log = folder.path().display().to_string();
    let inside = ["ip", "netns", "exec", &space.0];
    let known = format!("{{ {SENSOR} = {{ site = \"{SITE}\", token = \"t\" }} }}");
    let settings = [
        ("WARDWATCH_COLLECTOR__SENSORS", known.as_str()),
        ("WARDWATCH_COLLECTOR__BUS__KIND", "embedded"),
        ("WARDWATCH_COLLECTOR__BUS__EMBEDDED__DIRECTORY", &log),
    ];
    let mut collector = Running::start_by(&inside, "wardwatch-collector", &[], settings)?;
    collector.says("collecting")?;
    let spool = tempfile::tempdir()?;
    // It is nobody's, who the sensor will be.
    fs::set_permissions(spool.path(), fs::Permissions::from_mode(0o777))?;
    let kept = spool.path().display().to_string();
    let sensor = |capabilities: &str, capture: &str| {
        let settings = [
            ("WARDWATCH_SENSOR__SITE", SITE),
            ("WARDWATCH_SENSOR__SENSOR", SENSOR),
            ("WARDWATCH_SENSOR__UPLINK__TOKEN", "t"),
            ("WARDWATCH_SENSOR__INPUT__INTERFACE", "lo"),
            ("WARDWATCH_SENSOR__INPUT__CAPTURE", capture),
            ("WARDWATCH_SENSOR__SPOOL__DIRECTORY", &kept),
        ];
        let sets = ["inh-caps", "ambient-caps", "bounding-set"].map(|set| format!("--{set}={capabilities}"));
        let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
        let by: Vec<_> = inside.into_iter().chain(nobody).chain(sets.iter().map(String::as_str)).collect();
        Running::start_by(&by, "wardwatch-sensor", &["run"], settings)
    };
    let mut allowed = sensor("-all,+net_raw", "packet-socket")?;
    allowed.says("watching")?;
    let (status, log) = allowed.stop()?;
    assert!(status.success(), "{log}");
    let (status, log) = sensor("-all", "packet-socket")?.ended()?;
    assert!(status.code() == Some(1) && log.contains("CAP_NET_RAW"), "{log}");

    // AF_XDP needs more of them, and would cut this host's own loopback.
    let (status, log) = sensor("-all,+net_raw", "af-xdp")?.ended()?;
    assert!(status.code() == Some(1) && log.contains("CAP_BPF, CAP_NET_ADMIN"), "{log}");
    let mut careful = sensor("-all,+net_raw", "auto")?;
    careful.says("watching")?;
    let (status, log) = careful.stop()?;
    assert!(status.success() && log.contains("it has the address 127.0.0.1"), "{log}");
    Ok(())
}

#[test]
fn a_sensor_without_a_collector_ends_in_order_and_keeps_what_it_has() -> Result<()> {
    let files = format!("{:?}", recorded());
    let folder = tempfile::tempdir()?;
    let spool = folder.path().display().to_string();
    let settings = [
        ("WARDWATCH_SENSOR__SITE", SITE),
        ("WARDWATCH_SENSOR__SENSOR", SENSOR),
        ("WARDWATCH_SENSOR__UPLINK__TOKEN", "t"),
        // Nobody listens there (RFC 6335: reserved).
        ("WARDWATCH_SENSOR__UPLINK__COLLECTORS", "[\"http://127.0.0.1:0\"]"),
        ("WARDWATCH_SENSOR__INPUT__FILES", &files),
        ("WARDWATCH_SENSOR__UPLINK__FAREWELL", "100ms"),
        ("WARDWATCH_SENSOR__SPOOL__DIRECTORY", &spool),
    ];
    let mut sensor = Running::start("wardwatch-sensor", &["run"], settings)?;
    sensor.says("no stream to the collector")?;
    let (status, log) = Running::start("wardwatch-sensor", &["run"], settings)?.ended()?;
    assert!(status.code() == Some(1) && log.contains("is already open elsewhere"), "a second owner: {log}");
    let (status, log) = sensor.stop()?;
    assert!(status.success() && log.contains("the spool keeps it"), "{log}");

    let mut sensor = Running::start("wardwatch-sensor", &["run"], settings)?;
    sensor.says("an earlier boot has left batches")?;
    let (status, log) = sensor.stop()?;
    assert!(status.success(), "{log}");
    Ok(())
}

/// A network namespace with a loopback interface, removed when dropped.
struct Namespace(String);

impl Namespace {
    fn new() -> Result<Self> {
        let space = Self(format!("ww-sensor-{}", std::process::id()));
        for arguments in [&["netns", "add", &space.0][..], &["-n", &space.0, "link", "set", "lo", "up"]] {
            ensure!(Command::new("ip").args(arguments).status()?.success(), "ip {arguments:?}");
        }
        Ok(space)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}
