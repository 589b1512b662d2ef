//! Data elements out of a stream of fragments (PS3.5, chapter 7), without ever holding more than one short value.
//!
//! The reader is handed the fragments as they come, cut anywhere. It asks its [`Visitor`] about every element by tag
//! and length alone; only what the visitor wants is copied. Everything else, the patient's group before all, is
//! stepped over by its length, and sequences of undefined length by walking to their end.

use super::transfer::Transfer;
use crate::octets::piece;

/// Octets of the longest value that is kept.
pub(super) const LONGEST_VALUE: u32 = 1024;

/// Sequences and items within each other.
const DEEPEST: usize = 32;

/// Octets of one dataset that are looked at, deflated or not: equipment stands in the first few thousand.
const MOST_OCTETS: u64 = 1024 * 1024;

/// The length of what ends with a delimiter.
const UNDEFINED: u32 = 0xFFFF_FFFF;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// Float pixel data, the first of the pixel data elements: nothing of interest stands behind.
const PIXELS: Tag = Tag(0x7FE0, 0x0000);

/// Group and element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag(pub(super) u16, pub(super) u16);

/// Where an element stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the dataset itself.
    Root,
    /// In the item with this number (from 0) of this sequence of the dataset.
    Item(Tag, u32),
}

/// What to do with an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    Nothing,
    /// Its value, if it is not longer than [`LONGEST_VALUE`].
    Value,
    /// It is a sequence: the elements of its items.
    Items,
}

/// Decides by tag and length, and receives what it decided for.
pub(super) trait Visitor {
    fn want(&mut self, place: Place, tag: Tag, length: u32) -> Want;
    fn value(&mut self, place: Place, tag: Tag, value: &[u8]);
}

/// Whether there is more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    More,
    /// The pixels have been reached: what comes is of no interest.
    Over,
    /// The octets are no dataset in this encoding: what was read may be nonsense too.
    Malformed,
}

/// Byte order and the presence of value representations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Encoding {
    explicit: bool,
    big: bool,
}

/// How a sequence or an item ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// At this offset.
    At(u64),
    /// By a delimiter.
    Delimited,
}

impl End {
    fn offset(self) -> Option<u64> {
        match self {
            Self::At(offset) => Some(offset),
            Self::Delimited => None,
        }
    }
}

/// A sequence or an item that is open.
#[derive(Clone, Copy, Debug)]
struct Level {
    content: Content,
    encoding: Encoding,
    end: End,
    /// Where its elements stand; nothing for what nobody asked for.
    place: Option<Place>,
    items: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Items(Tag),
    Elements,
    /// Items that hold octets: encapsulated pixels, or something private.
    Fragments,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Header,
    Skip(u64),
    Value { tag: Tag, place: Place, length: usize },
    Ended(Reading),
}

/// A data element's header.
struct Element {
    tag: Tag,
    representation: Option<[u8; 2]>,
    length: u32,
}

/// The reader of one dataset or command set.
#[derive(Debug)]
pub(super) struct Reader {
    encoding: Option<Encoding>,
    state: State,
    /// The octets of a header or a wanted value that have come so far.
    held: Vec<u8>,
    levels: Vec<Level>,
    at: u64,
}

impl Reader {
    /// For a dataset in this syntax (behind its deflate stream, if it has one).
    pub(super) fn new(transfer: Transfer) -> Self {
        let encoding = match transfer {
            Transfer::Unknown => None,
            Transfer::ImplicitLittle => Some(Encoding { explicit: false, big: false }),
            Transfer::ExplicitLittle | Transfer::Deflated => Some(Encoding { explicit: true, big: false }),
            Transfer::ExplicitBig => Some(Encoding { explicit: true, big: true }),
        };
        Self { encoding, state: State::Header, held: Vec::new(), levels: Vec::new(), at: 0 }
    }

    /// Reads on.
    pub(super) fn feed(&mut self, mut bytes: &[u8], visitor: &mut impl Visitor) -> Reading {
        while !bytes.is_empty() {
            if self.at > MOST_OCTETS {
                self.state = State::Ended(Reading::Over);
            }
            let (used, read) = match self.state {
                State::Ended(_) => break,
                State::Skip(left) => {
                    let used = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    self.at += used as u64;
                    let left = left - used as u64;
                    self.state = if left == 0 { State::Header } else { State::Skip(left) };
                    (used, Some(()))
                }
                State::Header => self.header(bytes, visitor),
                State::Value { tag, place, length } => {
                    let used = self.hold(bytes, length);
                    if self.held.len() == length {
                        visitor.value(place, tag, &self.held);
                        self.held.clear();
                        self.state = State::Header;
                    }
                    (used, Some(()))
                }
            };
            if read.and_then(|()| self.close_levels()).is_none() {
                self.state = State::Ended(Reading::Malformed);
            }
            bytes = bytes.get(used..).unwrap_or_default();
        }
        let State::Ended(reading) = self.state else { return Reading::More };
        self.held = Vec::new();
        self.levels = Vec::new();
        reading
    }

    /// Copies octets until that many are held; says how many it took.
    fn hold(&mut self, bytes: &[u8], until: usize) -> usize {
        let used = until.saturating_sub(self.held.len()).min(bytes.len());
        self.held.extend_from_slice(bytes.get(..used).unwrap_or_default());
        self.at += used as u64;
        used
    }

    /// Collects an element's header, and begins the element once it is whole. `None` where it makes no sense.
    fn header(&mut self, bytes: &[u8], visitor: &mut impl Visitor) -> (usize, Option<()>) {
        let mut used = self.hold(bytes, 8);
        if self.held.len() < 8 {
            return (used, Some(()));
        }
        let Some(encoding) = self.encoding_here() else { return (used, None) };
        let Ok(element) = element(&self.held, encoding) else { return (used, None) };
        let element = if let Some(element) = element {
            element
        } else {
            used += self.hold(bytes.get(used..).unwrap_or_default(), 12);
            match element_with_long_length(&self.held, encoding) {
                Some(element) => element,
                None => return (used, Some(())),
            }
        };
        self.held.clear();
        (used, self.begin(&element, encoding, visitor))
    }

    /// The encoding of the innermost open level; the first element of all tells it where nothing else did.
    fn encoding_here(&mut self) -> Option<Encoding> {
        if let Some(level) = self.levels.last() {
            return Some(level.encoding);
        }
        if self.encoding.is_none() {
            let explicit = piece::<2>(&self.held, 4)?.iter().all(u8::is_ascii_uppercase);
            self.encoding = Some(Encoding { explicit, big: false });
        }
        self.encoding
    }

    /// Decides what to do with an element's content.
    fn begin(&mut self, element: &Element, encoding: Encoding, visitor: &mut impl Visitor) -> Option<()> {
        let content = self.levels.last().map_or(Content::Elements, |level| level.content);
        match (content, element.tag) {
            (Content::Elements, ITEM_END) | (Content::Items(_) | Content::Fragments, SEQUENCE_END) => {
                self.levels.pop().map(|_| ())
            }
            (Content::Items(sequence), ITEM) => self.open_item(sequence, element.length, encoding),
            (Content::Fragments, ITEM) => self.skip(element.length),
            (Content::Elements, tag) if tag.0 != ITEM.0 => self.begin_element(element, encoding, visitor),
            _ => None,
        }
    }

    fn begin_element(
        &mut self,
        element: &Element,
        encoding: Encoding,
        visitor: &mut impl Visitor,
    ) -> Option<()> {
        let Element { tag, representation, length } = *element;
        if self.levels.is_empty() && tag >= PIXELS {
            self.state = State::Ended(Reading::Over);
            return Some(());
        }
        let place = self.levels.last().map_or(Some(Place::Root), |level| level.place);
        let want = place.map_or(Want::Nothing, |place| visitor.want(place, tag, length));
        if length == UNDEFINED || want == Want::Items && matches!(representation, None | Some([b'S', b'Q'])) {
            let (content, encoding) = match representation {
                None | Some([b'S', b'Q']) => (Content::Items(tag), encoding),
                // Its content is implicit little endian, whatever surrounds it (PS3.5, 6.2.2 note 2).
                Some([b'U', b'N']) => (Content::Items(tag), Encoding { explicit: false, big: false }),
                Some(_) => (Content::Fragments, encoding),
            };
            let wanted = want == Want::Items && place == Some(Place::Root);
            return self.open(Level {
                content,
                encoding,
                end: self.end_of(length)?,
                place: wanted.then_some(Place::Item(tag, 0)),
                items: 0,
            });
        }
        match (want, place) {
            (Want::Value, Some(place)) if (1..=LONGEST_VALUE).contains(&length) => {
                self.end_of(length)?;
                self.state = State::Value { tag, place, length: length as usize };
                Some(())
            }
            _ => self.skip(length),
        }
    }

    fn open_item(&mut self, sequence: Tag, length: u32, encoding: Encoding) -> Option<()> {
        let end = self.end_of(length)?;
        let level = self.levels.last_mut()?;
        let place = level.place.map(|_| Place::Item(sequence, level.items));
        level.items = level.items.saturating_add(1);
        self.open(Level { content: Content::Elements, encoding, end, place, items: 0 })
    }

    fn open(&mut self, level: Level) -> Option<()> {
        if self.levels.len() >= DEEPEST {
            return None;
        }
        self.levels.push(level);
        Some(())
    }

    fn skip(&mut self, length: u32) -> Option<()> {
        self.end_of(length)?;
        self.state = if length == 0 { State::Header } else { State::Skip(u64::from(length)) };
        Some(())
    }

    /// Where something of this length ends; `None` when that is behind the end of what it stands in.
    fn end_of(&self, length: u32) -> Option<End> {
        if length == UNDEFINED {
            return Some(End::Delimited);
        }
        let end = self.at + u64::from(length);
        let outer = self.levels.iter().rev().find_map(|level| level.end.offset());
        outer.is_none_or(|outer| end <= outer).then_some(End::At(end))
    }

    /// Leaves the levels that end here. `None` when one should have ended before.
    fn close_levels(&mut self) -> Option<()> {
        if !matches!(self.state, State::Header) || !self.held.is_empty() {
            return Some(());
        }
        while let Some(end) = self.levels.last().and_then(|level| level.end.offset()) {
            if end > self.at {
                break;
            }
            self.levels.pop();
            if end < self.at {
                return None;
            }
        }
        Some(())
    }
}

/// Reads the first eight octets of an element: the element, nothing where its length stands in four more, or an
/// error where its value representation is none.
fn element(held: &[u8], encoding: Encoding) -> Result<Option<Element>, ()> {
    let tag = tag(held, encoding).ok_or(())?;
    if tag.0 == ITEM.0 || !encoding.explicit {
        let length = number32(held, 4, encoding.big).ok_or(())?;
        return Ok(Some(Element { tag, representation: None, length }));
    }
    let representation = piece::<2>(held, 4).ok_or(())?;
    if !representation.iter().all(u8::is_ascii_uppercase) {
        return Err(());
    }
    if has_long_length(representation) {
        return Ok(None);
    }
    let length = number16(held, 6, encoding.big).ok_or(())?;
    Ok(Some(Element { tag, representation: Some(representation), length: u32::from(length) }))
}

fn element_with_long_length(held: &[u8], encoding: Encoding) -> Option<Element> {
    let length = number32(held, 8, encoding.big)?;
    Some(Element { tag: tag(held, encoding)?, representation: Some(piece(held, 4)?), length })
}

/// Whether an explicit length takes two reserved and four octets (PS3.5, 7.1.2): true for these, and for every
/// representation that the standard may add.
fn has_long_length(representation: [u8; 2]) -> bool {
    !matches!(
        &representation,
        b"AE"
            | b"AS"
            | b"AT"
            | b"CS"
            | b"DA"
            | b"DS"
            | b"DT"
            | b"FL"
            | b"FD"
            | b"IS"
            | b"LO"
            | b"LT"
            | b"PN"
            | b"SH"
            | b"SL"
            | b"SS"
            | b"ST"
            | b"TM"
            | b"UI"
            | b"UL"
            | b"US"
    )
}

fn tag(held: &[u8], encoding: Encoding) -> Option<Tag> {
    Some(Tag(number16(held, 0, encoding.big)?, number16(held, 2, encoding.big)?))
}

fn number16(bytes: &[u8], at: usize, big: bool) -> Option<u16> {
    let bytes = piece(bytes, at)?;
    Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
}

fn number32(bytes: &[u8], at: usize, big: bool) -> Option<u32> {
    let bytes = piece(bytes, at)?;
    Some(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}
