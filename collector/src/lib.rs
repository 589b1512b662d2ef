//! The collector: receives, authenticates, checks and publishes.

#![forbid(unsafe_code)]
