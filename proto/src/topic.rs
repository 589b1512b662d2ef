//! The topics, as operators and SIEMs know them.

/// Facts and commands, partitioned by site. See [`crate::v1::LogRecord`].
pub const FACTS: &str = "wardwatch.facts";
/// What the enricher concluded. See [`crate::v1::Event`].
pub const EVENTS: &str = "wardwatch.events";
/// Alerts as OCSF Detection Findings (JSON, one event a message).
pub const SIEM_DETECTION: &str = "wardwatch.siem.detection";
/// Devices as OCSF Device Inventory Info (JSON, one event a message).
pub const SIEM_INVENTORY: &str = "wardwatch.siem.inventory";
/// What could not be read, with the reason.
pub const DEADLETTER: &str = "wardwatch.deadletter";

/// All of them, in the order of the data path.
pub const ALL: [&str; 5] = [FACTS, EVENTS, SIEM_DETECTION, SIEM_INVENTORY, DEADLETTER];
