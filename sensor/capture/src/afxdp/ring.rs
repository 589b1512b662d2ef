//! The two rings that a receiving socket shares with the kernel: one in which we lay free chunks, one in which it lays what
//! it has received.
//!
//! A ring is an array of a power of two of entries and two counters that only grow and wrap at 2^32: its producer's and its
//! consumer's. Each side writes its own counter with Release after it has written or read entries, and reads the other's with
//! Acquire before.

use std::io;
use std::marker::PhantomData;
use std::mem::{align_of, size_of};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

use libc::xdp_ring_offset;

/// A ring's memory.
struct Shared<T> {
    memory: NonNull<u8>,
    length: usize,
    offsets: xdp_ring_offset,
    mask: u32,
    entries: PhantomData<T>,
}

// SAFETY: the memory is mapped for the whole process and owned by this value alone; nothing in it is tied to a thread.
unsafe impl<T: Send> Send for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// Maps the ring of a socket that was set up with as many entries, a power of two, and lies at `place` of its pages.
    fn map(
        socket: BorrowedFd<'_>,
        offsets: xdp_ring_offset,
        entries: u32,
        place: libc::off_t,
    ) -> io::Result<Self> {
        let end = u64::from(entries).checked_mul(size_of::<T>() as u64);
        let length =
            end.and_then(|length| length.checked_add(offsets.desc)).ok_or(io::ErrorKind::InvalidData)?;
        let counters = [offsets.producer, offsets.consumer, offsets.flags];
        let is_sound = entries.is_power_of_two()
            && counters.iter().all(|&offset| offset.is_multiple_of(4) && offset.saturating_add(4) <= length)
            && offsets.desc.is_multiple_of(align_of::<T>() as u64);
        if !is_sound {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::InvalidData)?;
        // SAFETY: a new shared mapping at a place of the kernel's choice; nothing of ours lies there.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_POPULATE,
                socket.as_raw_fd(),
                place,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { memory, length, offsets, mask: entries - 1, entries: PhantomData })
    }

    fn word(&self, offset: u64) -> &AtomicU32 {
        // SAFETY: only the offsets that `map` has checked are passed: they lie within the mapping, which lives as long as
        // `self`, and are aligned. The kernel and we access these words atomically only.
        unsafe { AtomicU32::from_ptr(self.memory.add(offset as usize).as_ptr().cast()) }
    }

    fn producer(&self) -> &AtomicU32 {
        self.word(self.offsets.producer)
    }

    fn consumer(&self) -> &AtomicU32 {
        self.word(self.offsets.consumer)
    }

    /// Where the entry with this count lies, whatever round of the ring it is in.
    fn entry(&self, count: u32) -> NonNull<T> {
        let place = self.offsets.desc as usize + (count & self.mask) as usize * size_of::<T>();
        // SAFETY: the mask keeps it among the entries, all of which lie within the mapping, as `map` has calculated.
        unsafe { self.memory.add(place).cast() }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: this is the mapping made in `map`, with its length; nothing borrows from it, since that borrows `self`.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.length) };
    }
}

/// What the kernel has received, in order.
pub(super) struct ReceiveRing {
    shared: Shared<libc::xdp_desc>,
    /// Entries that were taken.
    taken: u32,
    /// Entries that were there when the kernel's counter was last looked at.
    seen: u32,
}

impl ReceiveRing {
    pub(super) fn map(socket: BorrowedFd<'_>, offsets: xdp_ring_offset, entries: u32) -> io::Result<Self> {
        let shared = Shared::map(socket, offsets, entries, libc::XDP_PGOFF_RX_RING)?;
        Ok(Self { shared, taken: 0, seen: 0 })
    }

    /// Looks whether there is more; how many entries there are to take now.
    pub(super) fn refresh(&mut self) -> u32 {
        // Acquire: what the kernel wrote before it counted on is seen after this.
        self.seen = self.shared.producer().load(Ordering::Acquire);
        self.seen.wrapping_sub(self.taken)
    }

    /// The next entry among those that were seen.
    pub(super) fn take(&mut self) -> Option<libc::xdp_desc> {
        if self.taken == self.seen {
            return None;
        }
        // SAFETY: the kernel has written this entry, and does not do so again before it is released.
        let descriptor = unsafe { self.shared.entry(self.taken).read() };
        self.taken = self.taken.wrapping_add(1);
        Some(descriptor)
    }

    /// Gives the entries that were taken back to the kernel.
    pub(super) fn release(&mut self) {
        // Release: they were read before the kernel may write them again.
        self.shared.consumer().store(self.taken, Ordering::Release);
    }
}

/// Chunks that the kernel may receive into.
pub(super) struct FillRing {
    shared: Shared<u64>,
    laid: u32,
}

impl FillRing {
    pub(super) fn map(socket: BorrowedFd<'_>, offsets: xdp_ring_offset, entries: u32) -> io::Result<Self> {
        let shared = Shared::map(socket, offsets, entries, libc::XDP_UMEM_PGOFF_FILL_RING.cast_signed())?;
        Ok(Self { shared, laid: 0 })
    }

    /// Lays a chunk into the ring; the kernel sees it after the next [`FillRing::publish`].
    ///
    /// # Safety
    /// The kernel writes to the chunk from then on: nothing may borrow from it until a descriptor names it. The ring must have
    /// at least as many entries as there are chunks, and a chunk that was laid may be laid again only after a descriptor has
    /// named it: then there is always room.
    pub(super) unsafe fn lay(&mut self, chunk: u64) {
        // SAFETY: the entry lies within the ring, and the kernel has read what was there, as demanded above; it does not
        // read it again before it is published.
        unsafe { self.shared.entry(self.laid).write(chunk) };
        self.laid = self.laid.wrapping_add(1);
    }

    pub(super) fn publish(&mut self) {
        // Release: the entries are written, and our reads of the chunks done, before the kernel may take them.
        self.shared.producer().store(self.laid, Ordering::Release);
    }

    /// Whether the kernel wants to be told of new chunks by a system call.
    pub(super) fn needs_wakeup(&self) -> bool {
        let flags = self.shared.word(self.shared.offsets.flags).load(Ordering::Relaxed);
        flags & libc::XDP_RING_NEED_WAKEUP != 0
    }
}
