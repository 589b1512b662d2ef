//! Segments, fields and components (HL7 v2, chapter 2.5 to 2.7): the message's own separators say where they end.

/// Octets of the longest component that is read.
const LONGEST_COMPONENT: usize = 256;

/// The separators that MSH declares, and how its texts are encoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoding {
    field: u8,
    component: u8,
    repetition: u8,
    escape: u8,
    subcomponent: u8,
    characters: Characters,
}

/// MSH-18, as far as it is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Characters {
    /// Nothing was declared: UTF-8 if it is, otherwise Latin-1, which is what is met.
    Undeclared,
    Latin1,
    Utf8,
    /// Another set: only its ASCII part is read.
    Other,
}

impl Encoding {
    /// From a header segment (MSH, FHS or BHS): the octet behind its name separates fields, the next field is the list
    /// of the others.
    pub(super) fn of_header(segment: &[u8]) -> Option<Self> {
        let (field, rest) = segment.get(3..)?.split_first()?;
        let mut others = rest.split(|byte| byte == field).next()?.iter().copied();
        let component = others.next()?;
        let read = Self {
            field: *field,
            component,
            repetition: others.next().unwrap_or(b'~'),
            escape: others.next().unwrap_or(b'\\'),
            subcomponent: others.next().unwrap_or(b'&'),
            characters: Characters::Undeclared,
        };
        let separates = |byte: u8| byte.is_ascii_punctuation();
        (separates(*field) && separates(component) && *field != component).then_some(read)
    }

    /// With the character set that MSH-18 names first (table 0211).
    pub(super) fn with_character_set(self, name: &str) -> Self {
        let characters = match name.trim() {
            "" => Characters::Undeclared,
            "8859/1" | "ISO IR100" => Characters::Latin1,
            name if name.contains("UTF-8") => Characters::Utf8,
            _ => Characters::Other,
        };
        Self { characters, ..self }
    }

    fn text(self, component: &[u8]) -> String {
        if component.len() > LONGEST_COMPONENT {
            return String::new();
        }
        let octets = self.unescaped(component);
        let text = match self.characters {
            Characters::Utf8 => String::from_utf8(octets).unwrap_or_default(),
            Characters::Other if !octets.is_ascii() => String::new(),
            Characters::Latin1 => octets.into_iter().map(char::from).collect(),
            Characters::Undeclared | Characters::Other => String::from_utf8(octets)
                .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect()),
        };
        text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).to_owned()
    }

    /// Escape sequences (2.7.1) replaced; those for layout and fonts are dropped.
    fn unescaped(self, component: &[u8]) -> Vec<u8> {
        let mut plain = Vec::with_capacity(component.len());
        let mut rest = component;
        while let Some(at) = rest.iter().position(|byte| *byte == self.escape) {
            let (before, behind) = rest.split_at(at);
            plain.extend_from_slice(before);
            let behind = behind.get(1..).unwrap_or_default();
            let Some(end) = behind.iter().position(|byte| *byte == self.escape) else {
                // An escape character that begins nothing stands for itself.
                plain.push(self.escape);
                rest = behind;
                continue;
            };
            let (sequence, after) = behind.split_at(end);
            match sequence {
                b"F" => plain.push(self.field),
                b"S" => plain.push(self.component),
                b"T" => plain.push(self.subcomponent),
                b"R" => plain.push(self.repetition),
                b"E" => plain.push(self.escape),
                [b'X', digits @ ..] => plain.extend(digits.chunks(2).filter_map(octet)),
                _ => {}
            }
            rest = after.get(1..).unwrap_or_default();
        }
        plain.extend_from_slice(rest);
        plain
    }
}

/// Two hexadecimal digits.
fn octet(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// One segment, without its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    bytes: &'a [u8],
    encoding: &'a Encoding,
    /// Fields that stand before the one that is counted as the first.
    offset: usize,
}

impl<'a> Segment<'a> {
    pub(super) fn new(bytes: &'a [u8], encoding: &'a Encoding) -> Self {
        Self { bytes, encoding, offset: 0 }
    }

    /// MSH, whose first field is the field separator itself. Some senders put a stray empty field before MSH-3; it
    /// shows where the message type (`ORU^R01`) stands.
    pub(super) fn header(bytes: &'a [u8], encoding: &'a Encoding) -> Self {
        let plain = Self { bytes, encoding, offset: 0 };
        let is_type = |number| {
            let kind = plain.field(number).component(1);
            kind.len() == 3 && kind.bytes().all(|byte| byte.is_ascii_uppercase())
        };
        let is_shifted = !is_type(8) && is_type(9) && plain.field(2).is_empty();
        Self { offset: usize::from(is_shifted), ..plain }
    }

    /// MSH-n, which stands one place before that of other segments.
    pub(super) fn header_field(&self, number: usize) -> Field<'a> {
        self.field(number - 1 + self.offset)
    }

    /// Field n, from 1; empty where there is none.
    pub(super) fn field(&self, number: usize) -> Field<'a> {
        let bytes = self.bytes.split(|byte| *byte == self.encoding.field).nth(number).unwrap_or_default();
        Field { bytes, encoding: self.encoding }
    }
}

/// A field, or one of its repetitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    bytes: &'a [u8],
    encoding: &'a Encoding,
}

impl<'a> Field<'a> {
    /// Whether it is empty, or the explicit null (2.5.3.2).
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.bytes.trim_ascii(), b"" | b"\"\"")
    }

    /// Whether anything but separators and blanks stands in it.
    pub(super) fn has_content(&self) -> bool {
        let encoding = self.encoding;
        let separators = [encoding.component, encoding.repetition, encoding.subcomponent];
        !self.is_empty()
            && self.bytes.iter().any(|byte| !byte.is_ascii_whitespace() && !separators.contains(byte))
    }

    /// Its repetitions, a single one where it has none.
    pub(super) fn repetitions(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let encoding = self.encoding;
        self.bytes.split(|byte| *byte == encoding.repetition).map(|bytes| Field { bytes, encoding })
    }

    /// The text of component n, from 1, of the first repetition; its first subcomponent where it has several.
    pub(super) fn component(&self, number: usize) -> String {
        let encoding = self.encoding;
        let repetition = self.bytes.split(|byte| *byte == encoding.repetition).next().unwrap_or_default();
        let component =
            repetition.split(|byte| *byte == encoding.component).nth(number - 1).unwrap_or_default();
        let first = component.split(|byte| *byte == encoding.subcomponent).next().unwrap_or_default();
        let text = encoding.text(first);
        if text == "\"\"" { String::new() } else { text }
    }

    /// Whether it has more than one component.
    pub(super) fn is_composite(&self) -> bool {
        self.bytes.contains(&self.encoding.component)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(header: &[u8]) -> Encoding {
        Encoding::of_header(header).expect("a header")
    }

    #[test]
    fn the_first_field_of_the_header_is_its_separator() {
        let bytes = br"MSH|^~\&|APP^1.2^ISO|FAC|||20260101||ORU^R01^ORU_R01|1|P|2.6";
        let encoding = encoding(bytes);
        let header = Segment::header(bytes, &encoding);
        assert_eq!(header.header_field(3).component(1), "APP");
        assert_eq!(header.header_field(4).component(1), "FAC");
        assert_eq!(header.header_field(9).component(2), "R01");
        assert_eq!(header.header_field(12).component(1), "2.6");
    }

    #[test]
    fn a_stray_empty_field_before_the_application_is_seen_through() {
        let bytes = br"MSH|^~\&||MONITOR^1^EUI-64|FAC|||20260101||ORU^R01^ORU_R01|1|P|2.6";
        let encoding = encoding(bytes);
        assert_eq!(Segment::header(bytes, &encoding).header_field(3).component(1), "MONITOR");
    }

    #[test]
    fn other_separators_are_read_from_the_message() {
        let encoding = encoding(b"MSH$%*!@$A%B");
        let segment = Segment::new(b"OBX$1$a%b@c*d!S!e", &encoding);
        let parts: Vec<_> = segment.field(2).repetitions().map(|part| part.component(1)).collect();
        assert_eq!(parts, ["a", "d%e"]);
        assert_eq!(segment.field(2).component(2), "b");
    }

    #[test]
    fn escapes_are_replaced_and_layout_is_dropped() {
        let encoding = encoding(br"MSH|^~\&|");
        let segment = Segment::new(br"OBX|a\F\b\S\c\T\d\R\e\E\f\X4142\g\.br\h\|\", &encoding);
        assert_eq!(segment.field(1).component(1), r"a|b^c&d~e\fABgh\");
        assert_eq!(segment.field(2).component(1), r"\");
    }

    #[test]
    fn the_declared_character_set_decides() {
        let plain = encoding(br"MSH|^~\&|");
        let read = |encoding: Encoding, bytes: &[u8]| Segment::new(bytes, &encoding).field(1).component(1);
        assert_eq!(read(plain, b"SFT|Dr\xe4ger"), "Dräger");
        assert_eq!(read(plain, "SFT|Dräger".as_bytes()), "Dräger");
        assert_eq!(read(plain.with_character_set("UNICODE UTF-8"), b"SFT|Dr\xe4ger"), "");
        assert_eq!(read(plain.with_character_set("8859/1"), "SFT|Dräger".as_bytes()), "DrÃ¤ger");
        assert_eq!(read(plain.with_character_set("ISO IR87"), b"SFT|\xb0\xa1"), "");
    }

    #[test]
    fn separators_and_nulls_are_no_content() {
        let encoding = encoding(br"MSH|^~\&|");
        let segment = Segment::new(b"PID|^^~^&|\"\"| |x", &encoding);
        let content: Vec<_> = (1..=5).map(|number| segment.field(number).has_content()).collect();
        assert_eq!(content, [false, false, false, true, false]);
    }
}
