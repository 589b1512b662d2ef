//! Patients and secrets go over the wire and no further: not into a message, not into a table, not into a log.
//!
//! The canary generator puts a token into every field that is not on the list of what may leave a sensor, and real
//! values into those that are. Here its streams are packets, and what is searched is everything that the whole
//! pipeline has written, read by someone who is none of its services.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use base64::prelude::*;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use wardwatch_dissect::canary;
use wardwatch_proto::name::Named as _;
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::pipeline::leaks::{self, Forbidden};
use wardwatch_tests::pipeline::{Pipeline, hospital, recorded};
use wardwatch_tests::skip;
use wardwatch_tests::traffic::canaries;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_canary_and_no_patient_is_anywhere_and_what_may_be_told_is() -> Result<()> {
    let test = "pipeline_keeps_patients_in::no_canary_and_no_patient_is_anywhere_and_what_may_be_told_is";
    if skip::unless_kafka(test) || skip::unless_clickhouse(test) {
        return Ok(());
    }
    let log = Log::start();
    let streams: Vec<_> = canary::streams().collect();
    let forbidden =
        Forbidden::new(streams.iter().flat_map(|stream| stream.canaries.clone()).chain(secrets()?));
    assert!(forbidden.count() > 1000, "{} tokens", forbidden.count());
    let expected: BTreeSet<(String, String)> = streams
        .iter()
        .flat_map(|stream| &stream.expected)
        .map(|(attribute, value)| (attribute.name().to_owned(), value.clone()))
        .collect();
    assert!(expected.len() > 50, "{} control values", expected.len());

    let folder = tempfile::tempdir()?;
    let capture = folder.path().join("canaries.pcap");
    canaries::capture(streams).write(&capture)?;
    let broker = Broker::start().await?;
    let mut pipeline = Pipeline::on_kafka(&broker).await?;
    let captures = [vec![capture], recorded()].concat();
    let sensor = pipeline.play(&captures).await?;
    pipeline.settled().await?;

    let mut findings = leaks::search(&pipeline, &forbidden).await?;
    findings.look(
        &forbidden,
        || "the sensor's counters".to_owned(),
        format!("{:?}", sensor.snapshot()).as_bytes(),
    );
    let log = log.take();
    assert!(!log.is_empty(), "the services log");
    findings.look(&forbidden, || "the services' logs".to_owned(), &log);
    assert_eq!(findings.leaks, Vec::<String>::new());
    assert!(findings.messages > 100 && findings.columns > 80 && findings.bytes > 1 << 20, "{findings:?}");

    // The search finds what is there: a model that the generator's scanners state.
    let stated = leaks::search(&pipeline, &Forbidden::new(["Scan 9000".to_owned()])).await?.leaks;
    for place in
        ["wardwatch.facts/", "wardwatch.events/", "column devices.model", "column enricher_state.value"]
    {
        assert!(
            stated.iter().any(|leak| leak.starts_with(place)),
            "nothing was found in {place}: {stated:?}"
        );
    }

    let told = pipeline.rows("SELECT DISTINCT attribute, value FROM v_attributes").await?;
    let told: BTreeSet<(String, String)> = told.iter().map(|row| pair(row)).collect::<Result<_>>()?;
    let missing: Vec<_> = expected.difference(&told).collect();
    assert!(missing.is_empty(), "control values that did not arrive: {missing:?}");
    pipeline.stop().await
}

/// What hospital.toml says of patients, in the forms in which it goes over the wire, and the passwords, also as HTTP
/// carries them (RFC 7617).
fn secrets() -> Result<Vec<String>> {
    let hospital = hospital()?;
    let of_patients = hospital.patients.into_iter().flat_map(|patient| {
        let born = &patient.born;
        let written = format!("{}-{}-{}", &born[..4], &born[4..6], &born[6..]);
        [patient.id, patient.family, patient.given, patient.born, written]
    });
    let of_people = hospital.credentials.into_iter().flat_map(|credential| {
        let basic = BASE64_STANDARD.encode(format!("{}:{}", credential.user, credential.secret));
        [credential.secret, basic]
    });
    Ok(of_patients.chain(of_people).collect())
}

fn pair(row: &str) -> Result<(String, String)> {
    #[derive(serde::Deserialize)]
    struct Row {
        attribute: String,
        value: String,
    }
    let Row { attribute, value } = serde_json::from_str(row)?;
    Ok((attribute, value))
}

/// Everything that the services log, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start() -> Self {
        let log = Self::default();
        let ours = filter_fn(|metadata| metadata.target().starts_with("wardwatch"));
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(log.clone());
        tracing_subscriber::registry().with(lines.with_filter(ours)).init();
        log
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
