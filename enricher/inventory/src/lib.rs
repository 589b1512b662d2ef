//! Which device is this: identity, resolution of attributes, score.

#![forbid(unsafe_code)]

mod conclusion;
mod inventory;
mod network;
mod settings;
mod state;

pub use conclusion::{
    AttributeRecord, Change, Conclusions, DeviceRecord, EnrichedFlow, Factor, LogMoment, Why,
};
pub use inventory::{Device, Inventory};
pub use network::local_networks;
pub use settings::Settings;
pub use state::{StateEntry, StateError};
