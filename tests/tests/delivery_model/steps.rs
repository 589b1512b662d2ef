//! What owners do, step by step, and what becomes of inserts.

use super::owner::{Marks, Owner, Phase, Step, Work};
use super::partition::{Deed, Protocol, Rule, State};
use super::server::{Body, Claim, Fate, Insert, Range, Server, TABLES, Token, has_rows};

impl Protocol {
    /// What an owner may do next.
    pub(super) fn deeds(&self, state: &State, owner: &Owner) -> Vec<Deed> {
        match owner.phase {
            Phase::Away if state.claims > 0 => vec![Deed::Start],
            Phase::Claiming(_) => vec![Deed::Claim],
            Phase::Claimed => vec![Deed::Load],
            Phase::Loaded { .. } => vec![Deed::ReadPlan],
            Phase::Ready { plan: Some(plan), .. } => vec![Deed::Cut(plan.last)],
            Phase::Ready { first, plan: None, .. } => (first..self.messages).map(Deed::Cut).collect(),
            Phase::Planned(_) => vec![Deed::ReadMarks],
            Phase::Writing { work, tables } => {
                let tables = &tables[..self.tables];
                if tables.iter().all(|step| matches!(step, Step::Done { .. })) {
                    return vec![if work.is_unsure && self.has(Rule::SecondLook) {
                        Deed::LookAgain
                    } else {
                        Deed::Store
                    }];
                }
                let deed = |(table, step): (usize, &Step)| match step {
                    Step::Todo { .. } => Some(Deed::Write(table)),
                    Step::Sent { .. } => (state.resends > 0).then_some(Deed::Resend(table)),
                    Step::Done { .. } => None,
                };
                tables.iter().enumerate().filter_map(deed).collect()
            }
            Phase::Away | Phase::Planning(_) | Phase::Storing(_) => Vec::new(),
        }
    }

    /// The owner after a deed; away if the server refused it.
    pub(super) fn step(
        &self,
        state: &mut State,
        number: usize,
        claim: Claim,
        phase: Phase,
        deed: Deed,
    ) -> Option<(Claim, Phase)> {
        let State { server, claims, resends, .. } = state;
        let passes = !self.has(Rule::Epoch) || server.highest <= claim;
        let plan_stands = |range| {
            !self.has(Rule::Plan) || !self.has(Rule::PlanInFence) || server.plans.contains(&(range, claim))
        };
        let marks = self.marks(server);
        let mark_stands = |table: usize, above| !self.has(Rule::MarkInFence) || marks[table] <= above;
        let insert = |range, body| Insert { by: claim, range, body, is_remembered: false };
        let phase = match (deed, phase) {
            (Deed::Start, Phase::Away) => {
                *claims -= 1;
                Phase::Claiming(server.highest.epoch + 1)
            }
            (Deed::Claim, Phase::Claiming(epoch)) => {
                let claim = Claim { epoch, owner: number as u8 };
                server.highest = server.highest.max(claim);
                return Some((claim, Phase::Claimed));
            }
            (Deed::Load, Phase::Claimed) => Phase::Loaded { end: server.end },
            (Deed::ReadPlan, Phase::Loaded { end }) => {
                Phase::Ready { first: end, plan: self.find_plan(server, end), marks: None }
            }
            (Deed::Cut(last), Phase::Ready { first, plan, marks }) => {
                // Where nothing is recorded, any range may have been begun before.
                let is_unsure = self.has(Rule::Mark) && (plan.is_some() || !self.has(Rule::Plan));
                let work = Work { range: Range { first, last }, marks, is_unsure };
                if !self.has(Rule::Plan) || (plan.is_some() && !self.has(Rule::RecordedRepeat)) {
                    planned(work)
                } else if passes {
                    server.begin(insert(work.range, Body::Plan));
                    Phase::Planning(work)
                } else {
                    Phase::Away
                }
            }
            (Deed::ReadMarks, Phase::Planned(work)) => {
                planned(Work { marks: Some(self.marks(server)), ..work })
            }
            (Deed::Write(table), Phase::Writing { work, mut tables }) => {
                let Step::Todo { attempt } = tables[table] else { return None };
                let above = work.marks?[table];
                if highest_row(work.range, table, above).is_none() {
                    tables[table] = Step::Done { attempt };
                    Phase::Writing { work, tables }
                } else if passes && plan_stands(work.range) && (!work.is_unsure || mark_stands(table, above))
                {
                    let token = Token { table, range: work.range, attempt };
                    server.begin(insert(work.range, Body::Rows { token, above }));
                    tables[table] = Step::Sent { attempt };
                    Phase::Writing { work, tables }
                } else {
                    Phase::Away
                }
            }
            (Deed::Resend(table), Phase::Writing { mut work, mut tables }) => {
                let Step::Sent { attempt } = tables[table] else { return None };
                *resends -= 1;
                let above = work.marks?[table];
                let is_there =
                    highest_row(work.range, table, -1).is_some_and(|row| server.mark(table) >= row);
                if is_there && self.has(Rule::Mark) && self.has(Rule::SecondLook) {
                    tables[table] = Step::Done { attempt };
                } else if passes && plan_stands(work.range) && mark_stands(table, above) {
                    let token = Token { table, range: work.range, attempt };
                    server.begin(insert(work.range, Body::Rows { token, above }));
                    work.is_unsure = self.has(Rule::Mark);
                } else {
                    return Some((claim, Phase::Away));
                }
                Phase::Writing { work, tables }
            }
            (Deed::LookAgain, Phase::Writing { mut work, mut tables }) => {
                work.is_unsure = false;
                for (table, step) in tables.iter_mut().enumerate().take(self.tables) {
                    let Step::Done { attempt } = *step else { return None };
                    let wanted = highest_row(work.range, table, -1);
                    if wanted.is_some_and(|row| server.mark(table) < row) {
                        *step = Step::Todo { attempt: attempt + 1 };
                        work.is_unsure = true;
                    }
                }
                if work.is_unsure {
                    work.marks = Some(self.marks(server));
                }
                Phase::Writing { work, tables }
            }
            (Deed::Store, Phase::Writing { work, .. }) if passes => {
                server.begin(insert(work.range, Body::Memory));
                Phase::Storing(work)
            }
            (Deed::Store, Phase::Writing { .. }) => Phase::Away,
            _ => return None,
        };
        Some((claim, phase))
    }

    fn find_plan(&self, server: &Server, end: u8) -> Option<Range> {
        let mut beginning_there =
            server.plans.iter().filter(|(range, _)| self.has(Rule::Plan) && range.first == end);
        let newest = if self.has(Rule::HigherPlan) {
            beginning_there.max_by_key(|(_, by)| *by)
        } else {
            beginning_there.next_back()
        };
        newest.map(|(range, _)| *range)
    }

    fn marks(&self, server: &Server) -> Marks {
        std::array::from_fn(|table| if self.has(Rule::Mark) { server.mark(table) } else { -1 })
    }

    /// What may become of an insert that lands now.
    pub(super) fn fates(&self, state: &State, insert: &Insert) -> Vec<Fate> {
        let Some(token) =
            insert.token().filter(|token| self.has(Rule::Token) && state.server.tokens.contains(token))
        else {
            return vec![Fate::Stored];
        };
        if state.server.swallowed.contains(&token) || (insert.is_remembered && self.has(Rule::Window)) {
            vec![Fate::Dropped]
        } else {
            // The window may have rolled on since.
            vec![Fate::Dropped, Fate::Stored]
        }
    }
}

/// It lands, and if its sender still waits for it, it hears so.
pub(super) fn land(state: &mut State, insert: Insert, fate: Fate) {
    let State { server, owners, .. } = state;
    server.land(insert, fate);
    for owner in owners {
        let is_sender = owner.claim == insert.by;
        match (insert.body, &mut owner.phase) {
            (Body::Plan, Phase::Planning(work)) if is_sender && work.range == insert.range => {
                owner.phase = planned(*work);
            }
            (Body::Rows { token, .. }, Phase::Writing { work, tables }) if work.range == insert.range => {
                let step = &mut tables[token.table];
                if is_sender && *step == (Step::Sent { attempt: token.attempt }) {
                    *step = Step::Done { attempt: token.attempt };
                }
            }
            (Body::Memory, Phase::Storing(work)) if is_sender && work.range == insert.range => {
                let first = work.range.last + 1;
                owner.phase = Phase::Ready { first, plan: None, marks: work.marks };
            }
            _ => {}
        }
    }
}

/// A range whose plan is recorded.
fn planned(work: Work) -> Phase {
    match work.marks {
        None => Phase::Planned(work),
        Some(_) => Phase::Writing { work, tables: [Step::FIRST; TABLES.len()] },
    }
}

/// The highest offset of a range that has rows of a table above a mark.
fn highest_row(range: Range, table: usize, above: i8) -> Option<i8> {
    let wanted = |offset: &u8| has_rows(table, *offset) && offset.cast_signed() > above;
    (range.first..=range.last).rev().find(wanted).map(u8::cast_signed)
}

/// Whoever waited for an answer hears that there is none. Rows are sent again, if that may be; else the partition is taken
/// up again.
pub(super) fn hang_up(state: &mut State) {
    let sends_again = state.resends > 0;
    for owner in &mut state.owners {
        let gives_up = match owner.phase {
            Phase::Planning(_) | Phase::Storing(_) => true,
            Phase::Writing { tables, .. } => {
                !sends_again && tables.iter().any(|step| matches!(step, Step::Sent { .. }))
            }
            _ => false,
        };
        if gives_up {
            *owner = Owner::default();
        }
    }
}

/// Forgets plans and tokens that nobody can ask for any more, so that states which differ in them alone are one.
pub(super) fn prune(state: &mut State) {
    let State { server, owners, .. } = state;
    let Server { plans, tokens, swallowed, flight, end, .. } = server;
    let is_asked_for = |range: &Range| {
        owners.iter().any(|owner| match owner.phase {
            Phase::Loaded { end } => end == range.first,
            phase => phase.range() == Some(*range),
        })
    };
    plans.retain(|(range, _)| range.first >= *end || is_asked_for(range));
    tokens.retain(|token| {
        token.range.last >= *end
            || owners.iter().any(|owner| owner.phase.range() == Some(token.range))
            || flight.iter().any(|insert| insert.token() == Some(*token))
    });
    swallowed.retain(|token| tokens.contains(token));
}
