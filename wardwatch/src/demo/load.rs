//! A capture of many small flows, for measuring: a request and an answer over UDP for each, between clients and servers
//! of a private network. `wardwatch up --pcap` reads it as any other.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use wardwatch_capture::CaptureWriter;

/// Clients among which the flows are divided.
const CLIENTS: u32 = 200;

/// Packet time between two flows, in nanoseconds.
const STEP: u64 = 20_000;

/// Octets of UDP payload in each packet: nothing that any protocol begins with.
const PAYLOAD: [u8; 32] = [0xff; 32];

/// Writes a capture of `flows` flows; no two have the same addresses and ports.
pub(super) fn write(path: &Path, flows: u32) -> io::Result<()> {
    let mut out = CaptureWriter::ethernet(BufWriter::new(File::create(path)?))?;
    for flow in 0..flows {
        let (client, number) = (flow % CLIENTS, flow / CLIENTS);
        let client_end = ([10, 99, (client >> 8) as u8, client as u8], 20_000 + (number % 40_000) as u16);
        let server_end = ([10, 98, 0, (number / 40_000) as u8 + 1], 9_000);
        let at = 1_700_000_000_000_000_000 + u64::from(flow) * STEP;
        for (at, frame) in
            [(at, frame(client_end, server_end)), (at + STEP / 2, frame(server_end, client_end))]
        {
            out.frame(at, frame.len() as u32, &frame)?;
        }
    }
    out.finish()
}

/// An Ethernet frame with IPv4 and UDP (RFC 894, 791, 768).
fn frame(from: ([u8; 4], u16), to: ([u8; 4], u16)) -> Vec<u8> {
    let udp_length = 8 + PAYLOAD.len() as u16;
    let mut frame = [mac(to.0), mac(from.0)].concat();
    frame.extend([0x08, 0x00, 0x45, 0]);
    frame.extend((20 + udp_length).to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend([from.0, to.0].concat());
    for field in [from.1, to.1, udp_length, 0] {
        frame.extend(field.to_be_bytes());
    }
    frame.extend(PAYLOAD);
    frame
}

/// Locally administered, made of the address.
fn mac(ip: [u8; 4]) -> [u8; 6] {
    [0x02, 0, ip[0], ip[1], ip[2], ip[3]]
}
