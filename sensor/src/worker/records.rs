//! Where the flow table's records go: into facts. At a flow's end its conversation reads what was still waiting, and gives
//! its memory back.

use wardwatch_dissect::Statements;
use wardwatch_flow::reassembly::Budget;
use wardwatch_flow::table::{FlowRecord, Sink};
use wardwatch_proto::v1::{Fact, Protocol};

use super::application::Application;
use super::{OVER, flow_fact};

/// Takes records.
pub(super) struct Records<'a> {
    pub(super) facts: &'a mut Vec<Fact>,
    pub(super) statements: &'a mut Statements,
    pub(super) budget: &'a Budget,
    pub(super) held_bytes: &'a mut usize,
}

impl Sink<Application> for Records<'_> {
    fn record(&mut self, record: FlowRecord, state: &mut Option<Box<Application>>) {
        let mut protocol = record.tag & !OVER;
        if record.end_reason.is_end()
            && let Some(application) = state
        {
            *self.held_bytes = self.held_bytes.saturating_sub(application.held_bytes());
            application.finish(self.budget, self.statements);
            // What was waiting may have told what it was.
            if application.protocol() != Protocol::Unspecified {
                protocol = application.protocol() as u32;
            }
        }
        self.facts.push(flow_fact::from_record(&record, flow_fact::id(record.id), protocol));
    }
}
