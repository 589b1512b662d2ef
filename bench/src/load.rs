//! Sensors without eyes: facts of made-up sites, cut into batches and sent by the sensor's own code.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use tokio::task::JoinHandle;
use wardwatch_proto::v1::Fact;
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_sensor::batch::BatchLimits;
use wardwatch_sensor::config::UplinkConfig;
use wardwatch_sensor::spool::SpoolConfig;
use wardwatch_sensor::{Config, Outlet};
use wardwatch_service::{Context, Secret, ServiceInfo};

use crate::cluster::token;
use crate::traffic::Network;
use crate::traffic::facts::Stating;

/// Devices of a site.
pub(crate) const DEVICES: usize = 2_000;

/// How often a paced sensor states what has come.
const TICK: Duration = Duration::from_millis(5);

/// The names of so many sites; each has one sensor of the same name.
pub(crate) fn sites(count: u8) -> Vec<String> {
    (1..=count).map(|number| format!("site-{number}")).collect()
}

/// Nanoseconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Facts of a site, so many flows among them; they ended a microsecond after each other, the first one now.
pub(crate) fn facts(number: u8, flows: u64) -> Vec<Fact> {
    let mut stating = Stating::of(Network::new(number, DEVICES));
    let begun = now();
    let mut facts = Vec::new();
    while stating.flows() < flows {
        facts.push(stating.next(begun + stating.flows() * 1000));
    }
    facts
}

/// How the sensor of a site is set up.
pub(crate) fn sensor_config(site: &str, collector: impl std::fmt::Display) -> Config {
    Config {
        site: site.to_owned(),
        sensor: site.to_owned(),
        uplink: UplinkConfig {
            collectors: vec![format!("http://{collector}")],
            token: Secret::new(token(site)),
            ..UplinkConfig::default()
        },
        ..Config::default()
    }
}

/// A sensor with an empty spool whose facts are made by `work`; ends when they are acknowledged.
pub(crate) fn boot(
    config: Config,
    work: impl FnOnce(Outlet) -> Result<()> + Send + 'static,
) -> JoinHandle<Result<()>> {
    tokio::spawn(async move {
        let folder = tempfile::tempdir().context("make a folder for the spool")?;
        wardwatch_sensor::serve_facts(keeping_in(folder.path(), config), context(), work).await
    })
}

fn context() -> Context {
    Context::new(ServiceInfo { name: "sensor", version: env!("CARGO_PKG_VERSION") })
}

fn keeping_in(spool: &Path, config: Config) -> Config {
    Config { spool: SpoolConfig { directory: spool.to_owned(), ..config.spool }, ..config }
}

/// A sensor whose collector is away: states so many flows of its site, each at its time, into a spool, and stops.
pub(crate) async fn outage(
    site: &str,
    away: impl std::fmt::Display,
    batch: &BatchLimits,
    spool: &Path,
    flows: u64,
    at: impl Fn(u64) -> u64 + Send + 'static,
) -> Result<()> {
    let mut config = Config { batch: batch.clone(), ..keeping_in(spool, sensor_config(site, away)) };
    // As on a wire, which does not wait; and nothing to say goodbye to.
    config.input.speed = Some(1.0);
    config.uplink.farewell = Duration::ZERO;
    let context = context();
    let counters = context.counters.clone();
    let shutdown = context.shutdown.clone();
    let mut stating = Stating::of(Network::new(1, DEVICES));
    let work = move |mut outlet: Outlet| {
        while stating.flows() < flows {
            let now = at(stating.flows());
            outlet.state(stating.next(now))?;
        }
        outlet.finish()?;
        shutdown.cancel();
        Ok(())
    };
    wardwatch_sensor::serve_facts(config, context, work).await?;
    let lost: u64 = ["full", "disk", "corrupt"]
        .iter()
        .map(|reason| counters.counter("sensor_spool_batches_dropped", &[("reason", reason)]).value())
        .sum();
    anyhow::ensure!(lost == 0, "the spool lost {lost} batches: more of spool.bytes would be needed");
    Ok(())
}

/// Has the sensors of all sites state these facts at once, and waits until they are acknowledged.
pub(crate) async fn send(
    facts: Vec<(String, Vec<Fact>)>,
    batch: &BatchLimits,
    collector: impl std::fmt::Display,
) -> Result<()> {
    let each: Vec<_> = facts
        .into_iter()
        .map(|(site, facts)| {
            let config = Config { batch: batch.clone(), ..sensor_config(&site, &collector) };
            boot(config, move |mut outlet| {
                for fact in facts {
                    outlet.state(fact)?;
                }
                outlet.finish()
            })
        })
        .collect();
    for sensor in each {
        sensor.await.context("a sensor panicked")??;
    }
    Ok(())
}

/// How fast a load comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// So many facts a second, over all sites, whether or not they are taken in time.
    Open(f64),
    /// As fast as whoever runs the load admits them.
    Closed,
}

/// Sensors of all sites, each stating in a thread of its own until stopped.
pub(crate) struct Load {
    shared: Arc<Shared>,
    sensors: Vec<JoinHandle<Result<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Flow records stated so far.
    stated: AtomicU64,
    /// Flow records that may have been stated, of a closed load.
    admitted: AtomicU64,
    stop: AtomicBool,
}

impl Load {
    /// Starts the sensors.
    pub(crate) fn start(sites: &[String], collector: impl std::fmt::Display, pace: Pace) -> Self {
        Self::with(sites, collector, pace, None)
    }

    /// Starts them; the first one finds its spool as an outage has left it.
    pub(crate) fn after_outage(
        sites: &[String],
        collector: impl std::fmt::Display,
        pace: Pace,
        spool: &Path,
    ) -> Self {
        Self::with(sites, collector, pace, Some(spool))
    }

    fn with(
        sites: &[String],
        collector: impl std::fmt::Display,
        pace: Pace,
        mut left: Option<&Path>,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let each = (1..).zip(sites).map(|(number, site)| {
            let stating = Stating::of(Network::new(number, DEVICES));
            let (shared, count) = (Arc::clone(&shared), sites.len());
            let config = sensor_config(site, &collector);
            let work = move |outlet| {
                let sensor = Sensor { stating, outlet, shared };
                match pace {
                    Pace::Open(rate) => sensor.run_open(rate / count as f64),
                    Pace::Closed => sensor.run_closed(),
                }
            };
            match left.take() {
                Some(spool) => {
                    tokio::spawn(wardwatch_sensor::serve_facts(keeping_in(spool, config), context(), work))
                }
                None => boot(config, work),
            }
        });
        Self { sensors: each.collect(), shared }
    }

    /// Tells a closed load how many records it may have stated.
    pub(crate) fn admit(&self, records: u64) {
        self.shared.admitted.store(records, Ordering::Relaxed);
    }

    /// Ends it: what was stated is sent and acknowledged. Gives how many flow records were stated.
    pub(crate) async fn finish(self) -> Result<u64> {
        self.shared.stop.store(true, Ordering::Relaxed);
        for sensor in self.sensors {
            sensor.await.context("a sensor panicked")??;
        }
        Ok(self.shared.stated.load(Ordering::Relaxed))
    }
}

struct Sensor {
    stating: Stating,
    outlet: Outlet,
    shared: Arc<Shared>,
}

impl Sensor {
    /// Each fact bears the time at which it was due, however late it was taken: what waits in front of a full uplink has been
    /// stated on a real network.
    fn run_open(mut self, rate: f64) -> Result<()> {
        let (begun, mut facts) = (now(), 0_u64);
        #[expect(clippy::cast_sign_loss, reason = "a rate is not negative")]
        let due_at = |fact: u64| begun + (fact as f64 / rate * 1e9) as u64;
        while !self.is_stopped() {
            let now = now();
            while due_at(facts) <= now {
                self.state(due_at(facts))?;
                facts += 1;
            }
            self.outlet.upkeep()?;
            thread::sleep(TICK);
        }
        self.outlet.finish()
    }

    fn run_closed(mut self) -> Result<()> {
        while !self.is_stopped() {
            let Shared { stated, admitted, .. } = &*self.shared;
            if stated.load(Ordering::Relaxed) < admitted.load(Ordering::Relaxed) {
                let now = now();
                for _ in 0..512 {
                    self.state(now)?;
                }
            } else {
                thread::sleep(TICK);
            }
            self.outlet.upkeep()?;
        }
        self.outlet.finish()
    }

    fn is_stopped(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed)
    }

    fn state(&mut self, at: u64) -> Result<()> {
        let fact = self.stating.next(at);
        if matches!(fact.fact, Some(Stated::Flow(_))) {
            self.shared.stated.fetch_add(1, Ordering::Relaxed);
        }
        self.outlet.state(fact)
    }
}
