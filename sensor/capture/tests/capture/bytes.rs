//! Capture files made by hand, byte by byte as draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng define them.

/// A byte order to write in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) const BOTH: [Self; 2] = [Self::Little, Self::Big];

    pub(crate) fn u16(self, number: u16) -> [u8; 2] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    pub(crate) fn u32(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    fn i64(self, number: i64) -> [u8; 8] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }
}

pub(crate) const MICROSECONDS: u32 = 0xa1b2_c3d4;
pub(crate) const NANOSECONDS: u32 = 0xa1b2_3c4d;

/// The pcap file header: magic, version 2.4, two reserved fields, snapshot length, link type.
pub(crate) fn pcap_header(order: Order, magic: u32, link: u32) -> Vec<u8> {
    let mut header = order.u32(magic).to_vec();
    header.extend(order.u16(2));
    header.extend(order.u16(4));
    header.extend([0; 8]);
    header.extend(order.u32(262_144));
    header.extend(order.u32(link));
    header
}

/// A pcap record: time in seconds and a fraction, captured and original length, the packet.
pub(crate) fn pcap_record(
    order: Order,
    seconds: u32,
    fraction: u32,
    original: u32,
    packet: &[u8],
) -> Vec<u8> {
    let mut record = Vec::new();
    for field in [seconds, fraction, packet.len() as u32, original] {
        record.extend(order.u32(field));
    }
    record.extend(packet);
    record
}

/// A pcapng block: type, total length, body padded to 32 bits, total length.
pub(crate) fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let body = padded(body);
    let length = order.u32(body.len() as u32 + 12);
    [&order.u32(kind)[..], &length, &body, &length].concat()
}

/// A section header block, version 1.0, of unknown section length.
pub(crate) fn section(order: Order) -> Vec<u8> {
    block(
        order,
        0x0a0d_0d0a,
        &[&order.u32(0x1a2b_3c4d)[..], &order.u16(1), &order.u16(0), &[0xff; 8]].concat(),
    )
}

/// An interface description block: link type, reserved, snapshot length, options.
pub(crate) fn interface(order: Order, link: u16, snapshot: u32, options: &[u8]) -> Vec<u8> {
    block(order, 1, &[&order.u16(link)[..], &[0, 0], &order.u32(snapshot), options].concat())
}

/// The option that tells an interface's resolution of time.
pub(crate) fn if_tsresol(order: Order, resolution: u8) -> Vec<u8> {
    option(order, 9, &[resolution])
}

/// The option that tells the seconds to add to an interface's times.
pub(crate) fn if_tsoffset(order: Order, seconds: i64) -> Vec<u8> {
    option(order, 14, &order.i64(seconds))
}

/// An option: code, length, value padded to 32 bits.
pub(crate) fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    [&order.u16(code)[..], &order.u16(value.len() as u16), &padded(value)].concat()
}

/// An enhanced packet block: interface, time, captured and original length, the packet, options.
pub(crate) fn enhanced_packet(
    order: Order,
    interface: u32,
    time: u64,
    original: u32,
    packet: &[u8],
) -> Vec<u8> {
    let mut body = order.u32(interface).to_vec();
    body.extend(packet_fields(order, time, original, packet));
    body.extend(option(order, 1, b"a comment"));
    body.extend(option(order, 0, b""));
    block(order, 6, &body)
}

/// The obsolete packet block: as the enhanced one, with an interface of 16 bits and a count of drops.
pub(crate) fn obsolete_packet(
    order: Order,
    interface: u16,
    time: u64,
    original: u32,
    packet: &[u8],
) -> Vec<u8> {
    let mut body = [order.u16(interface), order.u16(0xffff)].concat();
    body.extend(packet_fields(order, time, original, packet));
    block(order, 2, &body)
}

/// A simple packet block: original length, the packet.
pub(crate) fn simple_packet(order: Order, original: u32, packet: &[u8]) -> Vec<u8> {
    block(order, 3, &[&order.u32(original)[..], packet].concat())
}

fn packet_fields(order: Order, time: u64, original: u32, packet: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    for field in [(time >> 32) as u32, time as u32, packet.len() as u32, original] {
        fields.extend(order.u32(field));
    }
    fields.extend(padded(packet));
    fields
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
