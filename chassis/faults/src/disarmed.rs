//! What is shipped: nothing happens anywhere.

use crate::Guard;

/// A place between two writes. Nothing happens here in this build.
#[inline]
pub async fn point(_name: &str) {}

/// As [`point`], for a name in parts: `point_of(["enricher", ".insert-before:", "flows"])`. They are not put together in this
/// build.
#[inline]
pub async fn point_of<const N: usize>(_parts: [&str; N]) {}

/// As [`point`], where nothing can be awaited.
#[inline]
pub fn point_blocking(_name: &str) {}

/// Whether a guard is switched off: never in this build.
#[inline]
pub const fn is_off(_guard: Guard) -> bool {
    false
}
