//! From what a sensor states to what a person is told: the enricher and the alerter on one log.

use std::sync::Arc;

use prost::Message as _;
use tokio::time::timeout;
use wardwatch_enricher::Parts;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{
    Attribute, Batch, Counters, EndReason, Endpoint, Fact, Flow, LogRecord, Observation, Protocol, Subject,
    log_record, subject,
};
use wardwatch_proto::{log, topic};
use wardwatch_service::{Context, ServiceInfo};

use crate::rig::{PARTITIONS, PATIENCE, Rig, acknowledge};

const BEGAN: u64 = 1_700_000_000_000_000_000;

fn end(host: u8, port: u32) -> Endpoint {
    Endpoint { mac: vec![0x00, 0x09, 0xfb, 0, 0, host], ip: vec![10, 1, 0, host], port }
}

/// A log-in of 10.1.0.7 at 10.1.0.200 by HTTP Basic authentication, in the sequence's minute.
fn log_in(sequence: u64) -> Batch {
    let start = BEGAN + sequence * 60_000_000_000;
    let counted = Counters { packets: 4, frame_bytes: 400, ip_bytes: 344, payload_bytes: 144 };
    let flow = Flow {
        id: sequence,
        initiator: Some(end(7, 40_000)),
        responder: Some(end(200, 80)),
        ip_protocol: 6,
        protocol: Protocol::Http.into(),
        start,
        end: start + 500_000_000,
        from_initiator: Some(counted),
        from_responder: Some(counted),
        end_reason: EndReason::Finished.into(),
        ..Flow::default()
    };
    let credential = Observation {
        attribute: Attribute::CleartextCredential.into(),
        value: "http-basic".into(),
        protocol: Protocol::Http.into(),
        subject: Some(Subject {
            role: subject::Role::Sender.into(),
            endpoint: Some(end(7, 40_000)),
            key: String::new(),
        }),
        at: start,
        flow: sequence,
        count: 1,
        network: String::new(),
    };
    let facts = [Stated::Flow(flow), Stated::Observation(credential)];
    Batch {
        site: "north".into(),
        sensor: "s1".into(),
        epoch: 1,
        sequence,
        facts: facts.map(|fact| Fact { fact: Some(fact) }).to_vec(),
        ..Batch::default()
    }
}

/// Runs the enricher until it has told everything that follows from the facts.
async fn enrich(rig: &Rig) {
    let config = wardwatch_enricher::Config::default();
    let context = Context::new(ServiceInfo { name: "enricher", version: "test" });
    let progress = wardwatch_enricher::Progress::default();
    let parts = Parts { bus: Arc::clone(&rig.bus), store: rig.store.clone(), progress: progress.clone() };
    let running = tokio::spawn(wardwatch_enricher::serve_on(config, context.clone(), parts));
    let marks = rig.bus.topic_watermarks(topic::FACTS).await.expect("the topic's ends");
    for (partition, mark) in (0..).zip(marks) {
        timeout(PATIENCE, progress.reached(partition, mark.end)).await.expect("enriched in time");
    }
    context.shutdown.cancel();
    let stopped = timeout(PATIENCE, running).await.expect("it stops");
    stopped.expect("it does not panic").expect("it does not fail");
}

async fn send(rig: &Rig, record: log_record::Record) {
    rig.publish(topic::FACTS, "north", LogRecord { record: Some(record) }.encode_to_vec()).await;
}

#[tokio::test]
async fn a_log_in_on_the_wire_becomes_an_alert_that_a_person_acknowledges() {
    let test = "a_log_in_on_the_wire_becomes_an_alert_that_a_person_acknowledges";
    let Some(rig) = Rig::new(test).await else { return };
    send(&rig, log_record::Record::Batch(log_in(1))).await;
    send(&rig, log_record::Record::Batch(log_in(1))).await;
    enrich(&rig).await;
    rig.run_to_the_end().await;
    let alerts =
        "SELECT concat(detector, ' ', status, ' ', device_ips[1], ' ', peer_ips[1]) AS line FROM v_alerts
        ORDER BY line";
    let expected = [
        "clear-text-credentials open 10.1.0.7 10.1.0.200",
        "new-device open 10.1.0.200 ",
        "new-device open 10.1.0.7 ",
    ];
    assert_eq!(rig.lines(alerts).await, expected);
    let alerted = "v_alerts WHERE device IN (SELECT device FROM v_devices)";
    assert_eq!(rig.number("count()", alerted).await, 3, "alerts name devices of the inventory");

    let of_credentials = "SELECT alert AS line FROM v_alerts WHERE detector = 'clear-text-credentials'";
    let alert = rig.lines(of_credentials).await.remove(0);
    send(&rig, log_record::Record::Command(acknowledge("north", &alert))).await;
    enrich(&rig).await;
    rig.run_to_the_end().await;
    let history =
        format!("SELECT action AS line FROM alert_events WHERE alert = '{alert}' ORDER BY source_offset");
    assert_eq!(rig.lines(&history).await, ["raised", "acknowledged"]);
    let told = rig.findings().await;
    let last = told.last().expect("findings");
    assert_eq!((&last["finding_info"]["uid"], &last["status"]), (&alert.into(), &"In Progress".into()));
    let source = format!("alerts FINAL WHERE source_partition = {}", log::partition_of("north", PARTITIONS));
    assert_eq!(rig.number("count()", &source).await, 3);
}
