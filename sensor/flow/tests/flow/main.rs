//! What the crate promises, by its public interface.
//!
//! Frames are laid out here octet by octet after the RFCs, or built by `etherparse`, never by the code under test.

mod community_id;
mod duplicates;
mod fragments;
mod frames;
mod packet;
mod packet_properties;
mod reassembly;
mod table;
mod table_properties;
mod tunnels;
