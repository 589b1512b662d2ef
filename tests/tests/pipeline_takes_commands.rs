//! What people decide goes through the real collector, on Apache Kafka and on the journal: once, in the order of the log,
//! with the same result.

#![forbid(unsafe_code)]

use anyhow::{Context as _, Result};
use serde_json::Value;
use tonic::{Code, Status};
use wardwatch_proto::command::digest;
use wardwatch_proto::log;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::rule_sameness::Verdict;
use wardwatch_proto::v1::{
    AcknowledgeAlert, Command, LoadKnowledgePack, OverrideAttribute, Receipt, ReopenAlert, RuleSameness,
};
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::pipeline::{
    OPERATOR, OTHER_OPERATOR, OTHER_SITE, PARTITIONS, Pipeline, SENSOR, SITE, recorded,
};
use wardwatch_tests::skip;

/// Every device of this maker is an infusion pump.
const PACK: &str = r#"
version = "7"
[[rule]]
id = "ours"
type = "infusion pump"
confidence = 100
because = "it stands in our list"
when = [{ attribute = "manufacturer", contains = "ge" }]
example = [{ attribute = "manufacturer", value = "GE MEDICAL SYSTEMS" }]
"#;

fn about(site: &str, action: Action) -> Command {
    Command { site: site.into(), action: Some(action), ..Command::default() }
}

fn acknowledge(alert: &str, note: &str) -> Action {
    Action::AcknowledgeAlert(AcknowledgeAlert { alert: alert.into(), note: note.into() })
}

fn override_attribute(device: &str, field: &str, value: &str) -> Action {
    Action::OverrideAttribute(OverrideAttribute {
        device: device.into(),
        field: field.into(),
        value: value.into(),
        note: "on the round".into(),
    })
}

fn load(content: &str, version: &str) -> Action {
    Action::LoadKnowledgePack(LoadKnowledgePack {
        name: "ours".into(),
        version: version.into(),
        sha256: digest(content.as_bytes()),
        content: content.into(),
        note: String::new(),
    })
}

/// The one row of a query.
async fn row(pipeline: &Pipeline, sql: &str) -> Result<Value> {
    let rows = pipeline.rows(sql).await?;
    let [only] = rows.as_slice() else { anyhow::bail!("{} rows of {sql}", rows.len()) };
    Ok(serde_json::from_str(only)?)
}

async fn decide(pipeline: &mut Pipeline, command: Command) -> Result<Receipt> {
    let receipt = pipeline.submit(OPERATOR, command).await??;
    pipeline.settled().await?;
    Ok(receipt)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_decide_takes_effect_on_kafka_and_on_the_journal() -> Result<()> {
    let test = "pipeline_takes_commands::what_people_decide_takes_effect_on_kafka_and_on_the_journal";
    if skip::unless_kafka(test) || skip::unless_clickhouse(test) {
        return Ok(());
    }
    let broker = Broker::start().await?;
    let on_kafka = everything_is_decided(Pipeline::on_kafka(&broker).await?).await?;
    let embedded = everything_is_decided(Pipeline::embedded().await?).await?;
    assert_eq!(on_kafka, embedded);
    Ok(())
}

/// Decides everything that can be decided; gives what is known in the end, but for times.
#[expect(clippy::too_many_lines, reason = "one decision after the other")]
async fn everything_is_decided(mut pipeline: Pipeline) -> Result<Vec<String>> {
    pipeline.play(&recorded()).await?;
    pipeline.settled().await?;
    let alert = row(
        &pipeline,
        "SELECT alert FROM v_alerts WHERE detector = 'clear-text-credentials' ORDER BY alert LIMIT 1",
    )
    .await?;
    let alert = alert["alert"].as_str().context("an id")?.to_owned();
    let scanner =
        row(&pipeline, "SELECT device FROM v_devices WHERE type = 'CT scanner' ORDER BY device LIMIT 1")
            .await?;
    let scanner = scanner["device"].as_str().context("an id")?.to_owned();

    // Sent twice under one id it counts once.
    let id = "6f1c9a52-7f0f-4f0e-8f57-0d4f7f0c5a11";
    let once = Command { id: id.into(), ..about(SITE, acknowledge(&alert, "known")) };
    let first = decide(&mut pipeline, once.clone()).await?;
    let second = decide(&mut pipeline, once).await?;
    assert_eq!((first.id.as_str(), first.author.as_str()), (id, OPERATOR));
    assert_eq!(first.places[0].partition, log::partition_of(SITE, PARTITIONS));
    assert!(first.at > 0 && second.places[0].offset > first.places[0].offset);
    let acknowledged = row(
        &pipeline,
        &format!("SELECT status, acknowledged_by, note FROM v_alerts WHERE alert = '{alert}'"),
    )
    .await?;
    assert_eq!(
        acknowledged,
        serde_json::json!({ "status": "acknowledged", "acknowledged_by": OPERATOR, "note": "known" })
    );
    assert_eq!(pipeline.number("count()", "alert_events WHERE action = 'acknowledged'").await?, 1);
    decide(
        &mut pipeline,
        about(SITE, Action::ReopenAlert(ReopenAlert { alert: alert.clone(), note: "not solved".into() })),
    )
    .await?;
    assert_eq!(
        row(&pipeline, &format!("SELECT status FROM v_alerts WHERE alert = '{alert}'")).await?["status"],
        "open"
    );

    decide(&mut pipeline, about(SITE, override_attribute(&scanner, "location", "Room 7"))).await?;
    decide(&mut pipeline, about(SITE, override_attribute(&scanner, "type", "MR scanner"))).await?;
    decide(&mut pipeline, about(SITE, override_attribute(&scanner, "type", ""))).await?;
    let shown =
        row(&pipeline, &format!("SELECT type, location FROM v_devices WHERE device = '{scanner}'")).await?;
    assert_eq!(shown, serde_json::json!({ "type": "CT scanner", "location": "Room 7" }));

    // Two devices are ruled to be one, and two again.
    let other = row(
        &pipeline,
        &format!(
            "SELECT device FROM v_devices WHERE device != '{scanner}' AND parent = '' ORDER BY device LIMIT 1"
        ),
    )
    .await?["device"]
        .as_str()
        .map(str::to_owned)
        .context("there is more than one device")?;
    let ruling = |verdict: Verdict| {
        let (device, other) = (scanner.clone(), other.clone());
        Action::RuleSameness(RuleSameness { device, other, verdict: verdict.into(), note: "seen".into() })
    };
    let parts = format!("SELECT reason FROM v_aliases WHERE device IN ('{scanner}', '{other}')");
    decide(&mut pipeline, about(SITE, ruling(Verdict::Same))).await?;
    assert_eq!(row(&pipeline, &parts).await?["reason"], "a person decided so");
    decide(&mut pipeline, about(SITE, ruling(Verdict::Unspecified))).await?;
    assert!(pipeline.rows(&parts).await?.is_empty(), "both stand for themselves again");

    let everywhere = decide(&mut pipeline, about("", load(PACK, "7"))).await?;
    assert_eq!(everywhere.places.len(), PARTITIONS as usize);
    let knowledge = row(&pipeline, "SELECT DISTINCT knowledge FROM v_devices").await?;
    assert!(
        knowledge["knowledge"].as_str().is_some_and(|knowledge| knowledge.ends_with("+ours@7")),
        "{knowledge}"
    );
    let pump =
        row(&pipeline, &format!("SELECT type, location FROM v_devices WHERE device = '{scanner}'")).await?;
    assert_eq!(pump, serde_json::json!({ "type": "infusion pump", "location": "Room 7" }));
    // The same traffic says nothing new, and nobody's decision is lost.
    pipeline.play(&recorded()).await?;
    pipeline.settled().await?;
    let again =
        row(&pipeline, &format!("SELECT type, location FROM v_devices WHERE device = '{scanner}'")).await?;
    assert_eq!(again, pump);

    let (collector, enricher) = (pipeline.counters("collector"), pipeline.counters("enricher"));
    let messages = collector.total("collector_batches_published")
        + collector.total("collector_command_messages_published");
    assert_eq!(enricher.total("enricher_messages_received"), messages);
    assert_eq!(
        collector.total("collector_commands_received"),
        collector.total("collector_commands_published")
    );
    assert_eq!(enricher.total("enricher_commands_repeated"), 1);
    let known = [
        "SELECT * EXCEPT why_evidence FROM v_devices ORDER BY device",
        "SELECT device, field, before, after FROM changes ORDER BY ALL",
        "SELECT site, author, action, subject, detail, note, outcome, reason, partitions FROM v_commands ORDER BY ALL",
        "SELECT alert, action, status, author, note FROM alert_events ORDER BY ALL",
    ];
    let mut found = Vec::new();
    for sql in known {
        found.extend(pipeline.rows(sql).await?);
    }
    pipeline.stop().await?;
    Ok(found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_taken_is_refused_before_it_is_in_the_log() -> Result<()> {
    let test = "pipeline_takes_commands::what_cannot_be_taken_is_refused_before_it_is_in_the_log";
    if skip::unless_clickhouse(test) {
        return Ok(());
    }
    let pipeline = Pipeline::embedded().await?;
    let device = "3f0c6a4e-8f8b-5f0e-9a53-2d1c7f1b0a99";
    let fine = || about(SITE, override_attribute(device, "location", "Room 7"));
    let broken_rule = "version = \"1\"\n[[rule]]\nid = \"x\"\nconfidence = 500";
    let refused: [(&str, Command, Code, &str); 9] = [
        ("nobody", fine(), Code::Unauthenticated, "unknown to this collector"),
        (SENSOR, fine(), Code::Unauthenticated, "unknown to this collector"),
        (OTHER_OPERATOR, fine(), Code::PermissionDenied, OTHER_SITE),
        (OTHER_OPERATOR, about("", load(PACK, "7")), Code::PermissionDenied, OTHER_SITE),
        (OPERATOR, about(SITE, override_attribute(device, "score", "0")), Code::InvalidArgument, "location"),
        (OPERATOR, about("", override_attribute(device, "location", "x")), Code::InvalidArgument, "site"),
        (OPERATOR, Command { site: SITE.into(), ..Command::default() }, Code::InvalidArgument, "nothing"),
        (OPERATOR, about("", load(broken_rule, "1")), Code::InvalidArgument, "rule \"x\""),
        (OPERATOR, about("", load(PACK, "8")), Code::InvalidArgument, "version \"7\""),
    ];
    for (author, command, code, said) in refused {
        let status: Status = pipeline.submit(author, command.clone()).await?.expect_err("it must be refused");
        assert_eq!(status.code(), code, "{author} {command:?}: {status}");
        assert!(status.message().contains(said), "{}", status.message());
    }
    let marks = pipeline.bus.topic_watermarks(wardwatch_proto::topic::FACTS).await?;
    assert!(marks.iter().all(|mark| mark.end == 0), "{marks:?}");
    // Who says to be somebody else is not believed.
    let pretending = Command { author: "the director".into(), at: 5, ..fine() };
    let receipt = pipeline.submit(OPERATOR, pretending).await??;
    assert_eq!(receipt.author, OPERATOR);
    assert!(receipt.at > 1_700_000_000_000_000_000, "by the collector's clock");
    let collector = pipeline.counters("collector");
    assert_eq!(collector.total("collector_commands_refused"), 2);
    assert_eq!(collector.total("collector_commands_rejected"), 7);
    assert_eq!(collector.total("collector_commands_received"), 8);
    pipeline.stop().await
}
