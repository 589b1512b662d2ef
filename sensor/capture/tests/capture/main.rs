//! What a source of packets promises, as specifications: file formats by the drafts that define them, damaged files,
//! a collection of real captures, and interfaces in network namespaces.

mod af_xdp;
mod bytes;
mod calls;
mod child;
mod corpus;
mod damaged;
mod datagram;
mod folder;
mod interface;
mod namespace;
mod pace;
mod packet_socket;
mod pcap;
mod pcapng;
mod reading;
mod steps;
mod writer;
