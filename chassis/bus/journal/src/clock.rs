//! Stamps that never run backwards.

use std::time::{SystemTime, UNIX_EPOCH};

/// The system's clock in nanoseconds since 1970, but never before the last stamp.
pub(crate) fn stamp_after(last: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX).max(last)
}
