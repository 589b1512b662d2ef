//! The pcapng format (draft-ietf-opsawg-pcapng): sections of blocks, some of which describe interfaces and some of
//! which hold a packet. Numbers of sections below are those of the draft.

use pcap_parser::pcapng::{
    Block, EPB_MAGIC, IDB_MAGIC, InterfaceDescriptionBlock, OptionCode, SHB_MAGIC, SPB_MAGIC, parse_block_be,
    parse_block_le,
};
use pcap_parser::traits::PcapNGPacketBlock;

use super::record::{ByteOrder, Fault, LONGEST_PACKET, Next, Record};
use super::window::Window;
use crate::LinkType;

/// Type, total length and, at the block's end, the total length again (3.1).
const SMALLEST_BLOCK: usize = 12;
/// The Packet Block, obsolete since 2004 but still found (appendix A).
const PACKET_BLOCK: u32 = 2;
/// Interfaces described in one section. Captures have a handful; the bound keeps a damaged file from filling memory.
const MOST_INTERFACES: usize = 4096;

/// A pcapng file, read up to its first section header.
pub(super) struct PcapNg {
    order: ByteOrder,
    /// The interfaces of the section, in the order of their description; `None` for one that could not be read.
    interfaces: Vec<Option<Interface>>,
}

/// What of an interface description is needed to read the interface's packets (4.2).
struct Interface {
    link: LinkType,
    /// Bytes captured of a packet at most, 0 for all.
    snapshot: usize,
    clock: Clock,
}

impl PcapNg {
    /// Whether the first four bytes of a file are those of a pcapng file. They read the same in both byte orders.
    pub(super) fn recognizes(magic: &[u8]) -> bool {
        magic == SHB_MAGIC.to_le_bytes()
    }

    pub(super) fn open() -> Self {
        Self { order: ByteOrder::Little, interfaces: Vec::new() } // both told by the section header
    }

    /// Whether a packet's block is next, and is in memory whole. Blocks of other kinds are passed, which may take reading.
    pub(super) fn is_in_memory(&self, window: &Window) -> bool {
        let bytes = window.bytes();
        bytes.len() >= SMALLEST_BLOCK
            && matches!(self.order.u32(bytes, 0), EPB_MAGIC | SPB_MAGIC | PACKET_BLOCK)
            && bytes.len() >= self.order.u32(bytes, 4) as usize
    }

    pub(super) fn next(&mut self, window: &mut Window) -> Result<Next, Fault> {
        loop {
            if !window.fill(SMALLEST_BLOCK)? {
                return Ok(if window.at_end() { Next::End } else { Next::Cut });
            }
            let kind = self.order.u32(window.bytes(), 0);
            if kind == SHB_MAGIC {
                self.order = section_order(window)?;
            }
            let length = self.order.u32(window.bytes(), 4);
            if (length as usize) < SMALLEST_BLOCK || !length.is_multiple_of(4) {
                return Err(Fault::here(window, format!("a block of type {kind:#x} with {length} bytes")));
            }
            let within_reach = match kind {
                SHB_MAGIC | IDB_MAGIC | EPB_MAGIC | SPB_MAGIC | PACKET_BLOCK => {
                    self.load(window, kind, length)?
                }
                _ => self.pass(window, kind, length)?,
            };
            if !within_reach {
                return Ok(Next::Cut);
            }
            let size = length as usize;
            match kind {
                SHB_MAGIC => self.start_section(window, size)?,
                IDB_MAGIC => self.add_interface(window, size)?,
                EPB_MAGIC | SPB_MAGIC | PACKET_BLOCK => {
                    let block = window.bytes().get(..size).unwrap_or_default();
                    return Ok(self.packet(block).map_or(Next::Malformed(size), Next::Record));
                }
                _ => {} // passed
            }
        }
    }

    /// Brings a block that is needed into memory, whole; `false` if the file ends before.
    fn load(&self, window: &mut Window, kind: u32, length: u32) -> Result<bool, Fault> {
        let size = length as usize;
        if size > Window::LIMIT {
            return Err(Fault::here(
                window,
                format!("a block of type {kind:#x} with {length} bytes, more than can be"),
            ));
        }
        if !window.fill(size)? {
            return Ok(false);
        }
        same_length(window.offset(), kind, length, self.order.u32(window.bytes(), size - 4))?;
        Ok(true)
    }

    /// Passes a block that is not needed (statistics, names, secrets), without holding it in memory.
    fn pass(&self, window: &mut Window, kind: u32, length: u32) -> Result<bool, Fault> {
        let begin = window.offset();
        if !window.skip(u64::from(length) - 4)? || !window.fill(4)? {
            return Ok(false);
        }
        same_length(begin, kind, length, self.order.u32(window.bytes(), 0))?;
        Ok(window.skip(4)?)
    }

    /// A new section: interfaces are counted anew (4.1).
    fn start_section(&mut self, window: &mut Window, size: usize) -> Result<(), Fault> {
        let major = self.order.u16(window.bytes(), 12);
        if major != 1 {
            return Err(Fault::here(window, format!("pcapng version {major}; only version 1 can be read")));
        }
        self.interfaces.clear();
        window.skip(size as u64)?;
        Ok(())
    }

    fn add_interface(&mut self, window: &mut Window, size: usize) -> Result<(), Fault> {
        if self.interfaces.len() >= MOST_INTERFACES {
            return Err(Fault::here(
                window,
                format!("more than {MOST_INTERFACES} interfaces in one section"),
            ));
        }
        let block = window.bytes().get(..size).unwrap_or_default();
        self.interfaces.push(match self.parse(block) {
            Some(Block::InterfaceDescription(description)) => Some(Interface {
                link: LinkType::from(description.linktype.0.cast_unsigned() as u16), // 16 bits in the file
                snapshot: description.snaplen as usize,
                clock: Clock::of(&description, self.order),
            }),
            _ => None,
        });
        window.skip(size as u64)?;
        Ok(())
    }

    fn parse<'a>(&self, block: &'a [u8]) -> Option<Block<'a>> {
        let parsed = match self.order {
            ByteOrder::Little => parse_block_le(block),
            ByteOrder::Big => parse_block_be(block),
        };
        parsed.ok().map(|(_, block)| block)
    }

    /// The packet in a block, if the block is sound and its interface is known.
    fn packet(&self, block: &[u8]) -> Option<Record> {
        let interface = |index: usize| self.interfaces.get(index).and_then(Option::as_ref);
        let record = match self.parse(block)? {
            // 4.3
            Block::EnhancedPacket(packet) => {
                let interface = interface(packet.if_id as usize)?;
                Record {
                    time: interface.clock.time(packet.ts_high, packet.ts_low),
                    wire_length: packet.origlen.max(packet.caplen),
                    link: interface.link,
                    start: 28,
                    length: packet.packet_data().len(),
                    size: block.len(),
                }
            }
            // 4.4: no time; the first interface; the captured length follows from the interface's snapshot length.
            Block::SimplePacket(packet) => {
                let interface = interface(0)?;
                let snapshot = if interface.snapshot == 0 { usize::MAX } else { interface.snapshot };
                Record {
                    time: None,
                    wire_length: packet.origlen,
                    link: interface.link,
                    start: 12,
                    length: packet.packet_data().len().min(snapshot),
                    size: block.len(),
                }
            }
            // Appendix A: as the enhanced one, but for an interface number of 16 bits and a count of drops beside it.
            Block::Unknown(_) if block.len() >= 32 => {
                let interface = interface(usize::from(self.order.u16(block, 8)))?;
                let captured = self.order.u32(block, 20);
                if captured as usize > block.len() - 32 {
                    return None;
                }
                Record {
                    time: interface.clock.time(self.order.u32(block, 12), self.order.u32(block, 16)),
                    wire_length: self.order.u32(block, 24).max(captured),
                    link: interface.link,
                    start: 28,
                    length: captured as usize,
                    size: block.len(),
                }
            }
            _ => return None,
        };
        (record.length <= LONGEST_PACKET).then_some(record)
    }
}

/// The byte order that a section header tells (4.1).
fn section_order(window: &Window) -> Result<ByteOrder, Fault> {
    match window.bytes().get(8..12) {
        Some([0x4d, 0x3c, 0x2b, 0x1a]) => Ok(ByteOrder::Little),
        Some([0x1a, 0x2b, 0x3c, 0x4d]) => Ok(ByteOrder::Big),
        _ => Err(Fault::here(window, "a section header without the byte-order magic")),
    }
}

/// The length that a block tells at its end is the one it tells at its begin (3.1).
fn same_length(offset: u64, kind: u32, length: u32, again: u32) -> Result<(), Fault> {
    if length == again {
        return Ok(());
    }
    let reason = format!("a block of type {kind:#x} with {length} bytes at its begin and {again} at its end");
    Err(Fault::Format { offset, reason })
}

/// How an interface counts time (4.2, options `if_tsresol` and `if_tsoffset`).
struct Clock {
    /// Units in a second; `None` if that number is beyond any use.
    per_second: Option<u128>,
    /// Seconds to add.
    offset: i64,
}

impl Clock {
    const MICROSECONDS: u8 = 6;

    /// Read from the raw options: pcap-parser knows no binary resolutions and takes the offset for little endian.
    fn of(description: &InterfaceDescriptionBlock<'_>, order: ByteOrder) -> Self {
        let option = |code| {
            let option = description.options.iter().find(|option| option.code == code)?;
            option.as_bytes().ok()
        };
        let resolution = option(OptionCode::IfTsresol)
            .and_then(|value| value.first().copied())
            .unwrap_or(Self::MICROSECONDS);
        let exponent = u32::from(resolution & 0x7f);
        let per_second =
            if resolution & 0x80 == 0 { 10_u128.checked_pow(exponent) } else { Some(1 << exponent) };
        let offset = option(OptionCode::IfTsoffset).and_then(|value| <[u8; 8]>::try_from(value).ok());
        let offset = offset.map_or(0, |value| match order {
            ByteOrder::Little => i64::from_le_bytes(value),
            ByteOrder::Big => i64::from_be_bytes(value),
        });
        Self { per_second, offset }
    }

    /// Nanoseconds since the epoch, if they are after it and before the year 2554.
    fn time(&self, high: u32, low: u32) -> Option<u64> {
        let units = u128::from(high) << 32 | u128::from(low);
        let nanoseconds = i128::try_from(units * 1_000_000_000 / self.per_second?).ok()?;
        u64::try_from(nanoseconds + i128::from(self.offset) * 1_000_000_000).ok()
    }
}
