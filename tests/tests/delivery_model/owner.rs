//! An owner of the partition, or who takes himself for it: how far it is, and what it believes.

use super::server::{Claim, Range, TABLES};

/// The highest offsets that the tables are believed to hold; -1 for none.
pub(crate) type Marks = [i8; TABLES.len()];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    pub(crate) claim: Claim,
    pub(crate) phase: Phase,
}

/// What has been done last. An owner may be stopped anywhere for any time: then the others' steps come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Not assigned, killed, or refused.
    #[default]
    Away,
    /// Has read the highest epoch and will claim with this one.
    Claiming(u8),
    Claimed,
    Loaded {
        end: u8,
    },
    /// Has read the plans: a range begins here, perhaps one that is planned. Marks are there after the first range.
    Ready {
        first: u8,
        plan: Option<Range>,
        marks: Option<Marks>,
    },
    /// Waits for the plan's answer.
    Planning(Work),
    /// Has yet to read the marks.
    Planned(Work),
    Writing {
        work: Work,
        tables: [Step; TABLES.len()],
    },
    /// Waits for the memory's answer.
    Storing(Work),
}

/// A range that is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Work {
    pub(crate) range: Range,
    pub(crate) marks: Option<Marks>,
    /// Somebody may have used its tokens before: what the server says that it holds is to be looked for.
    pub(crate) is_unsure: bool,
}

/// How far the insert into one table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Todo { attempt: u8 },
    Sent { attempt: u8 },
    Done { attempt: u8 },
}

impl Step {
    pub(crate) const FIRST: Self = Self::Todo { attempt: 0 };
}

impl Phase {
    /// The range that is worked on.
    pub(crate) fn range(&self) -> Option<Range> {
        match self {
            Self::Planning(work) | Self::Planned(work) | Self::Writing { work, .. } | Self::Storing(work) => {
                Some(work.range)
            }
            _ => None,
        }
    }
}
