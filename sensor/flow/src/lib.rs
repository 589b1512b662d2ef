//! Frames to flows: header parsing, fragments, the flow table, TCP reassembly.
//!
//! The modules follow a frame on its way:
//!
//! 1. [`packet::parse`] reads the headers of one frame, by hand and without copying.
//! 2. [`duplicates::Duplicates`] recognises packets that a mirror sends twice.
//! 3. [`fragments::Defragmenter`] joins IPv4 and IPv6 fragments, within bounds; [`packet::inside`] opens tunnels.
//! 4. [`table::FlowTable`] finds the flow of a packet, decides who initiated it, counts it for its direction, and
//!    states flow records: at the end of a flow, and every minute or so while it lasts.
//! 5. [`reassembly::Stream`] puts the segments of one direction of a TCP connection in order, within bounds.
//!
//! The crate is pure: no input or output, no threads, no clock. Time comes with the packets, as nanoseconds since the
//! Unix epoch. Nothing here allocates for a packet of a known flow that arrives in order.
//!
//! ```
//! use wardwatch_flow::{
//!     fragments::{Defragmenter, Fragmented},
//!     packet::{self, Link},
//!     table::{self, FlowRecord, FlowTable},
//! };
//!
//! # fn frames() -> Vec<(u64, Vec<u8>)> { Vec::new() }
//! let mut fragments = Defragmenter::default();
//! let mut table: FlowTable<()> = FlowTable::new(&table::Config::default());
//! let mut sink = |record: FlowRecord, _state: &mut Option<Box<()>>| println!("{}", record.community_id);
//! for (at, frame) in frames() {
//!     let Ok(packet) = packet::parse(Link::Ethernet, None, &frame, frame.len() as u32) else { continue };
//!     if packet.fragment().is_some() {
//!         if let Fragmented::Complete(datagram) = fragments.push(&packet, at)
//!             && let Ok(whole) = datagram.packet()
//!         {
//!             table.observe(&whole, at, &mut sink);
//!         }
//!     } else if let Some(observed) = table.observe(&packet, at, &mut sink) {
//!         let _ = (observed.direction, &mut observed.flow.state, packet.payload);
//!     }
//!     table.advance(at, &mut sink);
//! }
//! table.finish(&mut sink);
//! ```

#![forbid(unsafe_code)]

pub mod community_id;
pub mod duplicates;
pub mod fragments;
pub mod packet;
pub mod reassembly;
pub mod table;

pub use packet::{Link, Mac, Malformed, Packet, VlanTag, Vlans};
pub use table::{Direction, EndReason, Flow, FlowRecord, FlowTable};
