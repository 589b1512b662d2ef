//! Prints the flow records of a capture file (pcap or pcapng) as JSON lines, and what was counted to standard error.
//!
//! ```text
//! cargo run --example flows -- capture.pcap
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]
#![forbid(unsafe_code)]

use std::{collections::BTreeMap, error::Error, fs::File};

use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};
use serde_json::json;
use wardwatch_flow::{
    Link, Packet,
    fragments::{Datagram, Defragmenter, Fragmented},
    packet,
    table::{self, Counters, Endpoint, FlowRecord, FlowTable},
};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: flows <capture file>")?;
    let mut flows = Flows::new();
    read(File::open(path)?, &mut |link, at, bytes, wire_length| flows.frame(link, at, bytes, wire_length))?;
    flows.finish();
    Ok(())
}

/// Frames in, printed records out.
struct Flows {
    fragments: Defragmenter,
    table: FlowTable<()>,
    not_counted: BTreeMap<&'static str, u64>,
}

impl Flows {
    fn new() -> Self {
        Self {
            fragments: Defragmenter::default(),
            table: FlowTable::new(&table::Config::default()),
            not_counted: BTreeMap::new(),
        }
    }

    fn frame(&mut self, link: Link, at: u64, bytes: &[u8], wire_length: u32) {
        match packet::parse(link, None, bytes, wire_length) {
            Ok(packet) if packet.fragment().is_some() => {
                if let Fragmented::Complete(datagram) = self.fragments.push(&packet, at) {
                    self.datagram(&datagram, at);
                }
                let mut given_up = Vec::new();
                self.fragments.expire(at, &mut |datagram| given_up.push(datagram));
                for datagram in given_up {
                    self.datagram(&datagram, at);
                }
            }
            Ok(packet) => self.packet(&packet, at),
            Err(malformed) => *self.not_counted.entry(malformed.name()).or_default() += 1,
        }
        self.table.advance(at, &mut print);
    }

    fn datagram(&mut self, datagram: &Datagram, at: u64) {
        match datagram.packet() {
            Ok(packet) => self.packet(&packet, at),
            Err(malformed) => *self.not_counted.entry(malformed.name()).or_default() += 1,
        }
    }

    fn packet(&mut self, packet: &Packet<'_>, at: u64) {
        self.table.observe(packet, at, &mut print);
    }

    fn finish(mut self) {
        let mut given_up = Vec::new();
        self.fragments.finish(&mut |datagram| given_up.push(datagram));
        for datagram in given_up {
            self.datagram(&datagram, datagram.first_at());
        }
        self.table.finish(&mut print);
        eprintln!("{:?}", self.table.stats());
        eprintln!("{:?}", self.fragments.stats());
        eprintln!("not counted: {:?}", self.not_counted);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of a sink")]
fn print(record: FlowRecord, _state: &mut Option<Box<()>>) {
    let endpoint = |endpoint: Endpoint| {
        json!({
            "ip": endpoint.ip.to_string(),
            "port": endpoint.port,
            "mac": endpoint.mac.map(|mac| mac.to_string()),
        })
    };
    let counters = |counters: Counters| {
        json!({
            "packets": counters.packets,
            "frame_bytes": counters.frame_bytes,
            "ip_bytes": counters.ip_bytes,
            "payload_bytes": counters.payload_bytes,
        })
    };
    let line = json!({
        "id": record.id,
        "segment": record.segment,
        "community_id": record.community_id.to_string(),
        "initiator": endpoint(record.initiator),
        "responder": endpoint(record.responder),
        "initiator_guessed": record.initiator_guessed,
        "ip_protocol": record.ip_protocol,
        "vlans": record.vlan_ids().collect::<Vec<_>>(),
        "start": record.start,
        "end": record.end,
        "from_initiator": counters(record.from_initiator),
        "from_responder": counters(record.from_responder),
        "tcp_flags": [record.tcp_flags_initiator, record.tcp_flags_responder],
        "end_reason": format!("{:?}", record.end_reason),
    });
    println!("{line}");
}

/// What a capture file says of one of its interfaces.
struct Interface {
    link: Option<Link>,
    /// Units of time in a second.
    resolution: u64,
    /// Seconds to add.
    offset: u64,
}

fn link_of(linktype: Linktype) -> Option<Link> {
    match linktype.0 {
        0 | 108 => Some(Link::BsdLoopback),
        1 => Some(Link::Ethernet),
        12 | 14 | 101 | 228 | 229 => Some(Link::RawIp),
        113 => Some(Link::LinuxSll),
        276 => Some(Link::LinuxSll2),
        _ => None,
    }
}

/// Calls `frame` with link type, time in nanoseconds, captured bytes and wire length of each frame of a file.
fn read(file: File, frame: &mut impl FnMut(Link, u64, &[u8], u32)) -> Result<(), Box<dyn Error>> {
    let mut reader = create_reader(1 << 20, file)?;
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut nanoseconds = false;
    loop {
        let (offset, block) = match reader.next() {
            Ok(next) => next,
            Err(PcapError::Eof | PcapError::UnexpectedEof) => return Ok(()),
            Err(PcapError::Incomplete(_)) => {
                reader.refill().map_err(|error| format!("{error:?}"))?;
                continue;
            }
            Err(error) => return Err(format!("{error:?}").into()),
        };
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                nanoseconds = header.is_nanosecond_precision();
                interfaces = vec![Interface { link: link_of(header.network), resolution: 1, offset: 0 }];
            }
            PcapBlockOwned::Legacy(block) => {
                let fraction = u64::from(block.ts_usec) * if nanoseconds { 1 } else { 1000 };
                let at = u64::from(block.ts_sec) * 1_000_000_000 + fraction;
                if let Some(link) = interfaces.first().and_then(|interface| interface.link) {
                    let captured = block.data.get(..block.caplen as usize).unwrap_or(block.data);
                    frame(link, at, captured, block.origlen);
                }
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => interfaces.clear(),
            PcapBlockOwned::NG(Block::InterfaceDescription(block)) => interfaces.push(Interface {
                link: link_of(block.linktype),
                resolution: block.ts_resolution().unwrap_or(1_000_000),
                offset: u64::try_from(block.ts_offset()).unwrap_or(0),
            }),
            PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
                if let Some(interface) = interfaces.get(block.if_id as usize)
                    && let Some(link) = interface.link
                {
                    let units = (u64::from(block.ts_high) << 32) | u64::from(block.ts_low);
                    let nanos = u128::from(units) * 1_000_000_000 / u128::from(interface.resolution.max(1));
                    let at = interface.offset * 1_000_000_000 + u64::try_from(nanos).unwrap_or(0);
                    let captured = block.data.get(..block.caplen as usize).unwrap_or(block.data);
                    frame(link, at, captured, block.origlen);
                }
            }
            PcapBlockOwned::NG(Block::SimplePacket(block)) => {
                if let Some(link) = interfaces.first().and_then(|interface| interface.link) {
                    let captured = block.data.get(..block.origlen as usize).unwrap_or(block.data);
                    frame(link, 0, captured, block.origlen);
                }
            }
            PcapBlockOwned::NG(_) => {}
        }
        reader.consume(offset);
    }
}
