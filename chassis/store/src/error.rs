//! What can go wrong with ClickHouse, and whether trying again can help.

use clickhouse::error::Error as ClientError;

use crate::ownership::{FENCED, OVERTAKEN};

/// What was attempted, on what, and what came back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration cannot work.
    #[error("store configuration: {0}")]
    Settings(String),
    /// A request to ClickHouse failed.
    #[error("{attempted}: {source}")]
    Request {
        /// What was attempted, such as "insert 10000 rows into flows".
        attempted: String,
        /// What the server or the network answered.
        source: ClientError,
    },
    /// A migration that was applied before has another text now. Migrations are never edited; a new one is added.
    #[error(
        "migration {number:04}_{name} was applied with checksum {applied} but this program has {offered}; \
         migrations must not be edited: restore the file and add a new one"
    )]
    MigrationChanged {
        /// Its number.
        number: u32,
        /// Its name.
        name: String,
        /// SHA-256 of the text that was applied.
        applied: String,
        /// SHA-256 of the text this program carries.
        offered: String,
    },
    /// A number was given to two migrations, or they are out of order.
    #[error("migration {number:04}_{name} does not follow the one before it")]
    MigrationOrder {
        /// Its number.
        number: u32,
        /// Its name.
        name: String,
    },
    /// The text of a migration ends inside a quotation or a comment.
    #[error("migration {number:04}_{name} is not readable: {reason}")]
    MigrationText {
        /// Its number.
        number: u32,
        /// Its name.
        name: String,
        /// What does not end.
        reason: String,
    },
    /// The database lacks tables this program needs.
    #[error("the database {database} lacks migration {number:04}_{name}: run `wardwatch migrate` first")]
    NotMigrated {
        /// The database.
        database: String,
        /// The first missing number.
        number: u32,
        /// Its name.
        name: String,
    },
    /// Someone else has claimed the partition since: what comes of it is theirs to write.
    #[error("{attempted}: refused, since someone else has claimed the partition")]
    Fenced {
        /// What was attempted.
        attempted: String,
    },
    /// Something that the insert relied on has changed since it was read: read it again.
    #[error("{attempted}: refused, since what it relied on has changed meanwhile")]
    Overtaken {
        /// What was attempted.
        attempted: String,
    },
    /// The rows are not what the table has columns for: the program and the tables are of different versions.
    #[error("the rows for {table} do not fit it: {problem}; run the `wardwatch migrate` of this version")]
    Misfit {
        /// The table.
        table: String,
        /// What does not fit.
        problem: String,
    },
}

impl Error {
    /// What a request came to.
    pub(crate) fn of_request(attempted: String, source: ClientError) -> Self {
        match source {
            ClientError::BadResponse(text) if says(&text, FENCED) => Self::Fenced { attempted },
            ClientError::BadResponse(text) if says(&text, OVERTAKEN) => Self::Overtaken { attempted },
            source => Self::Request { attempted, source },
        }
    }

    /// Whether the same request may succeed later: the network, a timeout, an overloaded or read-only server, a full disk.
    /// Whatever the answer was, the request may have taken effect.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Request { source, .. } => match source {
                ClientError::Network(_) | ClientError::TimedOut => true,
                ClientError::BadResponse(text) => exception_code(text).is_none_or(is_passing),
                _ => false,
            },
            _ => false,
        }
    }
}

/// Whether an exception is this one; its text also quotes the statement, in which others may stand.
fn says(text: &str, exception: &str) -> bool {
    text.split_once("DB::Exception: ").is_some_and(|(_, said)| said.starts_with(exception))
}

/// The number in `Code: 241. DB::Exception: ...`; `None` where something other than ClickHouse answered (a proxy).
fn exception_code(text: &str) -> Option<u32> {
    let digits = text.split_once("Code: ")?.1;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// ClickHouse's error codes (src/Common/ErrorCodes.cpp) that describe a state which passes.
fn is_passing(code: u32) -> bool {
    matches!(
        code,
        159 // TIMEOUT_EXCEEDED
        | 164 // READONLY: a server that is being moved or restored
        | 202 // TOO_MANY_SIMULTANEOUS_QUERIES
        | 203 // NO_FREE_CONNECTION
        | 209 // SOCKET_TIMEOUT
        | 210 // NETWORK_ERROR
        | 225 // NO_ZOOKEEPER
        | 236 // ABORTED
        | 241 // MEMORY_LIMIT_EXCEEDED
        | 242 // TABLE_IS_READ_ONLY
        | 243 // NOT_ENOUGH_SPACE
        | 252 // TOO_MANY_PARTS
        | 279 // ALL_CONNECTION_TRIES_FAILED
        | 285 // TOO_FEW_LIVE_REPLICAS
        | 286 // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
        | 319 // UNKNOWN_STATUS_OF_INSERT
        | 394 // QUERY_WAS_CANCELLED
        | 439 // CANNOT_SCHEDULE_TASK
        | 473 // DEADLOCK_AVOIDED
        | 745 // SERVER_OVERLOADED
        | 999 // KEEPER_EXCEPTION
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(text: &str) -> Error {
        Error::Request { attempted: "insert".into(), source: ClientError::BadResponse(text.into()) }
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        assert!(answered("Code: 252. DB::Exception: Too many parts").is_retriable());
        assert!(answered("502 Bad Gateway").is_retriable());
        assert!(!answered("Code: 60. DB::Exception: Table t does not exist").is_retriable());
        assert!(!answered("Code: 516. DB::Exception: Authentication failed").is_retriable());
        assert!(!Error::Settings("x".into()).is_retriable());
    }
}
