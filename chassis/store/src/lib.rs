//! ClickHouse: migrations and the batch writer.

#![forbid(unsafe_code)]
