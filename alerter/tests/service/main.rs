//! The alerter on a real ClickHouse and the embedded log.

mod alerts;
mod delivery;
mod end_to_end;
mod rig;
