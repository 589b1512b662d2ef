//! The transport function (IEEE 1815, clause 8): one octet before each segment says whether it is the first, the last,
//! and its number.

/// Octets of the longest message that is put together.
const LONGEST: usize = 8 * 1024;

/// A message of which more segments are to come.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    source: u16,
    next: u8,
    partial: Vec<u8>,
}

impl Fragments {
    /// Takes up a segment; gives the message once it is whole.
    pub(super) fn take(&mut self, source: u16, segment: &[u8]) -> Option<Vec<u8>> {
        let (&control, data) = segment.split_first()?;
        let (is_last, is_first, number) = (control & 0x80 != 0, control & 0x40 != 0, control & 0x3F);
        let follows = !self.partial.is_empty() && (source, number) == (self.source, self.next);
        if is_first {
            self.partial.clear();
        } else if !follows || self.partial.len() + data.len() > LONGEST {
            self.forget();
            return None;
        }
        self.source = source;
        self.next = number.wrapping_add(1) & 0x3F;
        self.partial.extend_from_slice(data);
        is_last.then(|| std::mem::take(&mut self.partial))
    }

    /// Octets were lost.
    pub(super) fn forget(&mut self) {
        self.partial = Vec::new();
    }
}
