//! One datagram and the fragments of it that have come.

use crate::packet::{self, Fragment, Ip, Mac, Malformed, Network, Packet, Transport, Tunnels, Vlans};

/// The most fragments kept of a datagram: 64 KiB in pieces of 64 bytes. Real links make 45 or fewer.
const MOST_PIECES: usize = 1024;
/// The largest payload fragments can describe.
const LARGEST_PAYLOAD: u32 = 65_535;
/// Charged for a piece beside its bytes.
const PIECE_OVERHEAD: usize = size_of::<Piece>();

/// A run of bytes that does not overlap its neighbours.
#[derive(Debug)]
struct Piece {
    offset: u32,
    /// Length by the headers.
    length: u32,
    /// The bytes, fewer than `length` where a snap length cut them.
    bytes: Box<[u8]>,
}

impl Piece {
    const fn end(&self) -> u32 {
        self.offset + self.length
    }
}

/// What adding a fragment came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    Clean,
    Overlap,
    Invalid,
}

/// A datagram joined from fragments, or the part of one that has come.
#[derive(Debug)]
pub struct Datagram {
    ip: Ip,
    source_mac: Option<Mac>,
    destination_mac: Option<Mac>,
    vlans: Vlans,
    tunnels: Tunnels,
    ethertype: u16,
    frames: u32,
    frame_length: u32,
    ip_length: u32,
    /// In order of their offsets.
    pieces: Vec<Piece>,
    kept: usize,
    /// Bytes by the headers in `pieces`.
    covered: u32,
    /// Where the payload ends, once the last fragment has come.
    end: Option<u32>,
    /// The joined payload, up to the first byte that was not captured.
    payload: Vec<u8>,
    pub(super) first_at: u64,
    pub(super) serial: u64,
}

impl Datagram {
    pub(super) fn new(packet: &Packet<'_>, ip: Ip, first_at: u64, serial: u64) -> Self {
        Self {
            ip,
            source_mac: packet.source_mac,
            destination_mac: packet.destination_mac,
            vlans: packet.vlans,
            tunnels: packet.tunnels,
            ethertype: packet.ethertype,
            frames: 0,
            frame_length: 0,
            ip_length: 0,
            pieces: Vec::new(),
            kept: 0,
            covered: 0,
            end: None,
            payload: Vec::new(),
            first_at,
            serial,
        }
    }

    /// Whether all bytes have come, by the headers.
    pub fn is_complete(&self) -> bool {
        self.end.is_some_and(|end| end == self.covered)
    }

    /// Time of the first fragment, in nanoseconds since the Unix epoch.
    pub const fn first_at(&self) -> u64 {
        self.first_at
    }

    /// How many fragments have come, those that were refused included.
    pub const fn frames(&self) -> u32 {
        self.frames
    }

    /// The datagram as one packet: `frames`, `frame_length` and `ip_length` are sums over its fragments.
    ///
    /// Of a datagram that is not complete, the packet has no payload. If the first fragment is missing too, its
    /// transport is [`Transport::Fragment`].
    ///
    /// # Errors
    /// The joined bytes do not begin with a transport header that can be read; count the frames by reason.
    pub fn packet(&self) -> Result<Packet<'_>, Malformed> {
        let mut packet = Packet {
            source_mac: self.source_mac,
            destination_mac: self.destination_mac,
            vlans: self.vlans,
            tunnels: self.tunnels,
            ethertype: self.ethertype,
            network: Network::Ip(Ip { fragment: None, ..self.ip }),
            transport: Transport::Fragment,
            payload: &[],
            transport_checksum: 0,
            frames: self.frames,
            frame_length: self.frame_length,
            ip_length: self.ip_length,
            payload_length: 0,
        };
        if self.is_complete() {
            packet::joined(&mut packet, &self.payload, self.covered)?;
        } else if let Some(first) = self.pieces.first().filter(|piece| piece.offset == 0) {
            // Ports are in the first fragment, if it is long enough.
            let _ = packet::joined(&mut packet, &first.bytes, self.covered);
            packet.payload = &[];
        }
        Ok(packet)
    }

    /// Drops all bytes but those of the transport header, if they have come.
    pub(super) fn forget_payload(&mut self) {
        const HEADERS: usize = 128;
        self.pieces.truncate(1);
        self.pieces.retain(|piece| piece.offset == 0);
        self.pieces.shrink_to_fit();
        for piece in &mut self.pieces {
            piece.bytes = piece.bytes.get(..HEADERS).unwrap_or(&piece.bytes).into();
        }
        self.end = None;
        self.kept = 0;
    }

    pub(super) const fn kept_bytes(&self) -> usize {
        self.kept
    }

    /// Adds a fragment; what it repeats is left out.
    pub(super) fn add(&mut self, packet: &Packet<'_>, ip: Ip, fragment: Fragment) -> Added {
        self.frames = self.frames.saturating_add(packet.frames);
        self.frame_length = self.frame_length.saturating_add(packet.frame_length);
        self.ip_length = self.ip_length.saturating_add(packet.ip_length);
        let Fragment { offset, more, length, .. } = fragment;
        let offset = u32::from(offset);
        // Where more fragments follow, the length is a multiple of 8; an odd rest is left out, as receivers do.
        let length = if more { length & !7 } else { length };
        let end = offset.saturating_add(length);
        let highest = self.pieces.last().map_or(0, Piece::end);
        let is_sound = length > 0
            && end <= LARGEST_PAYLOAD
            && self.end.is_none_or(|known| if more { end <= known } else { end == known })
            && (more || highest <= end)
            && self.pieces.len() < MOST_PIECES;
        if !is_sound {
            return Added::Invalid;
        }
        if offset == 0 {
            // In IPv6 the protocol of the first fragment counts (RFC 8200, section 4.5).
            self.ip = ip;
        }
        if !more {
            self.end = Some(end);
        }
        let added = self.cover(offset, end, packet.payload);
        if self.is_complete() {
            self.join();
        }
        added
    }

    /// Adds those bytes of `offset..end` that are not there yet.
    fn cover(&mut self, offset: u32, end: u32, bytes: &[u8]) -> Added {
        let mut added = Added::Clean;
        let mut from = offset;
        let mut place = self.pieces.partition_point(|piece| piece.end() <= offset);
        while from < end {
            let (gap_end, next_from) = match self.pieces.get(place) {
                Some(piece) if piece.offset < end => {
                    added = Added::Overlap;
                    (piece.offset, piece.end())
                }
                _ => (end, end),
            };
            if from < gap_end {
                let captured = bytes.get((from - offset) as usize..).unwrap_or_default();
                let captured = captured.get(..(gap_end - from) as usize).unwrap_or(captured);
                self.kept += captured.len() + PIECE_OVERHEAD;
                self.covered += gap_end - from;
                let piece = Piece { offset: from, length: gap_end - from, bytes: captured.into() };
                self.pieces.insert(place, piece);
                place += 1;
            }
            place += 1;
            from = next_from.max(from);
        }
        added
    }

    fn join(&mut self) {
        self.payload.reserve_exact(self.covered as usize);
        for piece in &self.pieces {
            self.payload.extend_from_slice(&piece.bytes);
            if piece.bytes.len() < piece.length as usize {
                break;
            }
        }
    }
}
