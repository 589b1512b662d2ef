//! ClickHouse, as far as the protocol sees it: claims, plans, rows, tokens, the stored memory's end, and what is in flight.

use std::collections::BTreeSet;

/// The most messages that a model's log may hold.
pub(crate) const MOST: usize = 4;

/// The append-only tables. Every message has rows in the first, every other message in the second.
pub(crate) const TABLES: [&str; 2] = ["flows", "changes"];

/// Whether a message gives rise to rows of a table.
pub(crate) fn has_rows(table: usize, offset: u8) -> bool {
    table == 0 || offset % 2 == 1
}

/// A claim; the higher is the owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Claim {
    pub(crate) epoch: u8,
    pub(crate) owner: u8,
}

/// A range of offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Range {
    pub(crate) first: u8,
    pub(crate) last: u8,
}

/// What an insert brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Body {
    Plan,
    /// The rows of the offsets above a mark.
    Rows {
        token: Token,
        above: i8,
    },
    /// The memory up to the end of the range: the commit point.
    Memory,
}

/// What an insert into an append-only table is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Token {
    pub(crate) table: usize,
    pub(crate) range: Range,
    /// Counts up when the server has dropped the rows and yet does not hold them.
    pub(crate) attempt: u8,
}

/// An insert that has passed the check of the fence and has not landed yet. Whoever sent it may be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Insert {
    pub(crate) by: Claim,
    pub(crate) range: Range,
    pub(crate) body: Body,
    /// Whether its token was logged so lately that the window still holds it.
    pub(crate) is_remembered: bool,
}

/// What becomes of rows that land.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    Stored,
    /// By the token.
    Dropped,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) highest: Claim,
    /// In the order of arrival.
    pub(crate) plans: Vec<(Range, Claim)>,
    /// How often each table holds what came of each offset.
    pub(crate) rows: [[u8; MOST]; TABLES.len()],
    /// Tokens that were logged at some time. Whether one is still remembered is decided when it is asked for.
    pub(crate) tokens: BTreeSet<Token>,
    /// Tokens that are remembered although their rows are not there.
    pub(crate) swallowed: BTreeSet<Token>,
    pub(crate) end: u8,
    /// Sorted: in which order they began does not matter.
    pub(crate) flight: Vec<Insert>,
}

impl Insert {
    pub(crate) fn token(&self) -> Option<Token> {
        match self.body {
            Body::Rows { token, .. } => Some(token),
            Body::Plan | Body::Memory => None,
        }
    }
}

impl Server {
    /// The highest offset that a table holds; -1 for none.
    pub(crate) fn mark(&self, table: usize) -> i8 {
        let held = (0_i8..).zip(self.rows[table]).filter(|(_, count)| *count > 0);
        held.map(|(offset, _)| offset).last().unwrap_or(-1)
    }

    pub(crate) fn begin(&mut self, insert: Insert) {
        self.flight.push(insert);
        self.flight.sort_unstable();
    }

    /// What is in flight lands.
    pub(crate) fn land(&mut self, insert: Insert, fate: Fate) {
        if let Some(at) = self.flight.iter().position(|other| *other == insert) {
            self.flight.remove(at);
        }
        match insert.body {
            Body::Plan => self.plans.push((insert.range, insert.by)),
            Body::Rows { token, above } if fate == Fate::Stored => {
                for offset in insert.range.first..=insert.range.last {
                    if has_rows(token.table, offset) && offset.cast_signed() > above {
                        self.rows[token.table][usize::from(offset)] += 1;
                    }
                }
                self.tokens.insert(token);
                for other in &mut self.flight {
                    other.is_remembered |= other.token() == Some(token);
                }
                self.flight.sort_unstable();
            }
            Body::Rows { .. } => {}
            Body::Memory => self.end = self.end.max(insert.range.last + 1),
        }
    }

    /// What is in flight is gone. A token may have been logged of rows that were not stored.
    pub(crate) fn kill(&mut self, swallows: Option<Token>) {
        self.flight.clear();
        self.tokens.extend(swallows);
        self.swallowed.extend(swallows);
    }

    /// What was never synced is gone too.
    pub(crate) fn cut_power(&mut self) {
        self.kill(None);
        self.tokens.clear();
        self.plans.clear();
    }
}
