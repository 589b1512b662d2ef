//! The Basic Encoding Rules (X.690) as far as SNMP uses them (RFC 3417, 8): tags of one octet, lengths that are said.
//!
//! Agents write lengths and numbers with more octets than they need, which is allowed. A count is never believed: an element
//! ends where its octets end.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `IpAddress` and `TimeTicks` (RFC 2578, 7.1).
pub(super) const IP_ADDRESS: u8 = 0x40;
pub(super) const TIME_TICKS: u8 = 0x43;

/// Elements one behind another; each is a tag and its contents. Ends at the first that does not fit.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    /// The contents of the next element, when it has this tag.
    pub(super) fn element(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, contents)| contents)
    }

    /// The next element, which is a number.
    pub(super) fn integer(&mut self) -> Option<i64> {
        self.element(INTEGER).and_then(integer)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, contents))
    }
}

/// A length, and what stands behind it (X.690, 8.1.3).
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let (octets, rest) = rest.split_at_checked(usize::from(*first & 0x7F))?;
    // No datagram is longer than a number of four octets says, and none at all is the indefinite form.
    let fits = (1..=4).contains(&octets.len());
    fits.then(|| (octets.iter().fold(0, |number, octet| number << 8 | usize::from(*octet)), rest))
}

/// A number with its sign (X.690, 8.3).
pub(super) fn integer(contents: &[u8]) -> Option<i64> {
    let first = contents.first().filter(|_| contents.len() <= 8)?;
    let sign = if *first < 0x80 { 0 } else { -1 };
    Some(contents.iter().fold(sign, |number, octet| number << 8 | i64::from(*octet)))
}

/// The numbers of an object identifier joined by dots (X.690, 8.19), at most as many as SNMP allows (RFC 2578, 3.5).
pub(super) fn object_identifier(contents: &[u8]) -> Option<String> {
    let mut arcs = Arcs(contents);
    let first = arcs.next()?;
    let top = (first / 40).min(2);
    let mut text = format!("{top}.{}", first - top * 40);
    for arc in arcs.by_ref().take(128) {
        text.push('.');
        text.push_str(&arc.to_string());
    }
    arcs.0.is_empty().then_some(text)
}

/// The numbers behind the first octet, in groups of seven bits. Ends at the first that does not fit 32 bits.
pub(super) struct Arcs<'a>(pub(super) &'a [u8]);

impl Iterator for Arcs<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let last = self.0.iter().position(|octet| *octet < 0x80)?;
        let (octets, rest) = self.0.split_at_checked(last + 1)?;
        let arc = octets
            .iter()
            .try_fold(0_u32, |arc, octet| (arc < 1 << 25).then_some(arc << 7 | u32::from(*octet & 0x7F)))?;
        self.0 = rest;
        Some(arc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_may_be_longer_than_they_need() {
        for bytes in
            [&[0x02, 1, 7][..], &[0x02, 0x81, 1, 7], &[0x02, 0x82, 0, 1, 7], &[2, 0x84, 0, 0, 0, 1, 7]]
        {
            let mut elements = Elements(bytes);
            assert_eq!(elements.integer(), Some(7));
            assert!(elements.is_empty());
        }
    }

    #[test]
    fn lengths_beyond_the_end_and_indefinite_ones_end_the_elements() {
        for bytes in
            [&[0x04, 2, 7][..], &[0x04, 0x80, 0, 0], &[0x04, 0x85, 0, 0, 0, 0, 1, 7], &[0x04, 0xFF], &[0x04]]
        {
            assert_eq!(Elements(bytes).next(), None, "{bytes:?}");
        }
    }

    #[test]
    fn numbers_have_a_sign() {
        assert_eq!(integer(&[0xFF]), Some(-1));
        assert_eq!(integer(&[0x00, 0xFF]), Some(255));
        assert_eq!(integer(&[0; 9]), None);
        assert_eq!(integer(&[]), None);
    }

    #[test]
    fn object_identifiers_are_numbers_joined_by_dots() {
        // 2.999.3 is the example of X.690, 8.19.5.
        assert_eq!(object_identifier(&[0x88, 0x37, 0x03]).as_deref(), Some("2.999.3"));
        assert_eq!(object_identifier(&[0x2B, 6, 1, 4, 1, 0x9F, 0x71]).as_deref(), Some("1.3.6.1.4.1.4081"));
        for cut in [&[][..], &[0x2B, 0x86], &[0x2B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]] {
            assert_eq!(object_identifier(cut), None, "{cut:?}");
        }
    }
}
