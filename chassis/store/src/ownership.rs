//! Who may write what comes of a partition, and the fence that stops whoever no longer may.
//!
//! A service that takes a partition up claims it, with a number above all that were claimed before. Its inserts carry a
//! condition that the server checks: that nobody has claimed the partition since. A stalled owner who wakes late, whatever
//! the group has decided meanwhile, is refused.
//!
//! The server looks when the first 256 KiB of an insert have come, or all of it if it is smaller (measured on 26.7): a larger
//! insert that was begun before the claim may end after it.

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Result, Store, quote};

/// Claims older than this many are removed, each time that so many have been made.
const KEPT: u64 = 16;

/// The right to write what comes of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    service: &'static str,
    partition: u32,
    epoch: u64,
    /// Tells two apart that claimed the same number at the same time; the higher is the owner.
    name: String,
}

/// The condition of a fenced insert, in SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    pub(crate) service: &'static str,
    pub(crate) condition: String,
}

impl Fence {
    /// One that lets everybody pass: what the fault suite shows to be wrong.
    pub fn open(service: &'static str) -> Self {
        Self { service, condition: "1".into() }
    }

    /// Lets an insert pass only if this condition, in SQL, holds as well.
    #[must_use]
    pub fn and(&self, condition: &str) -> Self {
        let condition = format!("{} AND {}", self.condition, must_hold(condition, OVERTAKEN));
        Self { service: self.service, condition }
    }

    /// As it stands in a statement; the server raises an exception where it does not hold.
    pub fn condition(&self) -> &str {
        &self.condition
    }
}

#[derive(Debug, Row, Serialize)]
struct OwnerRow {
    service: String,
    partition: u32,
    epoch: u64,
    owner: String,
}

#[derive(Debug, Row, Deserialize)]
struct NewestRow {
    newest: u64,
}

/// What the server says when it refuses a former owner.
pub(crate) const FENCED: &str = "the partition has another owner";
/// What it says when something else that an insert relied on is no longer so.
pub(crate) const OVERTAKEN: &str = "what was read before has changed";

/// A condition whose failing is an error, not rows left out.
fn must_hold(condition: &str, otherwise: &str) -> String {
    // A comparison with nothing (no claim, no mark) is not true either.
    format!("NOT throwIf(NOT ifNull({condition}, 0), {})", quote(otherwise))
}

impl Store {
    /// Claims a partition for a service: whoever claimed it before is refused from now on.
    pub async fn claim(&self, service: &'static str, partition: u32) -> Result<Owner> {
        let of = format!("service = {} AND partition = {partition}", quote(service));
        let newest = format!("SELECT max(epoch) AS newest FROM owners WHERE {of}");
        let newest = self.fetch::<NewestRow>(&newest).await?.pop().map_or(0, |row| row.newest);
        let owner = Owner {
            service,
            partition,
            epoch: newest.saturating_add(1),
            name: Uuid::new_v4().simple().to_string(),
        };
        let row = OwnerRow {
            service: service.to_owned(),
            partition,
            epoch: owner.epoch,
            owner: owner.name.clone(),
        };
        self.insert("owners", &[row], None).await?;
        if let Some(old) = owner.outlived() {
            self.execute(&format!("DELETE FROM owners WHERE {of} AND epoch < {old}")).await?;
        }
        Ok(owner)
    }
}

impl Owner {
    /// The number of the claim: 1 is the first.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Tells apart those who claimed the same number at the same time.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Now and then the number below which claims, and what belongs to them, are of no interest any more.
    pub fn outlived(&self) -> Option<u64> {
        self.epoch.is_multiple_of(KEPT).then(|| self.epoch - KEPT)
    }

    /// What lets only this owner's inserts pass.
    pub fn fence(&self) -> Fence {
        let Self { service, partition, epoch, name } = self;
        Fence {
            service,
            condition: must_hold(
                &format!(
                    "(SELECT max((epoch, owner)) FROM owners WHERE service = {} AND partition = {partition}) \
                     = ({epoch}, {})",
                    quote(service),
                    quote(name),
                ),
                FENCED,
            ),
        }
    }
}
