//! Tagged data (ASHRAE 135, clause 20.2): application and context tags, and the few primitive values that are wanted.

use crate::octets::part;

/// Tags within each other that are stepped over.
const DEEPEST: usize = 16;

/// One tag with its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// An application tag: its type and value.
    Application(u8, &'a [u8]),
    /// A context tag with a primitive value.
    Context(u8, &'a [u8]),
    Opening(u8),
    Closing(u8),
}

/// Tags one behind the other, up to the first that does not fit.
#[derive(Clone, Debug)]
pub(super) struct Tags<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        let (&first, mut rest) = self.0.split_first()?;
        let is_context = first & 0x08 != 0;
        let mut number = first >> 4;
        if number == 0x0F {
            number = *rest.first()?;
            rest = rest.get(1..)?;
        }
        let (length, header) = match first & 0x07 {
            6 if is_context => {
                self.0 = rest;
                return Some(Tag::Opening(number));
            }
            7 if is_context => {
                self.0 = rest;
                return Some(Tag::Closing(number));
            }
            // A Boolean's value stands where others have their length.
            _ if !is_context && number == 1 => (0, 0),
            5 => long_length(rest)?,
            length => (usize::from(length), 0),
        };
        let value = part(rest, header, length)?;
        self.0 = rest.get(header + length..)?;
        Some(if is_context { Tag::Context(number, value) } else { Tag::Application(number, value) })
    }
}

/// A length of five or more: one octet, or a mark and two or four.
fn long_length(rest: &[u8]) -> Option<(usize, usize)> {
    Some(match rest {
        [254, high, low, ..] => (usize::from(u16::from_be_bytes([*high, *low])), 3),
        [255, length @ ..] => (usize::try_from(u32::from_be_bytes(*length.first_chunk::<4>()?)).ok()?, 5),
        [length, ..] => (usize::from(*length), 1),
        [] => return None,
    })
}

impl<'a> Tags<'a> {
    /// The primitive value of a context tag, if it is the next.
    pub(super) fn context(&mut self, number: u8) -> Option<&'a [u8]> {
        let mut ahead = self.clone();
        match ahead.next() {
            Some(Tag::Context(of, value)) if of == number => {
                *self = ahead;
                Some(value)
            }
            _ => None,
        }
    }

    /// Whether an opening tag of this number is the next; steps over it.
    pub(super) fn opens(&mut self, number: u8) -> bool {
        self.steps_over(Tag::Opening(number))
    }

    /// Whether a closing tag of this number is the next; steps over it.
    pub(super) fn closes(&mut self, number: u8) -> bool {
        self.steps_over(Tag::Closing(number))
    }

    fn steps_over(&mut self, tag: Tag<'_>) -> bool {
        let mut ahead = self.clone();
        let is_next = ahead.next() == Some(tag);
        if is_next {
            *self = ahead;
        }
        is_next
    }

    /// What stands up to the closing tag that belongs to an opening tag that was read; steps over both. `None` where
    /// there is none.
    pub(super) fn enclosed(&mut self, number: u8) -> Option<Tags<'a>> {
        let start = self.0;
        let mut open = vec![number];
        loop {
            let before = self.0;
            match self.next()? {
                Tag::Opening(number) if open.len() < DEEPEST => open.push(number),
                Tag::Opening(_) => return None,
                Tag::Closing(number) if open.pop() != Some(number) => return None,
                Tag::Closing(_) if open.is_empty() => {
                    return Some(Tags(start.get(..start.len() - before.len())?));
                }
                _ => {}
            }
        }
    }
}

/// Application tag numbers (20.2.1.4).
pub(super) const UNSIGNED: u8 = 2;
pub(super) const CHARACTER_STRING: u8 = 7;
pub(super) const OBJECT_IDENTIFIER: u8 = 12;

/// An unsigned integer of one to four octets, most significant first (20.2.4).
pub(super) fn unsigned(value: &[u8]) -> Option<u32> {
    (1..=4)
        .contains(&value.len())
        .then(|| value.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
}

/// The device object type.
const DEVICE: u32 = 8;

/// The instance that stands for any device (clause 12.11).
const ANY_INSTANCE: u32 = 0x3F_FFFF;

/// Whether an object identifier is that of a device. In a read, the instance that stands for any device is the one that
/// answers (15.5.2), and scanners ask so.
pub(super) fn is_device(value: &[u8]) -> bool {
    value.len() == 4 && unsigned(value).is_some_and(|identifier| identifier >> 22 == DEVICE)
}

/// The instance number, if this object identifier (20.2.14: 10 bits type, 22 bits instance) is that of a device.
pub(super) fn device_instance(value: &[u8]) -> Option<u32> {
    let identifier = unsigned(value).filter(|_| value.len() == 4)?;
    let instance = identifier & ANY_INSTANCE;
    (identifier >> 22 == DEVICE && instance != ANY_INSTANCE).then_some(instance)
}

/// A character string: the first octet says how it is encoded (20.2.9).
pub(super) fn text(value: &[u8]) -> Option<String> {
    let (&encoding, octets) = value.split_first()?;
    match encoding {
        0 => String::from_utf8(octets.to_vec()).ok(),
        // A code page, and characters in it; what is ASCII is the same in all.
        1 => octets
            .get(2..)
            .filter(|octets| octets.is_ascii())
            .map(|octets| octets.iter().copied().map(char::from).collect()),
        3 => octets.chunks(4).map(|unit| char::from_u32(unsigned(unit)?)).collect(),
        4 => {
            let units = octets.chunks(2).map(|unit| unit.try_into().map_or(0xFFFD, u16::from_be_bytes));
            String::from_utf16(&units.collect::<Vec<_>>()).ok()
        }
        5 => Some(octets.iter().copied().map(char::from).collect()),
        // JIS.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_clause_20_are_read() {
        // 20.2.1.3.2, examples: extended tag numbers and lengths; a Boolean has no octets.
        let octets = [
            0x11, 0x21, 72, 0xF9, 27, 0x05, 0x2E, 0x3E, 0x3F, 0x2F, 0x75, 6, 0, b'h', b'e', b'l', b'l', b'o',
        ];
        assert_eq!(
            Tags(&octets).collect::<Vec<_>>(),
            [
                Tag::Application(1, &[]),
                Tag::Application(2, &[72]),
                Tag::Context(27, &[5]),
                Tag::Opening(2),
                Tag::Opening(3),
                Tag::Closing(3),
                Tag::Closing(2),
                Tag::Application(7, b"\0hello"),
            ]
        );
    }

    #[test]
    fn what_is_enclosed_ends_at_its_own_closing_tag() {
        let mut tags = Tags(&[0x3E, 0x3E, 0x21, 1, 0x3F, 0x3F, 0x21, 2]);
        assert!(tags.opens(3));
        assert_eq!(tags.enclosed(3).map(|inner| inner.0), Some(&[0x3E, 0x21, 1, 0x3F][..]));
        assert_eq!(tags.next(), Some(Tag::Application(2, &[2])));
        let mut crossed = Tags(&[0x2E, 0x3F, 0x2F]);
        assert!(crossed.enclosed(3).is_none());
    }

    #[test]
    fn strings_say_how_they_are_encoded() {
        assert_eq!(text(b"\0K\xc3\xbcche").as_deref(), Some("Küche"));
        assert_eq!(text(b"\x05K\xfcche").as_deref(), Some("Küche"));
        assert_eq!(text(b"\x04\0K\0\xfc").as_deref(), Some("Kü"));
        assert_eq!(text(b"\x03\0\0\0K").as_deref(), Some("K"));
        assert_eq!(text(b"\x02\xb0\xa1"), None);
        // Code page 850 (0352h).
        assert_eq!(text(b"\x01\x03\x52AC-900").as_deref(), Some("AC-900"));
        assert_eq!(text(b"\x01\x03\x52K\x81che"), None);
    }

    #[test]
    fn only_a_device_has_a_device_instance() {
        assert_eq!(device_instance(&[0x02, 0x00, 0x00, 0xFE]), Some(254));
        assert_eq!(device_instance(&[0x02, 0x3F, 0xFF, 0xFF]), None);
        assert_eq!(device_instance(&[0x00, 0x00, 0x00, 0xFE]), None);
    }
}
