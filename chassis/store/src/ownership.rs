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

/// Claims older than this many are removed when a new one is made.
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
        if owner.epoch.is_multiple_of(KEPT) {
            let old = owner.epoch - KEPT;
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

    /// What lets only this owner's inserts pass.
    pub fn fence(&self) -> Fence {
        let Self { service, partition, epoch, name } = self;
        Fence {
            service,
            condition: format!(
                "NOT throwIf((SELECT max((epoch, owner)) FROM owners WHERE service = {} AND partition = {partition}) \
                 > ({epoch}, {}), {})",
                quote(service),
                quote(name),
                quote(FENCED),
            ),
        }
    }
}
