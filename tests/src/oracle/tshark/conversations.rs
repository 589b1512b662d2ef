//! The conversations that Wireshark sees, frame by frame: what its conversation tables add up, with the streams that
//! it tells apart on TCP, and with fragments counted where they belong.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use anyhow::{Context, Result};

use super::super::conversation::{Conversation, Sent};
use super::Row;

/// A TCP stream, or all UDP datagrams between two ends.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Who talked to whom.
    pub conversation: Conversation,
    /// Time of its first frame, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// Frames and their bytes for each end, in the order of `conversation`.
    pub sent: [Sent; 2],
    /// Whether it was carried inside another conversation or tunnel.
    pub is_tunnelled: bool,
}

const FIELDS: [&str; 15] = [
    "frame.time_epoch",
    "frame.len",
    "frame.protocols",
    "ip.src",
    "ip.dst",
    "ip.id",
    "ip.frag_offset",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.fraghdr.ident",
    "ipv6.fraghdr.offset",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
];

/// All TCP and UDP conversations of a capture file, those inside tunnels too, in the order in which they began.
pub fn streams(capture: &Path) -> Result<Vec<Stream>> {
    // Fragments are left apart: reassembly would count a datagram's last frame only.
    let options = ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"];
    let names: Vec<&str> = FIELDS.into_iter().chain(["tcp.stream"]).collect();
    let table = super::fields(capture, &options, &names)?;
    let mut sum = Sum::default();
    for row in table.rows() {
        sum.frame(row)?;
    }
    let mut streams: Vec<Stream> = sum.streams.into_values().collect();
    streams.sort_by_key(|stream| stream.start);
    Ok(streams)
}

/// Adds up frames.
#[derive(Default)]
struct Sum {
    /// By conversation, and on TCP by Wireshark's number of the stream.
    streams: BTreeMap<(Conversation, Option<u64>), Stream>,
    /// Of datagrams whose first fragment was seen.
    fragmented: HashMap<Datagram, (Conversation, bool)>,
    /// Fragments that came before the first.
    early: HashMap<Datagram, Vec<(u64, u64)>>,
}

/// What the fragments of one datagram have in common.
type Datagram = (String, String, String);

impl Sum {
    fn frame(&mut self, row: Row<'_>) -> Result<()> {
        let at = nanoseconds(row.first("frame.time_epoch").unwrap_or_default())?;
        let bytes = row.first("frame.len").unwrap_or_default().parse().context("a frame's length")?;
        let (mut v4, mut v6) = (addresses(row, "ip"), addresses(row, "ipv6"));
        let (mut tcp, mut udp) = (ports(row, "tcp"), ports(row, "udp"));
        let mut streams = row.all("tcp.stream");
        let mut ends: Option<(&str, &str)> = None;
        let mut layers_of_ip = 0;
        let mut has_transport = false;
        for protocol in row.first("frame.protocols").unwrap_or_default().split(':') {
            let (transport, ports) = match protocol {
                "ip" | "ipv6" => {
                    ends = if protocol == "ip" { v4.next() } else { v6.next() };
                    layers_of_ip += 1;
                    continue;
                }
                "tcp" => ("tcp", tcp.next()),
                "udp" => ("udp", udp.next()),
                // What an error quotes is no traffic.
                "icmp" | "icmpv6" => break,
                _ => continue,
            };
            let stream = if transport == "tcp" { streams.next() } else { None };
            let (Some((source, destination)), Some((from, to))) = (ends, ports) else { continue };
            let end = |ip: &str, port: &str| -> Result<SocketAddr> {
                Ok(SocketAddr::new(ip.parse::<IpAddr>()?, port.parse()?))
            };
            let (source, destination) = (end(source, from)?, end(destination, to)?);
            let (conversation, is_ordered) = Conversation::between(transport, source, destination);
            let stream = stream.map(str::parse).transpose()?;
            let is_tunnelled = layers_of_ip > 1;
            self.count(&conversation, stream, is_ordered, at, bytes, is_tunnelled);
            if layers_of_ip == 1 {
                has_transport = true;
                if transport == "udp" {
                    self.first_fragment(row, &conversation, is_ordered);
                }
            }
        }
        if !has_transport {
            self.later_fragment(row, at, bytes);
        }
        Ok(())
    }

    fn count(
        &mut self,
        conversation: &Conversation,
        stream: Option<u64>,
        is_ordered: bool,
        at: u64,
        bytes: u64,
        is_tunnelled: bool,
    ) {
        let fresh = || Stream {
            conversation: conversation.clone(),
            start: at,
            sent: [Sent::default(); 2],
            is_tunnelled,
        };
        let stream = self.streams.entry((conversation.clone(), stream)).or_insert_with(fresh);
        stream.start = stream.start.min(at);
        stream.sent[usize::from(!is_ordered)] += Sent { packets: 1, bytes };
    }

    fn first_fragment(&mut self, row: Row<'_>, conversation: &Conversation, is_ordered: bool) {
        let Some(datagram) = datagram(row) else { return };
        for (at, bytes) in self.early.remove(&datagram).unwrap_or_default() {
            self.count(conversation, None, is_ordered, at, bytes, false);
        }
        self.fragmented.insert(datagram, (conversation.clone(), is_ordered));
    }

    fn later_fragment(&mut self, row: Row<'_>, at: u64, bytes: u64) {
        let is_later = |offset| row.first(offset).is_some_and(|offset| offset != "0");
        if !is_later("ip.frag_offset") && !is_later("ipv6.fraghdr.offset") {
            return;
        }
        let Some(datagram) = datagram(row) else { return };
        match self.fragmented.get(&datagram).cloned() {
            Some((conversation, is_ordered)) => {
                self.count(&conversation, None, is_ordered, at, bytes, false);
            }
            None => self.early.entry(datagram).or_default().push((at, bytes)),
        }
    }
}

fn datagram(row: Row<'_>) -> Option<Datagram> {
    let of = |source, destination, identification| {
        Some((row.first(source)?.into(), row.first(destination)?.into(), row.first(identification)?.into()))
    };
    of("ip.src", "ip.dst", "ip.id").or_else(|| of("ipv6.src", "ipv6.dst", "ipv6.fraghdr.ident"))
}

fn addresses<'a>(row: Row<'a>, layer: &str) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    row.all(&format!("{layer}.src")).zip(row.all(&format!("{layer}.dst")))
}

fn ports<'a>(row: Row<'a>, layer: &str) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    row.all(&format!("{layer}.srcport")).zip(row.all(&format!("{layer}.dstport")))
}

/// `1426519113.018546000`. Wireshark takes the seconds of a pcap file after January 2038 for those of a time before
/// 1970; the format has them unsigned.
fn nanoseconds(epoch: &str) -> Result<u64> {
    let (seconds, fraction) = epoch.split_once('.').unwrap_or((epoch, "0"));
    let seconds: i64 = seconds.parse().with_context(|| format!("read the time {epoch:?}"))?;
    let seconds = if seconds < 0 { seconds + (1 << 32) } else { seconds };
    let seconds = u64::try_from(seconds).with_context(|| format!("read the time {epoch:?}"))?;
    let fraction: u64 =
        format!("{fraction:0<9}").parse().with_context(|| format!("read the time {epoch:?}"))?;
    Ok(seconds * 1_000_000_000 + fraction)
}
