//! Which device is this: identity, resolution of attributes, score.
//!
//! An [`Inventory`] holds everything known about one site. Facts go in, [`Conclusions`] come out; state entries survive
//! a restart. The crate is pure: no clock, no broker, no database. All time is the time on the wire, or the broker's.
//!
//! The way of a fact, module by module:
//!
//! - `intake` decides whose evidence it is and puts it into a `dossier`, one for each interface, address and third
//!   device, as a bounded list of `statement`s; `sighting` makes the dossier of whoever sends, is spoken of or told of.
//! - `binding` keeps which interface has which address, by ARP and DHCP.
//! - `placement` decides which device each dossier belongs to. Devices are views over dossiers: when ARP turns up, or
//!   a MAC address turns out to be a router's, dossiers move with all they hold.
//! - `joining` puts interfaces and addresses together that are one device by what they say of themselves (`likeness`) and by
//!   when they were in use (`activity`), or by what people ruled (`ruling`).
//! - `sameness` finds the third devices that are devices of the site after all.
//! - `imported` keeps the tables of other systems and finds the device that each row is about.
//! - `profile` describes a device by its dossiers (`choice` says which of several values to believe) and asks the
//!   knowledge pack what it is and how risky; `clinical` what that means for patients, `attachment` how it hangs on the
//!   network, and `details` which fields are left.
//! - `decision` keeps what people decided about devices, which wins over all evidence; `retirement` tells who is retired and
//!   was seen all the same.
//! - `conclude` compares that with what was `known` and tells the difference (`summary` names the device in what
//!   is told); of a device that is only seen again it tells no more than that, for which times are read by the `hour`.
//!   `state` writes it down.
//!
//! # What depends on the order of facts
//!
//! Which devices there are, and what is shown of each, follows from the evidence and not from its order, except for:
//! what was given up for want of room (each bound is in [`Settings`], each loss in [`Counters`]); statements about an
//! address outside the site's networks that came before ARP or DHCP bound it.
//! Changes and events are told in the order in which things became known.

#![forbid(unsafe_code)]

mod activity;
mod addressing;
mod attachment;
mod belief;
mod binding;
mod choice;
mod chosen;
mod claimants;
mod clinical;
mod conclude;
mod conclusion;
mod counters;
mod decision;
mod derivation;
mod details;
mod device;
mod dossier;
mod hour;
mod identity;
mod imported;
mod intake;
mod inventory;
mod itself;
mod joining;
mod kind;
mod known;
mod likeness;
mod lookup;
mod maker;
mod network;
mod placement;
mod profile;
mod reason;
mod register;
mod retirement;
mod ruling;
mod sameness;
mod scope;
mod sensors;
mod settings;
mod shelf;
mod sighting;
mod state;
mod statement;
mod summary;

pub use conclusion::{
    AttributeRecord, Change, Conclusions, Detail, DeviceRecord, Difference, EnrichedFlow, Factor, Gap,
    LogMoment, RowRecord, SightingRecord, Why,
};
pub use counters::Counters;
pub use decision::Undecided;
pub use details::value_of as profile_field;
pub use device::Described;
pub use dossier::EvidenceCopy;
pub use imported::NotImported;
pub use inventory::Inventory;
pub use network::local_networks;
pub use settings::Settings;
pub use state::{StateEntry, StateError};
