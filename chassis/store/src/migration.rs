//! The tables, as numbered SQL files that are applied once and never changed.
//!
//! The files of `deploy/clickhouse` are part of the program. [`Store::migrate`] applies those that the table
//! `schema_migrations` does not name, in order, and refuses to go on when one that was applied has another text now.
//! Every statement is idempotent (`IF NOT EXISTS`, `OR REPLACE`), so a migration that was interrupted, or that two programs
//! apply at the same time, ends in the same tables; both then record the same row.

use std::fmt::Write as _;

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tracing::{info, warn};

use crate::{Error, Result, Store};

mod statements;

#[cfg(test)]
mod tests;

/// One numbered file.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// 1, 2, 3, ...
    pub number: u32,
    /// The file's name without number and ending.
    pub name: &'static str,
    /// The file's text.
    pub sql: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal in $file:literal),+ $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../../deploy/clickhouse/", $file)),
        }),+]
    };
}

/// All migrations of this program, in order.
pub const ALL: &[Migration] = migrations![
    1 "flows" in "0001_flows.sql",
    2 "devices" in "0002_devices.sql",
    3 "alerts" in "0003_alerts.sql",
    4 "state" in "0004_state.sql",
    5 "views" in "0005_views.sql",
    6 "owners" in "0006_owners.sql",
    7 "rollups" in "0007_rollups.sql",
    8 "commands" in "0008_commands.sql",
    9 "sensor_boots" in "0009_sensor_boots.sql",
    10 "ledger" in "0010_ledger.sql",
    11 "inserted parts" in "0011_inserted_parts.sql",
    12 "profiles" in "0012_profiles.sql",
    13 "imports" in "0013_imports.sql",
    14 "notes" in "0014_notes.sql",
    15 "documents" in "0015_documents.sql",
    16 "retirement" in "0016_retirement.sql",
    17 "sightings" in "0017_sightings.sql",
];

impl Migration {
    /// SHA-256 of the text, in hexadecimal.
    pub fn checksum(&self) -> String {
        Sha256::digest(self.sql.as_bytes()).iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// A row of `schema_migrations`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
struct Applied {
    number: u32,
    name: String,
    checksum: String,
}

/// APPEND-ONLY; two programs that migrate at the same time may both leave the same row.
const LEDGER: &str = "CREATE TABLE IF NOT EXISTS schema_migrations
(
    number     UInt32,
    name       String,
    checksum   String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY number";

impl Store {
    /// Makes the database and brings its tables up to this program; then sets what the configuration decides about them
    /// (see [`crate::upkeep`]). Gives the names of the migrations that were applied just now.
    ///
    /// # Errors
    /// [`Error::MigrationChanged`] when an applied file was edited since; [`Error::Request`] when the server refuses.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        let applied = self.migrate_with(ALL).await?;
        self.apply_upkeep().await?;
        Ok(applied)
    }

    /// As [`Store::migrate`] with other files and without upkeep.
    pub async fn migrate_with(&self, migrations: &[Migration]) -> Result<Vec<String>> {
        in_order(migrations)?;
        self.create_database().await?;
        self.execute(LEDGER).await?;
        let mut newly = Vec::new();
        let ledger = self.ledger().await?;
        check_against(migrations, &ledger)?;
        for migration in migrations {
            if ledger.iter().any(|applied| applied.number == migration.number) {
                continue;
            }
            for statement in statements::split(migration.sql).map_err(|reason| Error::MigrationText {
                number: migration.number,
                name: migration.name.into(),
                reason,
            })? {
                self.execute(&statement).await?;
            }
            let row = Applied {
                number: migration.number,
                name: migration.name.into(),
                checksum: migration.checksum(),
            };
            self.insert("schema_migrations", &[row], None).await?;
            info!(number = migration.number, name = migration.name, "migration applied");
            newly.push(migration.name.to_owned());
        }
        Ok(newly)
    }

    /// Checks that everything this program needs was applied, and applied unchanged, without changing anything.
    ///
    /// # Errors
    /// [`Error::NotMigrated`] names the first missing migration.
    pub async fn check_migrated(&self) -> Result<()> {
        let ledger = match self.ledger().await {
            Ok(ledger) => ledger,
            Err(error) if names_missing_table(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        check_against(ALL, &ledger)?;
        let missing = ALL.iter().find(|wanted| !ledger.iter().any(|applied| applied.number == wanted.number));
        missing.map_or(Ok(()), |migration| {
            Err(Error::NotMigrated {
                database: self.database().to_owned(),
                number: migration.number,
                name: migration.name.into(),
            })
        })
    }

    async fn ledger(&self) -> Result<Vec<Applied>> {
        self.fetch("SELECT DISTINCT number, name, checksum FROM schema_migrations ORDER BY number").await
    }
}

fn in_order(migrations: &[Migration]) -> Result<()> {
    for (earlier, later) in migrations.iter().zip(migrations.iter().skip(1)) {
        if later.number <= earlier.number {
            return Err(Error::MigrationOrder { number: later.number, name: later.name.into() });
        }
    }
    Ok(())
}

fn check_against(migrations: &[Migration], ledger: &[Applied]) -> Result<()> {
    for applied in ledger {
        let Some(migration) = migrations.iter().find(|migration| migration.number == applied.number) else {
            warn!(number = applied.number, name = %applied.name, "the database has a migration of a newer program");
            continue;
        };
        let offered = migration.checksum();
        if offered != applied.checksum {
            return Err(Error::MigrationChanged {
                number: migration.number,
                name: migration.name.into(),
                applied: applied.checksum.clone(),
                offered,
            });
        }
    }
    Ok(())
}

/// UNKNOWN_TABLE or UNKNOWN_DATABASE.
fn names_missing_table(error: &Error) -> bool {
    let Error::Request { source: clickhouse::error::Error::BadResponse(text), .. } = error else {
        return false;
    };
    text.contains("Code: 60.") || text.contains("Code: 81.")
}
