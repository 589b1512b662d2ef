//! What lay in a spool when its sensor was killed.
//!
//! It is read as it would be after a power cut: a sensor is started on a copy of it, with nothing to watch, and a collector of
//! our own takes what it sends.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use prost::Message as _;
use tokio::time::sleep;
use wardwatch_bus::config::EmbeddedConfig;
use wardwatch_bus::{Bus, EmbeddedBus};
use wardwatch_collector::Collector;
use wardwatch_collector::config::SensorConfig;
use wardwatch_proto::topic;
use wardwatch_proto::v1::{Batch, LogRecord, log_record};
use wardwatch_service::{Context, Counters, Secret, ServiceInfo};
use wardwatch_tests::pipeline::messages;

use crate::facts::PARTITIONS;
use crate::plan::Instance;
use crate::stage::{self, Stage};
use crate::subject::Subject;

/// How long a sensor may take to empty a spool of some hundred kilobytes.
const PATIENCE: Duration = Duration::from_mins(1);
const TOKEN: &str = "token-of-the-reader";

/// Adds to `wrong` what lay in the spool of one of the sensor's processes and has not come.
pub(super) async fn has_come(
    stage: &Stage,
    sensor: &Instance,
    boots: &BTreeMap<u64, BTreeMap<u64, Batch>>,
    wrong: &mut Vec<String>,
) -> Result<()> {
    for process in 1.. {
        let spool = stage.kept_spool(&sensor.name, process);
        if process > sensor.plays.len() + sensor.lives.len() {
            break;
        }
        if !spool.is_dir() {
            continue;
        }
        let kept = read(stage, sensor, &spool, process);
        let kept = kept
            .await
            .with_context(|| format!("read what {} had kept in its life {process}", sensor.name))?;
        for batch in kept {
            let came = boots.get(&batch.epoch).and_then(|boot| boot.get(&batch.sequence));
            if came != Some(&batch) {
                wrong.push(format!(
                    "{}: batch {}/{} lay in the spool when process {process} was killed, and {}",
                    sensor.name,
                    batch.epoch,
                    batch.sequence,
                    if came.is_some() { "says something else in the log" } else { "never came" }
                ));
            }
        }
    }
    Ok(())
}

/// The batches in a spool, which is emptied by it.
async fn read(stage: &Stage, sensor: &Instance, spool: &Path, process: usize) -> Result<Vec<Batch>> {
    let (name, site) = stage::sensor(sensor.number());
    let journal = tempfile::tempdir_in(stage.folder())?;
    let config = EmbeddedConfig { directory: journal.path().join("bus"), ..EmbeddedConfig::default() };
    let bus: Arc<dyn Bus> = Arc::new(EmbeddedBus::open(&config, &Counters::default())?);
    let known = SensorConfig { site: site.clone(), token: Secret::new(TOKEN) };
    let collector = Collector::bind(wardwatch_collector::Config {
        listen: ([127, 0, 0, 1], 0).into(),
        sensors: [(name.to_owned(), known)].into(),
        partitions: PARTITIONS,
        ..wardwatch_collector::Config::default()
    });
    let collector = collector.await?;
    let address = collector.address()?;
    let context = Context::new(ServiceInfo { name: "collector", version: env!("CARGO_PKG_VERSION") });
    let serving = tokio::spawn(collector.serve(context.clone(), Arc::clone(&bus)));
    let settings = [
        ("SITE", site),
        ("SENSOR", name.to_owned()),
        ("INPUT__FILES", format!("[\"{}\"]", stage.empty_capture().display())),
        ("SPOOL__DIRECTORY", spool.display().to_string()),
        ("UPLINK__COLLECTORS", format!("[\"http://{address}\"]")),
        ("UPLINK__TOKEN", TOKEN.to_owned()),
    ];
    let settings = settings.map(|(key, value)| (format!("WARDWATCH_SENSOR__{key}"), value));
    let label = format!("{}.{process}.reader", sensor.name);
    let mut reader = Subject::start("sensor", stage.folder(), &label, settings)?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = reader.ended()? {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            bail!("it is not empty after {PATIENCE:?}: {}", reader.said());
        }
        sleep(Duration::from_millis(20)).await;
    };
    ensure!(status.success(), "{status}: {}", reader.said());
    let records = messages(bus.as_ref(), topic::FACTS).await?;
    context.shutdown.cancel();
    serving.await??;
    let batch = |payload: &[u8]| match LogRecord::decode(payload)?.record {
        Some(log_record::Record::Batch(batch)) => Ok(batch),
        _ => bail!("a record that is no batch"),
    };
    records.iter().map(|message| batch(&message.payload)).collect()
}
