//! Developer commands: cargo xtask demo, test, bench.

#![forbid(unsafe_code)]

fn main() {}
