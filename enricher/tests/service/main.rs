//! The enricher on a real ClickHouse and the embedded log.

mod conclusions;
mod exactly_once;
mod rig;
