//! One core does everything.

use wardwatch_capture::Frame;
use wardwatch_proto::v1::Fact;

use super::{Flows, Headers, Limits, Totals};
use crate::outgoing::Outgoing;

/// Everything that one core knows about the packets it sees: frames in, facts out.
#[derive(Debug)]
pub struct Worker {
    headers: Headers,
    flows: Flows,
    /// On their way to [`Outgoing`].
    fresh: Vec<Fact>,
    outgoing: Outgoing,
}

impl Worker {
    /// A worker that has seen nothing yet.
    pub fn new(limits: &Limits) -> Self {
        Self {
            headers: Headers::new(limits),
            flows: Flows::new(limits),
            fresh: Vec::new(),
            outgoing: Outgoing::new(limits),
        }
    }

    /// Takes a frame and appends what there is to state.
    pub fn frame(&mut self, frame: &Frame<'_>, facts: &mut Vec<Fact>) {
        let Self { headers, flows, fresh, .. } = self;
        headers.frame(frame, &mut |packet, at, is_tunnel| flows.packet(packet, at, is_tunnel, fresh));
        if headers.timers_are_due(frame.at) {
            self.advance(frame.at, facts);
        }
        self.pass(facts);
    }

    /// Runs the timers at `now`, in nanoseconds since the Unix epoch on the packets' clock. To be called now and then
    /// while no frames come.
    pub fn advance(&mut self, now: u64, facts: &mut Vec<Fact>) {
        let Self { headers, flows, fresh, .. } = self;
        headers.expire(now, &mut |packet, at, is_tunnel| flows.packet(packet, at, is_tunnel, fresh));
        flows.advance(now, fresh);
        self.pass(facts);
    }

    /// The input has ended: states everything that is still open.
    pub fn finish(&mut self, facts: &mut Vec<Fact>) {
        let Self { headers, flows, fresh, .. } = self;
        headers.finish(&mut |packet, at, is_tunnel| flows.packet(packet, at, is_tunnel, fresh));
        flows.finish(fresh);
        self.pass(facts);
    }

    /// What has been counted so far.
    pub fn totals(&self) -> Totals {
        let mut totals = self.headers.totals();
        totals.add(&self.flows.totals());
        self.outgoing.counted(totals)
    }

    fn pass(&mut self, facts: &mut Vec<Fact>) {
        for fact in self.fresh.drain(..) {
            self.outgoing.pass(fact, facts);
        }
    }
}
