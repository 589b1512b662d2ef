//! What an owner was about to write, recorded before it does, so that the next owner repeats exactly that.
//!
//! An insert carries a token made of its range; the server drops the second of two with the same. So that an insert which
//! the former owner has on the way and the next owner's are the same, their ranges must be: a range is recorded first,
//! and whoever finds one that begins where the memory ends works on it as it was cut, whatever its own limits say.

use serde::{Deserialize, Serialize};
use wardwatch_faults::{Guard, is_off};
use wardwatch_store::{Fence, Owner, Result, Row, Store, quote, version};

/// The offsets of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The first offset.
    pub(crate) first: u64,
    /// The last offset.
    pub(crate) last: u64,
}

/// The plans of one partition.
#[derive(Debug)]
pub(crate) struct Plans {
    pub(crate) service: &'static str,
    pub(crate) incarnation: u32,
    pub(crate) partition: u32,
}

#[derive(Debug, Row, Serialize)]
struct PlanRow {
    service: String,
    partition: u32,
    incarnation: u32,
    offset_first: u64,
    offset_last: u64,
    epoch: u64,
    owner: String,
    version: u64,
}

#[derive(Debug, Row, Deserialize)]
struct FoundRow {
    offset_first: u64,
    offset_last: u64,
}

impl Plans {
    /// The newest plan. If it begins where the memory ends, it may have been written in part.
    pub(crate) async fn newest(&self, store: &Store) -> Result<Option<Plan>> {
        let query = format!(
            "SELECT offset_first, offset_last FROM plans \
             WHERE service = {} AND partition = {} AND incarnation = {} \
             ORDER BY version DESC, epoch DESC, owner DESC LIMIT 1",
            quote(self.service),
            self.partition,
            self.incarnation
        );
        let newest = store.fetch::<FoundRow>(&query).await?.pop();
        Ok(newest.map(|row| Plan { first: row.offset_first, last: row.offset_last }))
    }

    /// Removes the plans of owners long gone.
    pub(crate) async fn forget_before(&self, store: &Store, epoch: u64) -> Result<()> {
        let Self { service, partition, .. } = self;
        let of = format!("service = {} AND partition = {partition}", quote(service));
        let newest = format!("SELECT max(version) FROM plans WHERE {of}");
        store
            .execute(&format!("DELETE FROM plans WHERE {of} AND epoch < {epoch} AND version < ({newest})"))
            .await
    }

    /// The condition, in SQL, that a plan is still recorded for an owner. It has not been synced, so that a power failure may
    /// have taken it; then nobody after this owner would repeat what it writes.
    pub(crate) fn recorded(&self, plan: Plan, owner: &Owner) -> String {
        if is_off(Guard::Plan) {
            return "1".to_owned();
        }
        format!(
            "(SELECT count() FROM plans WHERE service = {} AND partition = {} AND incarnation = {} \
             AND epoch = {} AND owner = {} AND offset_first = {} AND offset_last = {}) > 0",
            quote(self.service),
            self.partition,
            self.incarnation,
            owner.epoch(),
            quote(owner.name()),
            plan.first,
            plan.last
        )
    }

    /// Records what is about to be written. A plan that is repeated is recorded again, so that the newest plan is that of the
    /// newest owner who has written anything.
    pub(crate) async fn record(&self, store: &Store, plan: Plan, owner: &Owner, fence: &Fence) -> Result<()> {
        let row = PlanRow {
            service: self.service.to_owned(),
            partition: self.partition,
            incarnation: self.incarnation,
            offset_first: plan.first,
            offset_last: plan.last,
            epoch: owner.epoch(),
            owner: owner.name().to_owned(),
            version: version(self.incarnation, plan.first),
        };
        store.insert_fenced("plans", &[row], None, fence).await
    }
}
