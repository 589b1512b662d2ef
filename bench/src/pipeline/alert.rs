//! Events through the alerter into ClickHouse and the SIEM's topic.

use std::time::{Duration, Instant};

use anyhow::Result;
use prost::Message as _;
use wardwatch_bus::{Publication, TopicPartition};
use wardwatch_proto::log::{DEFAULT_PARTITIONS, partition_of};
use wardwatch_proto::topic;
use wardwatch_proto::v1::{
    Attribute, DeviceAppeared, DeviceChanged, DeviceSummary, Event, Finding, Position, Protocol, event,
};

use crate::cluster::{ALERTER, Cluster, until};
use crate::load::{self, now};
use crate::report::Figure;

/// Partitions that the events are laid into, none of which has a site.
const PARTITIONS: usize = 8;

/// Up to where the alerter has judged, over all partitions.
const JUDGED: &str =
    "SELECT sum(end) FROM (SELECT max(offset_end) AS end FROM alerter_state GROUP BY partition)";

/// Of ten events three are devices that appear, which raise an alert each, two are log-ins in clear text of devices that
/// have had one, and five are changes that nobody has to be told.
pub(super) async fn measure(cluster: &mut Cluster, rounds: u8, events: u64) -> Result<Vec<Figure>> {
    // What the enricher has told so far.
    cluster.launch(ALERTER)?;
    let end = ends(cluster).await?;
    until("the end of the events", async || Ok(cluster.number(JUDGED).await? >= end)).await?;
    cluster.stop(ALERTER)?;
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let before = ends(cluster).await?;
        publish(cluster, events).await?;
        let end = ends(cluster).await?;
        cluster.launch(ALERTER)?;
        until("a judgement", async || Ok(cluster.number(JUDGED).await? > before)).await?;
        let (first, begun, spent) = (cluster.number(JUDGED).await?, Instant::now(), spent(cluster)?);
        until("the end of the events", async || Ok(cluster.number(JUDGED).await? >= end)).await?;
        let judged = (end - first) as f64;
        rates.push(judged / begun.elapsed().as_secs_f64());
        costs.push(self::spent(cluster)?.saturating_sub(spent).as_secs_f64() / judged * 1e6);
        cluster.stop(ALERTER)?;
    }
    Ok(vec![
        Figure::of("events", "a second", rates).noting("3 of 10 raise an alert, 2 repeat one"),
        Figure::of("CPU of the alerter", "s per million events", costs),
    ])
}

fn spent(cluster: &Cluster) -> Result<Duration> {
    Ok(cluster.costs()?.get(ALERTER).map(|cost| cost.cpu).unwrap_or_default())
}

async fn ends(cluster: &Cluster) -> Result<u64> {
    Ok(cluster.bus.topic_watermarks(topic::EVENTS).await?.iter().map(|marks| marks.end).sum())
}

async fn publish(cluster: &Cluster, events: u64) -> Result<()> {
    let taken: Vec<u32> = load::sites(64).iter().map(|site| partition_of(site, DEFAULT_PARTITIONS)).collect();
    let free: Vec<u32> =
        (0..DEFAULT_PARTITIONS).filter(|partition| !taken.contains(partition)).take(PARTITIONS).collect();
    anyhow::ensure!(!free.is_empty(), "every partition has a site");
    // Above all that was published before.
    let first = (now() / 1_000_000) << 20;
    for number in 0..events {
        let partition = free[number as usize % free.len()];
        let event = event(first + number, partition);
        let to = TopicPartition::new(topic::EVENTS, partition);
        let publication = Publication::new(to, event.encode_to_vec()).key(event.site);
        drop(cluster.bus.enqueue(publication).await?);
    }
    Ok(cluster.bus.flush().await?)
}

fn event(number: u64, partition: u32) -> Event {
    let device = |of: u64| DeviceSummary {
        id: format!("d{of:016x}"),
        name: format!("pump-{of}"),
        category: "medical".into(),
        r#type: "infusion pump".into(),
        macs: vec!["00:09:fb:00:00:01".into()],
        ips: vec!["10.1.2.3".into()],
        ..DeviceSummary::default()
    };
    let said = match number % 10 {
        0..3 => event::Event::DeviceAppeared(DeviceAppeared { device: Some(device(number)) }),
        3..5 => event::Event::Finding(Finding {
            device: Some(device(number % 1000)),
            attribute: Attribute::CleartextCredential.into(),
            value: "http-basic".into(),
            protocol: Protocol::Http.into(),
            sensor: "bench".into(),
            ..Finding::default()
        }),
        _ => event::Event::DeviceChanged(DeviceChanged {
            device: Some(device(number % 1000)),
            field: "software_version".into(),
            before: "1.0".into(),
            after: "1.1".into(),
        }),
    };
    Event {
        source: Some(Position { incarnation: 1, partition, offset: number, index: 0 }),
        site: format!("events-{partition}"),
        log_time: now(),
        event_time: now(),
        event: Some(said),
    }
}
