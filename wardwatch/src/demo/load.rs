//! A capture of many small flows, for measuring: a request and an answer over UDP for each, between clients and servers
//! of a private network. Written in the classic pcap format, which `wardwatch up --pcap` reads as any other.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Clients among which the flows are divided.
const CLIENTS: u32 = 200;

/// Packet time between two flows, in microseconds.
const STEP: u64 = 20;

/// Octets of UDP payload in each packet: nothing that any protocol begins with.
const PAYLOAD: [u8; 32] = [0xff; 32];

/// Writes a capture of `flows` flows; no two have the same addresses and ports.
pub(super) fn write(path: &Path, flows: u32) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    // Magic number, version 2.4, no time zone, snap length 65,535, link type Ethernet.
    for field in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        out.write_all(&field.to_le_bytes())?;
    }
    for flow in 0..flows {
        let (client, number) = (flow % CLIENTS, flow / CLIENTS);
        let client_end = ([10, 99, (client >> 8) as u8, client as u8], 20_000 + (number % 40_000) as u16);
        let server_end = ([10, 98, 0, (number / 40_000) as u8 + 1], 9_000);
        let at = 1_700_000_000_000_000 + u64::from(flow) * STEP;
        packet(&mut out, at, client_end, server_end)?;
        packet(&mut out, at + STEP / 2, server_end, client_end)?;
    }
    out.flush()
}

/// A record: time, lengths, and an Ethernet frame with IPv4 and UDP (RFC 894, 791, 768).
fn packet(out: &mut impl Write, at: u64, from: ([u8; 4], u16), to: ([u8; 4], u16)) -> io::Result<()> {
    let udp_length = 8 + PAYLOAD.len() as u16;
    let ip_length = 20 + udp_length;
    let frame_length = 14 + u32::from(ip_length);
    for field in [(at / 1_000_000) as u32, (at % 1_000_000) as u32, frame_length, frame_length] {
        out.write_all(&field.to_le_bytes())?;
    }
    out.write_all(&mac(to.0))?;
    out.write_all(&mac(from.0))?;
    out.write_all(&[0x08, 0x00, 0x45, 0])?;
    out.write_all(&ip_length.to_be_bytes())?;
    out.write_all(&[0, 0, 0, 0, 64, 17, 0, 0])?;
    out.write_all(&from.0)?;
    out.write_all(&to.0)?;
    for field in [from.1, to.1, udp_length, 0] {
        out.write_all(&field.to_be_bytes())?;
    }
    out.write_all(&PAYLOAD)
}

/// Locally administered, made of the address.
fn mac(ip: [u8; 4]) -> [u8; 6] {
    [0x02, 0, ip[0], ip[1], ip[2], ip[3]]
}
