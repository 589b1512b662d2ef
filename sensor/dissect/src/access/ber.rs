//! Elements of ASN.1 in basic encoding (ITU-T X.690), as Kerberos and LDAP have them: tags of one octet, lengths that are
//! given. An element is a part of the bytes; nothing is copied or reserved, whatever a length says.

/// Universal tags.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const ENUMERATED: u8 = 0x0A;
pub(super) const GENERAL_STRING: u8 = 0x1B;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// One element, its content being as much of it as has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) tag: u8,
    /// Octets of tag and length.
    pub(super) octets: usize,
    /// Octets of content.
    pub(super) content: usize,
}

impl Header {
    /// Tag, length and content.
    pub(super) fn whole(self) -> usize {
        self.octets.saturating_add(self.content)
    }
}

/// An answer that may have to wait for more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun<T> {
    Is(T),
    Partial,
    Not,
}

/// Tag and length at the beginning of these bytes.
pub(super) fn header(bytes: &[u8]) -> Begun<Header> {
    let (tag, length, rest) = match bytes {
        [tag, length, rest @ ..] => (*tag, *length, rest),
        _ => return Begun::Partial,
    };
    if tag & 0x1F == 0x1F {
        return Begun::Not;
    }
    if length < 0x80 {
        return Begun::Is(Header { tag, octets: 2, content: usize::from(length) });
    }
    let count = usize::from(length & 0x7F);
    if !(1..=4).contains(&count) {
        return Begun::Not;
    }
    match rest.get(..count) {
        Some(octets) => {
            let content = octets.iter().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet));
            Begun::Is(Header { tag, octets: 2 + count, content })
        }
        None => Begun::Partial,
    }
}

/// The first element's tag and content, and what follows; `None` when it is not whole.
pub(super) fn first(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let Begun::Is(header) = header(bytes) else { return None };
    let content = bytes.get(header.octets..header.whole())?;
    Some((header.tag, content, bytes.get(header.whole()..)?))
}

/// The elements one behind the other, as far as they can be read.
pub(super) fn elements(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, content, rest) = first(bytes)?;
        bytes = rest;
        Some((tag, content))
    })
}

/// The content of the first element with this tag.
pub(super) fn element(bytes: &[u8], wanted: u8) -> Option<&[u8]> {
    elements(bytes).find(|(tag, _)| *tag == wanted).map(|(_, content)| content)
}

/// The content of an element of this tag at the very beginning.
pub(super) fn leading(bytes: &[u8], wanted: u8) -> Option<&[u8]> {
    first(bytes).filter(|(tag, ..)| *tag == wanted).map(|(_, content, _)| content)
}

/// A number in two's complement, of eight octets at most.
pub(super) fn integer(content: &[u8]) -> Option<i64> {
    let sign = content.first().map(|first| if first & 0x80 == 0 { 0 } else { -1 })?;
    (content.len() <= 8).then(|| content.iter().fold(sign, |number, octet| number << 8 | i64::from(*octet)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An element around these contents.
    pub(crate) fn tlv(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
        let content = contents.concat();
        let length = content.len();
        let [.., high, low] = length.to_be_bytes();
        let header = match length {
            0..0x80 => vec![tag, low],
            0x80..0x100 => vec![tag, 0x81, low],
            _ => vec![tag, 0x82, high, low],
        };
        [header, content].concat()
    }

    #[test]
    fn lengths_of_one_and_of_more_octets_are_read() {
        assert_eq!(header(&[0x30, 0x05]), Begun::Is(Header { tag: 0x30, octets: 2, content: 5 }));
        assert_eq!(header(&[0x30, 0x82, 1, 2]), Begun::Is(Header { tag: 0x30, octets: 4, content: 258 }));
        assert_eq!(header(&[0x30, 0x82, 1]), Begun::Partial);
        for other in [&[0x30, 0x80][..], &[0x30, 0x85, 0, 0, 0, 0, 1], &[0x1F, 0x01]] {
            assert_eq!(header(other), Begun::Not);
        }
    }

    #[test]
    fn an_element_longer_than_its_bytes_is_none() {
        assert_eq!(first(&[4, 3, 1, 2]), None);
        assert_eq!(first(&[4, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 1]), None);
        assert_eq!(elements(&[2, 1, 7, 4, 9, 1]).count(), 1);
        assert_eq!(element(&[2, 1, 7, 4, 1, 9], OCTET_STRING), Some(&[9][..]));
    }

    #[test]
    fn numbers_have_signs() {
        assert_eq!(integer(&[0x17]), Some(23));
        assert_eq!(integer(&[0xFF, 0x7B]), Some(-133));
        assert_eq!(integer(&[]), None);
        assert_eq!(integer(&[1; 9]), None);
    }
}
