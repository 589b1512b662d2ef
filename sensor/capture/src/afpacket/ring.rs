//! The ring of a packet socket: memory that the kernel fills with frames, block by block (`TPACKET_V3`).
//!
//! A block belongs either to the kernel or to us, as its status word says. While it is ours the kernel leaves it alone,
//! so frames may be lent out of it; storing 0 in the status word gives it back, frames and all. What keeps that sound is
//! the borrow: [`Ring::frames`] lends with `&self`, and only [`Ring::advance`], which takes `&mut self`, gives blocks back.
//! The layout is that of `linux/if_packet.h` and the kernel's `Documentation/networking/packet_mmap.rst`.

use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{tpacket_block_desc, tpacket_hdr_v1, tpacket3_hdr};

use crate::{MOST_FRAMES, VlanTag};

/// Bytes in a block. The longest frame, a segmented one of 64 KiB put together, fits many times.
pub(super) const BLOCK: usize = 1 << 20;

/// The protocol identifier of a customer's VLAN tag (IEEE 802.1Q).
const CUSTOMER_TAG: u16 = libc::ETH_P_8021Q as u16;

const HEADER_V1: usize = offset_of!(tpacket_block_desc, hdr);
const STATUS: usize = HEADER_V1 + offset_of!(tpacket_hdr_v1, block_status);
const COUNT: usize = HEADER_V1 + offset_of!(tpacket_hdr_v1, num_pkts);
const FIRST: usize = HEADER_V1 + offset_of!(tpacket_hdr_v1, offset_to_first_pkt);

/// The mapped ring of one packet socket.
pub(super) struct Ring {
    memory: NonNull<u8>,
    blocks: usize,
    /// The block that is being read, or waited for.
    block: usize,
    /// What is left of that block, if it is ours.
    rest: Option<Rest>,
    /// The frames to be lent; they lie in that block.
    lent: Vec<Place>,
    malformed: u64,
}

#[derive(Clone, Copy)]
struct Rest {
    /// Where the next frame's header begins in the block.
    header: usize,
    frames: u32,
}

/// A frame within the current block. Its bounds have been checked.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    length: usize,
    wire_length: u32,
    seconds: u32,
    nanoseconds: u32,
    vlan: Option<VlanTag>,
}

/// A frame as it lies in the ring.
pub(super) struct RingFrame<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes on the wire, without the tag that the kernel took out.
    pub(super) wire_length: u32,
    pub(super) seconds: u32,
    pub(super) nanoseconds: u32,
    pub(super) vlan: Option<VlanTag>,
}

// SAFETY: the memory is mapped for the whole process and owned by this value alone; nothing in it is tied to a thread.
unsafe impl Send for Ring {}

impl Ring {
    /// Maps the ring that was set up on a socket with as many blocks of [`BLOCK`] bytes.
    pub(super) fn map(socket: BorrowedFd<'_>, blocks: usize) -> io::Result<Self> {
        let length = BLOCK.checked_mul(blocks).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a new shared mapping at a place of the kernel's choice; nothing of ours lies there.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                socket.as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { memory, blocks, block: 0, rest: None, lent: Vec::new(), malformed: 0 })
    }

    /// Goes on to the next frames, of one block; `false` if the kernel has none ready. A block that has been read goes back to
    /// the kernel.
    pub(super) fn advance(&mut self) -> bool {
        self.lent.clear();
        while self.lent.is_empty() {
            let Some(rest) = self.rest else {
                if !self.is_ours() {
                    return false;
                }
                self.rest = Some(Rest { header: self.field(FIRST) as usize, frames: self.field(COUNT) });
                continue;
            };
            if rest.frames == 0 {
                self.give_back();
                continue;
            }
            self.take(rest);
        }
        true
    }

    /// Takes the next frames of the current block, which must be ours.
    fn take(&mut self, mut rest: Rest) {
        while rest.frames > 0 && self.lent.len() < MOST_FRAMES {
            if let Some((place, step)) = self.place(rest.header) {
                self.lent.push(place);
                rest = Rest { header: rest.header.saturating_add(step), frames: rest.frames - 1 };
            } else {
                // Not seen from any kernel; without a sound header there is no way to the frames behind it either.
                self.malformed += u64::from(rest.frames);
                rest.frames = 0;
            }
        }
        self.rest = Some(rest);
    }

    /// The frames that [`Ring::advance`] went to.
    pub(super) fn frames(&self) -> impl Iterator<Item = RingFrame<'_>> {
        self.lent.iter().map(|&Place { start, length, wire_length, seconds, nanoseconds, vlan }| {
            // SAFETY: `lent` holds places only while the block is ours, ranges that `place` checked to be within the block, and
            // is emptied before the block is given back. Giving it back takes `&mut self`, so it outlives this borrow.
            let bytes = unsafe { std::slice::from_raw_parts(self.at(start).as_ptr(), length) };
            RingFrame { bytes, wire_length, seconds, nanoseconds, vlan }
        })
    }

    /// Frames left out since their headers made no sense.
    pub(super) fn malformed(&self) -> u64 {
        self.malformed
    }

    /// A place in the current block. The offset must not exceed [`BLOCK`].
    fn at(&self, offset: usize) -> NonNull<u8> {
        debug_assert!(offset <= BLOCK, "within the block");
        // SAFETY: `block` is less than `blocks` and the offset at most the size of a block (every caller passes a
        // constant or a checked range), so this stays within the mapping or one past its end.
        unsafe { self.memory.add(self.block * BLOCK + offset) }
    }

    fn status(&self) -> &AtomicU32 {
        // SAFETY: the status word lies in the mapping, which lives as long as `self`; it is aligned, since blocks begin on
        // pages and `STATUS` is a multiple of 4; the kernel and we access it atomically only.
        unsafe { AtomicU32::from_ptr(self.at(STATUS).as_ptr().cast()) }
    }

    fn is_ours(&self) -> bool {
        // Acquire: what the kernel wrote into the block before it set the status is seen after this.
        self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    fn give_back(&mut self) {
        self.lent.clear();
        self.rest = None;
        // Release: our reads of the block are done before the kernel may write to it.
        self.status().store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.block = (self.block + 1) % self.blocks;
    }

    /// A 32-bit field of the header of the current block, which must be ours.
    fn field(&self, offset: usize) -> u32 {
        // SAFETY: the offsets passed are constants within the block's header; an unaligned read has no other demand.
        unsafe { self.at(offset).cast::<u32>().read_unaligned() }
    }

    /// The frame whose header is at an offset of the current block, which must be ours, and how far it is from there to
    /// the next header; `None` if header or frame would not lie within the block.
    fn place(&self, offset: usize) -> Option<(Place, usize)> {
        if offset.checked_add(size_of::<tpacket3_hdr>())? > BLOCK {
            return None;
        }
        // SAFETY: the header lies within the block, as just checked, and consists of integers, for which any bytes will do.
        let header = unsafe { self.at(offset).cast::<tpacket3_hdr>().read_unaligned() };
        let start = offset.checked_add(usize::from(header.tp_mac))?;
        let length = header.tp_snaplen as usize;
        if start.checked_add(length)? > BLOCK {
            return None;
        }
        let place = Place {
            start,
            length,
            wire_length: header.tp_len,
            seconds: header.tp_sec,
            nanoseconds: header.tp_nsec,
            vlan: stripped_tag(&header),
        };
        Some((place, header.tp_next_offset as usize))
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this is the mapping made in `map`, with its length; no frame is on loan, since that would borrow `self`.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.blocks * BLOCK) };
    }
}

/// The VLAN tag that the kernel took out of a frame.
fn stripped_tag(header: &tpacket3_hdr) -> Option<VlanTag> {
    let has = |flag| header.tp_status & flag != 0;
    // Kernels before 3.14 knew customer tags only and told no protocol.
    let protocol = if has(libc::TP_STATUS_VLAN_TPID_VALID) { header.hv1.tp_vlan_tpid } else { CUSTOMER_TAG };
    // The tag's 16 bits stand in a word of 32.
    has(libc::TP_STATUS_VLAN_VALID).then_some(VlanTag { protocol, control: header.hv1.tp_vlan_tci as u16 })
}
