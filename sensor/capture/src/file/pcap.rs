//! The pcap format (draft-ietf-opsawg-pcap): a file header, then records that are a header and a packet each.

use pcap_parser::nom;
use pcap_parser::{
    LegacyPcapBlock, PcapError, PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified,
    parse_pcap_header,
};

use super::record::{ByteOrder, Fault, LONGEST_PACKET, Next, Record};
use super::window::Window;
use crate::LinkType;

const FILE_HEADER: usize = 24;

type ParseRecord = fn(&[u8]) -> nom::IResult<&[u8], LegacyPcapBlock<'_>, PcapError<&[u8]>>;

/// A pcap file, read up to its first record.
pub(super) struct Pcap {
    order: ByteOrder,
    nanoseconds: bool,
    link: LinkType,
    record_header: usize,
    parse: ParseRecord,
}

impl Pcap {
    /// Whether the first four bytes of a file are those of a pcap file.
    pub(super) fn recognizes(magic: &[u8]) -> bool {
        matches!(
            magic,
            [0xd4, 0xc3, 0xb2, 0xa1] // little endian, microseconds
                | [0xa1, 0xb2, 0xc3, 0xd4] // big endian, microseconds
                | [0x4d, 0x3c, 0xb2, 0xa1] // little endian, nanoseconds
                | [0xa1, 0xb2, 0x3c, 0x4d] // big endian, nanoseconds
                | [0x34, 0xcd, 0xb2, 0xa1] // little endian, with the longer record header of patched libpcaps
        )
    }

    pub(super) fn open(window: &mut Window) -> Result<Self, Fault> {
        if !window.fill(FILE_HEADER)? {
            return Err(Fault::here(window, "the file ends within its header"));
        }
        let (_, header) = parse_pcap_header(window.bytes())
            .map_err(|_| Fault::here(window, "the file header cannot be read"))?;
        if header.version_major != 2 {
            let (major, minor) = (header.version_major, header.version_minor);
            return Err(Fault::here(
                window,
                format!("pcap version {major}.{minor}; only version 2 can be read"),
            ));
        }
        window.skip(FILE_HEADER as u64)?;
        Ok(Self::of(&header))
    }

    fn of(header: &PcapHeader) -> Self {
        let (order, parse, record_header): (_, ParseRecord, _) = if header.is_modified_format() {
            (ByteOrder::Little, parse_pcap_frame_modified, 24)
        } else if header.is_bigendian() {
            (ByteOrder::Big, parse_pcap_frame_be, 16)
        } else {
            (ByteOrder::Little, parse_pcap_frame, 16)
        };
        // The upper half of the field holds the length of a frame check sequence and other flags.
        let link = LinkType::from(header.network.0.cast_unsigned() as u16);
        Self { order, nanoseconds: header.is_nanosecond_precision(), link, record_header, parse }
    }

    /// Whether the next record is in memory whole.
    pub(super) fn is_in_memory(&self, window: &Window) -> bool {
        let bytes = window.bytes();
        let packet = bytes.len().checked_sub(self.record_header);
        packet.is_some_and(|packet| packet >= self.order.u32(bytes, 8) as usize)
    }

    pub(super) fn next(&self, window: &mut Window) -> Result<Next, Fault> {
        if !window.fill(self.record_header)? {
            return Ok(if window.at_end() { Next::End } else { Next::Cut });
        }
        // The length is judged before anything is read for it.
        let captured = self.order.u32(window.bytes(), 8) as usize;
        if captured > LONGEST_PACKET {
            return Err(Fault::here(
                window,
                format!("a packet of {captured} bytes, more than {LONGEST_PACKET}"),
            ));
        }
        let size = self.record_header + captured;
        if !window.fill(size)? {
            return Ok(Next::Cut);
        }
        let Ok((_, block)) = (self.parse)(window.bytes()) else {
            return Ok(Next::Malformed(size));
        };
        Ok(Next::Record(Record {
            time: self.time(block.ts_sec, block.ts_usec),
            // Some writers leave the original length at less than what they captured.
            wire_length: block.origlen.max(block.caplen),
            link: self.link,
            start: self.record_header,
            length: block.data.len(),
            size,
        }))
    }

    /// Seconds and the fraction of a second; a fraction of a second or more is no time.
    fn time(&self, seconds: u32, fraction: u32) -> Option<u64> {
        let nanoseconds = u64::from(fraction) * if self.nanoseconds { 1 } else { 1_000 };
        (nanoseconds < 1_000_000_000).then(|| u64::from(seconds) * 1_000_000_000 + nanoseconds)
    }

    pub(super) fn describe(&self) -> &'static str {
        match (self.order, self.nanoseconds) {
            (ByteOrder::Little, false) => "pcap, little endian, microseconds",
            (ByteOrder::Little, true) => "pcap, little endian, nanoseconds",
            (ByteOrder::Big, false) => "pcap, big endian, microseconds",
            (ByteOrder::Big, true) => "pcap, big endian, nanoseconds",
        }
    }
}
