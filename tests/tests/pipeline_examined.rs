//! `wardwatch doctor` on a cluster: Apache Kafka, ClickHouse, each service with its own health. Everything closes; then one
//! thing after the other is broken, and the hop is named.

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use prost::Message as _;
use serde_json::Value;
use wardwatch_bus::{Publication, TopicPartition};
use wardwatch_proto::v1::{Batch, Fact, Flow, LogRecord, fact, log_record};
use wardwatch_proto::{log, topic};
use wardwatch_service::health::HealthServer;
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::pipeline::{PARTITIONS, Pipeline, Service, program, recorded, until};
use wardwatch_tests::skip;

/// Serves what a service says about itself until the service is stopped; gives the address.
async fn health_of(service: &Service) -> Result<String> {
    let context = &service.context;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = HealthServer::bind(any, context.health.clone(), context.counters.clone()).await?;
    let url = format!("http://{}", server.address()?);
    tokio::spawn(server.serve(context.shutdown.clone()));
    Ok(url)
}

/// What `wardwatch doctor` says: its exit code, and the report.
async fn examined(config: &Path) -> Result<(Option<i32>, Value)> {
    let mut command = program::command(
        "wardwatch",
        &["doctor", "--format", "json", "--config", config.to_str().context("UTF-8")?],
    )?;
    command.env("WARDWATCH_DOCTOR__PATIENCE", "3s");
    let said = tokio::task::spawn_blocking(move || program::run(command)).await??;
    let report = serde_json::from_str(&said.out).with_context(|| format!("no report: {said:?}"))?;
    Ok((said.status.code(), report))
}

/// The names of the hops that are broken.
fn broken(report: &Value) -> Vec<String> {
    let hops = report["hops"].as_array().into_iter().flatten();
    let names =
        hops.filter(|hop| hop["level"] == "broken").map(|hop| hop["hop"].as_str().unwrap_or("?").to_owned());
    let mut names: Vec<_> = names.collect();
    names.dedup();
    names
}

/// The texts that are said about hops of a name.
fn said(report: &Value, name: &str) -> String {
    let hops = report["hops"].as_array().into_iter().flatten().filter(|hop| hop["hop"] == name);
    hops.map(|hop| hop["findings"].to_string()).collect()
}

/// A batch of one flow, as a sensor sends it.
fn batch(sensor: &str, sequence: u64) -> Vec<u8> {
    let flow = Flow { id: sequence, start: 1, end: 2, ..Flow::default() };
    let facts = vec![Fact { fact: Some(fact::Fact::Flow(flow)) }];
    let batch = Batch {
        site: "lone".into(),
        sensor: sensor.into(),
        epoch: 1_790_000_000_000,
        sequence,
        facts,
        ..Batch::default()
    };
    LogRecord { record: Some(log_record::Record::Batch(batch)) }.encode_to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_closes_and_whatever_breaks_is_named() -> Result<()> {
    let test = "pipeline_examined::everything_closes_and_whatever_breaks_is_named";
    if skip::unless_kafka(test) || skip::unless_clickhouse(test) {
        return Ok(());
    }
    let broker = Broker::start().await?;
    let mut pipeline = Pipeline::on_kafka(&broker).await?;
    let mut services = Vec::new();
    for service in pipeline.services() {
        services.push(health_of(service).await?);
    }
    let settings = pipeline.store.settings();
    let scratch = tempfile::tempdir()?;
    let config = scratch.path().join("doctor.toml");
    std::fs::write(
        &config,
        format!(
            "services = {services:?}\n[store]\nurl = {:?}\ndatabase = {:?}\n[bus.kafka]\nbrokers = [{:?}]\n",
            settings.url,
            settings.database,
            broker.bootstrap_servers()
        ),
    )?;

    // Two boots of a sensor, the same captures.
    for _ in 0..2 {
        pipeline.play(&recorded()).await?;
    }
    pipeline.settled().await?;
    let (code, report) = examined(&config).await?;
    ensure!(code == Some(0) && broken(&report).is_empty(), "{report:#}");
    let hops = report["hops"].as_array().context("hops")?;
    for name in ["collector", "sensor to log", "facts topic", "table flows", "events topic", "siem topic"] {
        ensure!(
            hops.iter().any(|hop| hop["hop"] == name && hop["in"].as_u64() > Some(0)),
            "{name}: {report:#}"
        );
    }

    // Something that nobody can read: it is put aside, that is known, and the sums close.
    let partition = |site: &str| TopicPartition::new(topic::FACTS, log::partition_of(site, PARTITIONS));
    pipeline.bus.publish(Publication::new(partition("lone"), b"\x00\xffgarbage".as_slice())).await?;
    pipeline.settled().await?;
    let (code, report) = examined(&config).await?;
    ensure!(code == Some(0) && broken(&report).is_empty(), "{report:#}");
    ensure!(said(&report, "dead letters").contains("not-a-record"), "{report:#}");

    // A batch that never comes.
    for sequence in [1, 2, 4] {
        pipeline.bus.publish(Publication::new(partition("lone"), batch("holed", sequence))).await?;
    }
    pipeline.settled().await?;
    let (code, report) = examined(&config).await?;
    ensure!(code == Some(1) && broken(&report) == ["sensor to log"], "{report:#}");
    ensure!(said(&report, "sensor to log").contains("never came: 3"), "{report:#}");
    // It does after all.
    pipeline.bus.publish(Publication::new(partition("lone"), batch("holed", 3))).await?;
    pipeline.settled().await?;
    let (code, report) = examined(&config).await?;
    ensure!(code == Some(0) && broken(&report).is_empty(), "{report:#}");

    // An enricher that is gone: it does not answer, and what comes waits.
    let enricher = pipeline.services().find(|service| service.name() == "enricher").context("an enricher")?;
    enricher.context.shutdown.cancel();
    until("the enricher ended", || enricher.has_ended()).await?;
    pipeline.bus.publish(Publication::new(partition("lone"), batch("holed", 5))).await?;
    let (code, report) = examined(&config).await?;
    ensure!(code == Some(1) && broken(&report) == ["service", "facts topic"], "{report:#}");
    ensure!(said(&report, "facts topic").contains("stands still"), "{report:#}");
    ensure!(said(&report, "service").contains(&services[1]), "{report:#}");
    Ok(())
}
