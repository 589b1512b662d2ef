//! The enricher on a real ClickHouse, on the embedded log and on Apache Kafka.

mod boots;
mod commands;
mod conclusions;
mod documents;
mod exactly_once;
mod groups;
mod handover;
mod imports;
mod ledger;
mod rig;
mod rollups;
