//! The capture thread: frames from the source through the worker into batches.
//!
//! It is a thread and not a task, since reading blocks; the spool's intake is its back-pressure.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use wardwatch_capture::{CaptureFile, Interface, Pace, Source, Statistics, Step};
use wardwatch_proto::v1::Fact;
use wardwatch_service::CancellationToken;

use crate::batch::{Batcher, CutBatch};
use crate::clock;
use crate::config::{Config, InputConfig};
use crate::cores::Cores;
use crate::port::Port;
use crate::spool::{Intake, UplinkEnded};
use crate::telling::Telling;
use crate::worker::Totals;

/// How often counters are brought up to date and old batches are cut.
const UPKEEP: Duration = Duration::from_millis(100);

/// Steps with frames between two looks at the clock.
const STEPS_A_LOOK: u32 = 8;

/// Watches the configured input until it ends or shutdown.
pub(crate) struct Watch {
    cores: Cores,
    batcher: Batcher,
    facts: Vec<Fact>,
    batches: Intake,
    telling: Telling,
    port: Option<Port>,
    told: Totals,
    /// Facts in batches that were cut since the counters were brought up to date.
    facts_cut: u64,
    shutdown: CancellationToken,
}

impl Watch {
    pub(crate) fn new(
        config: &Config,
        epoch: u64,
        batches: Intake,
        telling: Telling,
        port: Option<Port>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        telling.booted(&config.site, &config.sensor, epoch);
        Ok(Self {
            // What is on the wire does not wait.
            cores: Cores::new(&config.limits, config.workers(), config.input.interface.is_none())?,
            batcher: Batcher::new(&config.site, &config.sensor, epoch, config.batch.clone())
                .in_scope(&config.scope),
            facts: Vec::new(),
            batches,
            telling,
            port,
            told: Totals::default(),
            facts_cut: 0,
            shutdown,
        })
    }

    /// Plays the files one after the other, or watches the interface.
    pub(crate) fn run(mut self, input: &InputConfig) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        if let Some(options) = input.interface_options() {
            outcome =
                Interface::open(options).map_err(Into::into).and_then(|mut source| self.source(&mut source));
        }
        let mut unreadable = 0;
        for path in &input.files {
            if self.shutdown.is_cancelled() {
                break;
            }
            if let Err(error) = self.play(path, input.speed) {
                if error.is::<UplinkEnded>() {
                    return Err(error);
                }
                // The other files are worth playing all the same.
                tracing::error!(
                    error = format!("{error:#}"),
                    "a capture file could not be played to its end"
                );
                unreadable += 1;
            }
        }
        if unreadable > 0 {
            outcome = Err(anyhow::anyhow!(
                "{unreadable} of {} capture files could not be read to the end",
                input.files.len()
            ));
        }
        // What was learned until then is stated whatever happened.
        self.end_flows()?;
        outcome
    }

    fn play(&mut self, path: &Path, speed: Option<f64>) -> anyhow::Result<()> {
        let pace = speed.map_or(Pace::Full, |speed| Pace::Original { speed });
        let mut source = CaptureFile::open(path, pace)?;
        let played = self.source(&mut source);
        // Another file is another time, perhaps another network: flows do not go on from one to the next.
        self.end_flows()?;
        played
    }

    fn source(&mut self, source: &mut dyn Source) -> anyhow::Result<()> {
        // What lasts tells itself.
        if !source.is_live() {
            tracing::info!(source = source.describe(), "watching");
        }
        self.tell_of(source);
        let mut told = Statistics::default();
        let mut upkeep_at = Instant::now();
        let mut steps: u32 = 0;
        let ended = loop {
            let step = match source.next() {
                Ok(step) => step,
                Err(error) => break Err(error),
            };
            let is_idle = match step {
                Step::Frames(frames) => {
                    self.cores.frames(&frames, &mut self.facts)?;
                    steps = steps.wrapping_add(1);
                    false
                }
                Step::Idle => true,
                Step::End => break Ok(()),
            };
            self.batch()?;
            if (is_idle || steps.is_multiple_of(STEPS_A_LOOK)) && upkeep_at.elapsed() >= UPKEEP {
                if self.shutdown.is_cancelled() {
                    break Ok(());
                }
                upkeep_at = Instant::now();
                self.tell_of(source);
                // A file's clock stands still between its frames.
                self.upkeep(is_idle && source.is_live())?;
                let now = source.statistics();
                self.telling.captured(&told, &now);
                told = now;
            }
        };
        self.telling.captured(&told, &source.statistics());
        ended.context("watching ended")
    }

    /// What became of the interface since the last time.
    fn tell_of(&self, source: &mut dyn Source) {
        if let Some(port) = &self.port {
            port.tell(source.changes());
        }
    }

    /// Cuts what has waited long enough. On a live interface the clock goes on without packets, and timers with it.
    fn upkeep(&mut self, is_quiet: bool) -> anyhow::Result<()> {
        if is_quiet {
            self.cores.advance(clock::now(), &mut self.facts)?;
        }
        self.cores.flush(&mut self.facts)?;
        self.batch()?;
        if let Some(batch) = self.batcher.cut_if_old() {
            self.send(batch)?;
        }
        self.tell();
        Ok(())
    }

    fn end_flows(&mut self) -> anyhow::Result<()> {
        self.cores.finish(&mut self.facts)?;
        self.batch()?;
        if let Some(batch) = self.batcher.cut() {
            self.send(batch)?;
        }
        self.tell();
        Ok(())
    }

    fn batch(&mut self) -> anyhow::Result<()> {
        let facts = std::mem::take(&mut self.facts);
        if facts.is_empty() {
            self.facts = facts;
            return Ok(());
        }
        for fact in facts {
            if let Some(batch) = self.batcher.add(fact) {
                self.send(batch)?;
            }
        }
        Ok(())
    }

    fn send(&mut self, batch: CutBatch) -> anyhow::Result<()> {
        self.telling.batches_cut.increment();
        self.facts_cut += batch.facts;
        Ok(self.batches.keep(batch)?)
    }

    /// Brings the counters up to date, all at once: then what was stated is what was cut and what waits to be.
    fn tell(&mut self) {
        self.telling.batched(std::mem::take(&mut self.facts_cut), self.batcher.waiting());
        let now = self.cores.totals();
        self.telling.worked(&self.told, &now);
        self.told = now;
    }
}
