//! Where the flow table's records go: into facts. With each its conversation reads what it has not seen yet; at a flow's end
//! also what was still waiting, and it gives its memory back.

use wardwatch_dissect::Statements;
use wardwatch_flow::reassembly::Budget;
use wardwatch_flow::table::{FlowRecord, Sink};
use wardwatch_proto::v1::{Fact, Protocol};

use super::application::Application;
use super::networks::Networks;
use super::{OVER, flow_fact};

/// The numbers of flows in the contract, where no two workers may give the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbering {
    pub(super) first: u64,
    pub(super) step: u64,
}

impl Numbering {
    /// The table counts from 0, the contract has 0 for "no flow".
    pub(super) const fn of(self, of_table: u64) -> u64 {
        of_table * self.step + self.first + 1
    }
}

/// Takes records.
pub(super) struct Records<'a> {
    pub(super) facts: &'a mut Vec<Fact>,
    pub(super) statements: &'a mut Statements,
    pub(super) networks: &'a Networks,
    pub(super) budget: &'a Budget,
    pub(super) held_bytes: &'a mut usize,
    pub(super) numbering: Numbering,
}

impl Sink<Application> for Records<'_> {
    fn record(&mut self, record: FlowRecord, state: &mut Option<Box<Application>>) {
        let mut protocol = record.tag & !OVER;
        let others = self.statements.observations.len();
        if let Some(application) = state {
            *self.held_bytes = self.held_bytes.saturating_sub(application.held_bytes());
            if record.end_reason.is_end() {
                application.finish(self.budget, self.statements);
            } else {
                application.catch_up(self.statements);
                *self.held_bytes += application.held_bytes();
            }
            // What was waiting may have told what it was.
            if application.protocol() != Protocol::Unspecified {
                protocol = application.protocol() as u32;
            }
        }
        self.networks.mark(&record.tunnels, self.statements, others);
        let network = self.networks.of(&record.tunnels);
        self.facts.push(flow_fact::from_record(&record, self.numbering.of(record.id), protocol, network));
    }
}
