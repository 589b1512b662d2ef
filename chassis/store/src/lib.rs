//! ClickHouse, the one home of it: how to reach it, which tables it has, how rows get in.
//!
//! - [`Settings`]: where the server is and how long to be patient with it
//! - [`Store`]: a connection; inserts whole blocks, reads rows, tries again where that can help
//! - [`migration`]: the tables, as numbered SQL files that are applied once and never changed
//! - [`upkeep`]: what the configuration decides about tables: retention, synchronous writes
//! - [`incarnation`]: how often each topic was made, so that positions never go back
//! - [`Owner`], [`Store::insert_fenced`]: inserts that only the owner of a partition may make
//! - [`version`]: one number that orders the states of a row in a current-state table
//!
//! Inserts are synchronous (`async_insert=0`): when an insert returns, its rows are in the table. Each insert is one
//! block, hence one part per table partition, hence atomic, as long as it stays under [`MAX_BLOCK_ROWS`] rows and
//! within one partition; callers that rely on it cut there.

#![forbid(unsafe_code)]

mod client;
mod columns;
mod error;
mod fenced;
pub mod incarnation;
pub mod migration;
mod ownership;
mod reading;
mod rowbinary;
mod settings;
pub mod upkeep;

pub use clickhouse::{Row, RowOwned, RowRead, RowWrite};
pub use client::{InsertToken, Store, quote};
pub use error::Error;
pub use ownership::{Fence, Owner};
pub use settings::{Retention, Settings};

/// The result of everything that talks to ClickHouse.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The most rows that an insert may have and still be one block: below the server's `max_insert_block_size` of
/// 1,048,449.
pub const MAX_BLOCK_ROWS: usize = 1_000_000;

/// Orders the states of one row in a current-state table: the topic's incarnation in the upper 24 bits, the offset in
/// the lower 40. Saturates at either end of the range instead of wrapping.
pub fn version(incarnation: u32, offset: u64) -> u64 {
    let incarnation = u64::from(incarnation).min((1 << 24) - 1);
    (incarnation << 40) | offset.min((1 << 40) - 1)
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_new_topic_starts_above_everything_that_the_old_one_said() {
        assert!(version(2, 0) > version(1, u64::MAX));
        assert!(version(1, 8) > version(1, 7));
        assert_eq!(version(1, 5), 0x0100_0000_0005);
        assert_eq!(version(u32::MAX, u64::MAX), u64::MAX);
    }
}
