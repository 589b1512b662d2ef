//! The store panics on some pages that are not what it wrote; to our callers that is corruption like any other.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::{Error, Result};

/// Does something with the store; a panic in there becomes [`Error::Corrupt`].
///
/// What the closure touches is not looked at again after a panic but to be dropped, except the store itself, which keeps its state
/// on the disk and panics again.
pub(crate) fn shielded<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(Error::Corrupt {
            path: path.to_owned(),
            problem: format!("the store gave up: {}", message(&*panic)),
        })
    })
}

/// Drops a part of the store, which may panic likewise; its locks and files are let go of in any case.
pub(crate) fn dropped<T>(part: Option<T>) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(part)));
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}
