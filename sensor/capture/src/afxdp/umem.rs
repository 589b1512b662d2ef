//! Packet memory: chunks of equal size that go round between the kernel and us (`UMEM` in the kernel's
//! `Documentation/networking/af_xdp.rst`).
//!
//! A chunk is the kernel's from when it is laid into the fill ring until a descriptor in the receive ring names it. In between
//! nobody here touches it; afterwards only its queue does. Who may lay it back is decided by [`super::queue`].

use std::io;
use std::ptr::{self, NonNull};

use super::program;

/// Octets in a chunk: the smallest size there is, and enough for a frame of 1,514 octets behind what the kernel keeps free
/// before it. Longer ones take several.
pub(super) const CHUNK: usize = 2048;

/// What the program stores before a frame.
const METADATA: usize = program::METADATA as usize;

/// Memory for frames, made of chunks.
pub(super) struct Umem {
    memory: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory is mapped for the whole process and owned by this value alone; nothing in it is tied to a thread.
unsafe impl Send for Umem {}

impl Umem {
    pub(super) fn new(chunks: u32) -> io::Result<Self> {
        let length = CHUNK.checked_mul(chunks as usize).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a new private mapping at a place of the kernel's choice; nothing of ours lies there.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
                -1,
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { memory, length })
    }

    /// How the memory is told to the kernel.
    pub(super) fn registration(&self) -> libc::xdp_umem_reg {
        libc::xdp_umem_reg {
            addr: self.memory.as_ptr().expose_provenance() as u64,
            len: self.length as u64,
            chunk_size: CHUNK as u32,
            headroom: 0,
            flags: 0,
            tx_metadata_len: 0,
        }
    }

    /// The addresses of the chunks, as the rings name them: offsets from the start.
    pub(super) fn chunks(&self) -> impl Iterator<Item = u64> + use<> {
        (0..self.length as u64).step_by(CHUNK)
    }

    /// The piece that a descriptor names; `None` if it would not lie within one chunk.
    pub(super) fn piece(&self, descriptor: libc::xdp_desc) -> Option<Piece> {
        let start = usize::try_from(descriptor.addr).ok()?;
        let length = descriptor.len as usize;
        let chunk = start - start % CHUNK;
        let lies_within = chunk < self.length && length <= CHUNK - start % CHUNK;
        lies_within.then_some(Piece { start, length })
    }

    /// The octets of a piece.
    ///
    /// # Safety
    /// A descriptor named the piece, and its chunk is not laid into the fill ring while the octets are borrowed.
    pub(super) unsafe fn bytes(&self, piece: Piece) -> &[u8] {
        // SAFETY: pieces lie within the mapping, which lives as long as `self`; all of it was written (by the kernel when it
        // was mapped); and nobody writes to the chunk, as the caller says.
        unsafe { std::slice::from_raw_parts(self.memory.add(piece.start).as_ptr(), piece.length) }
    }

    /// Takes the time that the program stored before a frame, so that it is not there for the chunk's next one; 0 if there
    /// is none.
    ///
    /// # Safety
    /// A descriptor named the piece, its chunk is not in the fill ring, and no octets of the memory are borrowed.
    pub(super) unsafe fn take_time(&mut self, piece: Piece) -> u64 {
        if piece.start % CHUNK < METADATA {
            return 0;
        }
        // SAFETY: the octets lie within the piece's chunk, as just checked, and so within the mapping; the caller says that
        // nobody else uses them.
        unsafe {
            let time = self.memory.add(piece.start - METADATA).cast::<u64>();
            let taken = time.read_unaligned();
            time.write_unaligned(0);
            taken
        }
    }
}

impl Drop for Umem {
    fn drop(&mut self) {
        // SAFETY: this is the mapping made in `new`, with its length; no octets are borrowed, since that would borrow
        // `self`. A socket that still knows the memory holds the pages themselves.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.length) };
    }
}

/// A frame, or a part of one, within a chunk. Its bounds have been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    start: usize,
    length: usize,
}

impl Piece {
    pub(super) fn length(self) -> usize {
        self.length
    }

    /// The address of the chunk that it lies in.
    pub(super) fn chunk(self) -> u64 {
        (self.start - self.start % CHUNK) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(addr: u64, len: u32) -> libc::xdp_desc {
        libc::xdp_desc { addr, len, options: 0 }
    }

    #[test]
    fn a_piece_lies_within_one_chunk() {
        let memory = Umem::new(4).unwrap();
        assert_eq!(memory.chunks().collect::<Vec<_>>(), [0, 2048, 4096, 6144]);
        let piece = memory.piece(descriptor(2048 + 256, 1792)).unwrap();
        assert_eq!((piece.chunk(), piece.length()), (2048, 1792));
        for (addr, len) in [(2048 + 256, 1793), (8192, 0), (8191, 2), (u64::MAX, 1), (0, u32::MAX)] {
            assert_eq!(memory.piece(descriptor(addr, len)), None, "{addr} {len}");
        }
    }

    #[test]
    fn a_time_is_taken_once() {
        let mut memory = Umem::new(2).unwrap();
        let piece = memory.piece(descriptor(2048 + 256, 60)).unwrap();
        // SAFETY: the kernel knows nothing of this memory, and the place lies within it.
        unsafe { memory.memory.add(2048 + 248).cast::<u64>().write_unaligned(7) };
        // SAFETY: nothing is borrowed.
        let taken = unsafe { [memory.take_time(piece), memory.take_time(piece)] };
        assert_eq!(taken, [7, 0]);
        let at_the_start = memory.piece(descriptor(2048, 60)).unwrap();
        // SAFETY: as above.
        assert_eq!(unsafe { memory.take_time(at_the_start) }, 0, "there is no room for one before it");
    }
}
