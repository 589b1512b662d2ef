//! Wardwatch in one process: demo, up, devices, alerts, query.

#![forbid(unsafe_code)]

fn main() {}
