//! One core does everything.

use wardwatch_capture::Frame;
use wardwatch_proto::v1::Fact;

use super::{Flows, Headers, Limits, Totals};
use crate::outgoing::Outgoing;

/// Frames whose flows are brought into the caches at a time: few enough to be there still when it is their turn.
const AHEAD: usize = 32;

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

    /// Takes frames, one after the other, and appends what there is to state. However many are given at a time, the facts are
    /// the same.
    pub fn frames(&mut self, frames: &[Frame<'_>], facts: &mut Vec<Fact>) {
        for frames in frames.chunks(AHEAD) {
            let mut packets = [const { None }; AHEAD];
            for (packet, frame) in packets.iter_mut().zip(frames) {
                *packet = self.headers.read(frame);
            }
            if frames.len() > 1 {
                self.flows.prefetch(packets.iter().flatten());
            }
            for (packet, frame) in packets.iter().zip(frames) {
                if let Some(packet) = packet {
                    let Self { headers, flows, fresh, .. } = self;
                    headers.packet(packet, frame.at, &mut |packet, at, is_tunnel| {
                        flows.packet(packet, at, is_tunnel, fresh);
                    });
                }
                if self.headers.timers_are_due(frame.at) {
                    self.advance(frame.at, facts);
                }
                self.pass(facts);
            }
        }
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
