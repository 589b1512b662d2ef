//! Several cores: one reads headers and shares packets out, the others follow flows, and facts come together again.
//!
//! The thread that takes frames ([`Cores`]) does what comes before the flow table: [`Headers`]. It copies each whole packet once
//! into the batch of the core that its flow is pinned to ([`Share`]): a symmetric hash, so that both directions meet whatever
//! queues they came by. Fragments are joined and tunnels opened before, so a flow has one core however its packets come.
//! ARP and other frames without IP go to the first core.
//!
//! Batches go round: to a worker through a bounded channel, back with the facts they gave rise to. The channels are those of
//! the standard library, which take no lock while there is room and something to take; a batch has some 256 packets, so their cost does not count.
//! Whoever is behind has no batch to give: a file waits then, and packets of an interface are dropped and counted.
//!
//! Facts come out in the order of the packets that brought them about, so that the same frames give the same facts on any number
//! of cores: timers run at the same places in every core, and what was stated lately is held back here, after the merge.

use std::collections::VecDeque;

use anyhow::Context as _;
use wardwatch_capture::Frame;
use wardwatch_flow::packet::Packet;
use wardwatch_flow::table::Share;
use wardwatch_proto::v1::Fact;

use crate::outgoing::Outgoing;
use crate::worker::{Headers, Limits, Totals, Worker};

mod batch;
mod lane;

use batch::{Batch, Timer};
use lane::Lane;

/// Rounds whose facts may wait for the slowest worker.
const LONGEST_WAIT: usize = 1024;

/// More workers than any machine that stands at a mirror port has cores.
pub(crate) const MOST_WORKERS: usize = 64;

/// Where packets become facts: here, or on several cores.
#[derive(Debug)]
pub enum Cores {
    /// This thread does everything.
    One(Box<Worker>),
    /// This thread shares out.
    Many(Box<Many>),
}

impl Cores {
    /// `workers` threads beside this one, or none for 1. `is_patient`: wait for a worker that is behind, as a file can.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn new(limits: &Limits, workers: usize, is_patient: bool) -> anyhow::Result<Self> {
        if workers <= 1 {
            return Ok(Self::One(Box::new(Worker::new(limits))));
        }
        Many::new(limits, workers.min(MOST_WORKERS), is_patient).map(|many| Self::Many(Box::new(many)))
    }

    /// Takes frames, one after the other, and appends what there is to state by now.
    ///
    /// # Errors
    /// As all of these: a worker's thread has died.
    pub fn frames(&mut self, frames: &[Frame<'_>], facts: &mut Vec<Fact>) -> anyhow::Result<()> {
        match self {
            Self::One(worker) => worker.frames(frames, facts),
            Self::Many(many) => {
                for frame in frames {
                    many.frame(frame, facts)?;
                }
            }
        }
        Ok(())
    }

    /// Runs the timers at `now`, in nanoseconds since the Unix epoch on the packets' clock. To be called now and then
    /// while no frames come.
    pub fn advance(&mut self, now: u64, facts: &mut Vec<Fact>) -> anyhow::Result<()> {
        match self {
            Self::One(worker) => worker.advance(now, facts),
            Self::Many(many) => many.advance(now, facts)?,
        }
        Ok(())
    }

    /// Lets nothing wait for company, and appends what there is to state by now. To be called a few times a second.
    pub fn flush(&mut self, facts: &mut Vec<Fact>) -> anyhow::Result<()> {
        match self {
            Self::One(_) => Ok(()),
            Self::Many(many) => many.flush(facts),
        }
    }

    /// The input has ended: states everything that is still open.
    pub fn finish(&mut self, facts: &mut Vec<Fact>) -> anyhow::Result<()> {
        match self {
            Self::One(worker) => worker.finish(facts),
            Self::Many(many) => many.finish(facts)?,
        }
        Ok(())
    }

    /// What has been counted so far, in step with the facts that were given out.
    pub fn totals(&self) -> Totals {
        match self {
            Self::One(worker) => worker.totals(),
            Self::Many(many) => many.totals(),
        }
    }
}

/// The thread that shares out, and its workers.
#[derive(Debug)]
pub struct Many {
    headers: Headers,
    sharing: Sharing,
    /// Rounds that have been shared out and are not merged, oldest first.
    rounds: VecDeque<Round>,
    /// Number of the first of these.
    first_round: u64,
    outgoing: Outgoing,
    is_patient: bool,
}

/// Where packets go.
#[derive(Debug)]
struct Sharing {
    share: Share,
    lanes: Vec<Lane>,
    /// Packets and timers are numbered; facts come out in that order.
    moment: u64,
    /// Packets in the round that is open.
    open: usize,
    /// Frames of all packets so far.
    frames: u64,
}

impl Sharing {
    fn put(&mut self, packet: &Packet<'_>, at: u64, is_tunnel: bool) {
        if let Some(lane) = self.lanes.get_mut(self.share.of(packet)) {
            lane.filling.put(packet, at, is_tunnel, self.moment);
        }
        self.frames += u64::from(packet.frames);
        self.moment += 1;
        self.open += 1;
    }

    /// For every worker, so that timers run at the same moment in all.
    fn timer(&mut self, timer: Timer) {
        for lane in &mut self.lanes {
            lane.filling.timer(timer, self.moment);
        }
        self.moment += 1;
        self.open += 1;
    }
}

/// What was shared out at one time.
#[derive(Debug, Default)]
struct Round {
    outstanding: usize,
    facts: Vec<(u64, Fact)>,
    totals: Vec<(usize, Totals)>,
}

impl Many {
    fn new(limits: &Limits, workers: usize, is_patient: bool) -> anyhow::Result<Self> {
        let lanes = (0..workers).map(|number| Lane::start(limits, number, workers));
        let lanes = lanes.collect::<anyhow::Result<_>>()?;
        Ok(Self {
            headers: Headers::new(limits),
            sharing: Sharing { share: Share::among(workers), lanes, moment: 0, open: 0, frames: 0 },
            rounds: VecDeque::new(),
            first_round: 0,
            outgoing: Outgoing::new(limits),
            is_patient,
        })
    }

    fn frame(&mut self, frame: &Frame<'_>, facts: &mut Vec<Fact>) -> anyhow::Result<()> {
        let Self { headers, sharing, .. } = self;
        headers.frame(frame, &mut |packet, at, is_tunnel| sharing.put(packet, at, is_tunnel));
        if headers.timers_are_due(frame.at) {
            self.timers(frame.at);
        }
        if self.sharing.open >= batch::PACKETS { self.flush(facts) } else { Ok(()) }
    }

    fn advance(&mut self, now: u64, facts: &mut Vec<Fact>) -> anyhow::Result<()> {
        self.timers(now);
        self.flush(facts)
    }

    fn timers(&mut self, now: u64) {
        let Self { headers, sharing, .. } = self;
        headers.expire(now, &mut |packet, at, is_tunnel| sharing.put(packet, at, is_tunnel));
        sharing.timer(Timer::Advance(now));
    }

    fn finish(&mut self, facts: &mut Vec<Fact>) -> anyhow::Result<()> {
        let Self { headers, sharing, .. } = self;
        headers.finish(&mut |packet, at, is_tunnel| sharing.put(packet, at, is_tunnel));
        sharing.timer(Timer::Finish);
        // The end is waited for in any case.
        let is_patient = std::mem::replace(&mut self.is_patient, true);
        let flushed = self.flush(facts).and_then(|()| self.until(0, facts));
        self.is_patient = is_patient;
        flushed
    }

    /// Sends what waits for company, and appends the facts that have come back.
    fn flush(&mut self, facts: &mut Vec<Fact>) -> anyhow::Result<()> {
        self.sharing.open = 0;
        let number = self.first_round + self.rounds.len() as u64;
        self.rounds.push_back(Round::default());
        self.collect();
        for place in 0..self.sharing.lanes.len() {
            while self.is_patient && self.sharing.lanes.get(place).is_some_and(Lane::is_behind) {
                self.wait_for(place)?;
            }
            if let (Some(lane), Some(round)) = (self.sharing.lanes.get_mut(place), self.rounds.back_mut())
                && lane.send(number)?
            {
                round.outstanding += 1;
            }
        }
        self.until(LONGEST_WAIT, facts)
    }

    /// Appends the facts of the rounds that all workers are through with; waits until at most so many others are left.
    fn until(&mut self, left: usize, facts: &mut Vec<Fact>) -> anyhow::Result<()> {
        self.collect();
        self.merge(facts);
        while self.rounds.len() > left {
            let Some(place) = self.sharing.lanes.iter().position(Lane::is_working) else { break };
            self.wait_for(place)?;
            self.merge(facts);
        }
        Ok(())
    }

    /// Takes every batch that has come back.
    fn collect(&mut self) {
        for place in 0..self.sharing.lanes.len() {
            while let Some(batch) = self.sharing.lanes.get(place).and_then(Lane::returned) {
                self.take(place, batch);
            }
        }
    }

    fn wait_for(&mut self, place: usize) -> anyhow::Result<()> {
        let lane = self.sharing.lanes.get(place).context("a worker that is not there")?;
        let batch = lane.wait()?;
        self.take(place, batch);
        Ok(())
    }

    fn take(&mut self, place: usize, mut batch: Batch) {
        let round = batch.round.saturating_sub(self.first_round) as usize;
        if let Some(round) = self.rounds.get_mut(round) {
            round.outstanding = round.outstanding.saturating_sub(1);
            round.facts.append(&mut batch.facts);
            round.totals.push((place, std::mem::take(&mut batch.totals)));
        }
        if let Some(lane) = self.sharing.lanes.get_mut(place) {
            lane.keep(batch);
        }
    }

    fn merge(&mut self, facts: &mut Vec<Fact>) {
        while self.rounds.front().is_some_and(|round| round.outstanding == 0) {
            let Some(mut round) = self.rounds.pop_front() else { return };
            self.first_round += 1;
            round.facts.sort_by_key(|(moment, _)| *moment);
            for (_, fact) in round.facts {
                self.outgoing.pass(fact, facts);
            }
            for (place, totals) in round.totals {
                if let Some(lane) = self.sharing.lanes.get_mut(place) {
                    lane.totals = totals;
                }
            }
        }
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        // Every worker hears of the same time, so a jump is the same jump in all.
        let mut jumps = 0;
        for lane in &self.sharing.lanes {
            totals.add(&lane.totals);
            totals.behind += lane.dropped;
            jumps = jumps.max(lane.totals.clock_jumps);
        }
        let done = totals.packets_in_flows + totals.packets_not_ip + totals.behind;
        totals.add(&self.headers.totals());
        let under_way = self.sharing.frames.saturating_sub(done);
        self.outgoing.counted(Totals { clock_jumps: jumps, under_way, ..totals })
    }
}

#[cfg(test)]
mod tests;
