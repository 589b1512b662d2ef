//! Attributes of a medical device system (ISO/IEEE 11073-10201) in the encoding of MDER (IEEE 11073-20101), which
//! IntelliVue monitors and agents of IEEE 11073-20601 share: big endian, a list of `{identifier, length, value}`.
//!
//! Strings are padded to even lengths, and some are dirty: bytes behind a NUL, blanks before, line ends after.

use wardwatch_proto::v1::Attribute;

use crate::octets::{be16, part};

/// Attributes of a list, and entries of one attribute, that are read.
const MOST_ATTRIBUTES: usize = 64;
const MOST_ENTRIES: usize = 32;

/// Attribute identifiers (IEEE 11073-10101, partition 1).
pub(super) const TYPE: u16 = 0x0986;
pub(super) const SYSTEM_ID: u16 = 0x0984;
pub(super) const MODEL: u16 = 0x0928;
pub(super) const PRODUCTION: u16 = 0x092D;
pub(super) const BED_LABEL: u16 = 0x091E;

/// Kinds of production specification (IEEE 11073-20601, ProdSpecEntry).
pub(super) const SERIAL: u16 = 1;
pub(super) const PART: u16 = 2;
pub(super) const HARDWARE: u16 = 3;
pub(super) const SOFTWARE: u16 = 4;
pub(super) const FIRMWARE: u16 = 5;

/// The attributes of a list that begins here with count and length, as far as they are whole.
pub(super) fn attributes(list: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let count = be16(list, 0).unwrap_or_default();
    let mut rest = be16(list, 2).and_then(|length| part(list, 4, length.into())).unwrap_or_default();
    (0..count).take(MOST_ATTRIBUTES).map_while(move |_| {
        let identifier = be16(rest, 0)?;
        let value = part(rest, 4, be16(rest, 2)?.into())?;
        rest = rest.get(4 + value.len()..)?;
        Some((identifier, value))
    })
}

/// A string with its length before it: its octets up to the first NUL, and how many octets it took.
fn string(bytes: &[u8]) -> Option<(String, usize)> {
    let octets = part(bytes, 2, be16(bytes, 0)?.into())?;
    let text = octets.split(|byte| *byte == 0).next().unwrap_or_default();
    Some((String::from_utf8_lossy(text).trim().to_owned(), octets.len() + 2))
}

/// Maker and model. A model that is a number is the number of the product.
pub(super) fn model(value: &[u8]) -> Vec<(Attribute, String)> {
    let Some((maker, used)) = string(value) else { return Vec::new() };
    let model = value.get(used..).and_then(string).map(|(model, _)| model).unwrap_or_default();
    let is_number = !model.is_empty() && model.bytes().all(|byte| byte.is_ascii_digit());
    let kind = if is_number { Attribute::PartNumber } else { Attribute::Model };
    vec![(Attribute::Manufacturer, maker), (kind, model)]
}

/// Entries of the production specification: kind, component, text.
pub(super) fn production(value: &[u8]) -> impl Iterator<Item = (u16, u16, String)> {
    let count = be16(value, 0).unwrap_or_default();
    let mut rest = be16(value, 2).and_then(|length| part(value, 4, length.into())).unwrap_or_default();
    (0..count).take(MOST_ENTRIES).map_while(move |_| {
        let (kind, component) = (be16(rest, 0)?, be16(rest, 2)?);
        let (text, used) = string(rest.get(4..)?)?;
        rest = rest.get(4 + used..)?;
        Some((kind, component, text))
    })
}

/// The code of the kind of device out of partition and term: 65536 terms in each partition.
pub(super) fn device_type(value: &[u8]) -> Option<String> {
    Some((u32::from(be16(value, 0)?) << 16 | u32::from(be16(value, 2)?)).to_string())
}

/// Octets joined by colons, for addresses of eight octets; one of zeros is none.
pub(super) fn eui64(octets: &[u8]) -> Option<String> {
    let is_one = octets.len() == 8 && octets.iter().any(|octet| *octet != 0);
    is_one.then(|| octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":"))
}

#[cfg(test)]
pub(super) mod encode {
    //! The same the other way round, for tests.

    fn counted(entries: &[Vec<u8>]) -> Vec<u8> {
        let all = entries.concat();
        [&(entries.len() as u16).to_be_bytes()[..], &(all.len() as u16).to_be_bytes(), &all].concat()
    }

    pub(crate) fn string(text: &[u8]) -> Vec<u8> {
        [&(text.len() as u16).to_be_bytes()[..], text].concat()
    }

    pub(crate) fn attribute(identifier: u16, value: &[u8]) -> Vec<u8> {
        [&identifier.to_be_bytes()[..], &string(value)].concat()
    }

    pub(crate) fn attributes(list: &[Vec<u8>]) -> Vec<u8> {
        counted(list)
    }

    pub(crate) fn production(entries: &[(u16, u16, &[u8])]) -> Vec<u8> {
        let entry = |(kind, component, text): &(u16, u16, &[u8])| {
            [&kind.to_be_bytes()[..], &component.to_be_bytes(), &string(text)].concat()
        };
        counted(&entries.iter().map(entry).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_promises_too_much_gives_what_is_whole() {
        let list = encode::attributes(&[encode::attribute(1, b"a"), encode::attribute(2, b"bc")]);
        assert_eq!(attributes(&list).collect::<Vec<_>>(), [(1, &b"a"[..]), (2, &b"bc"[..])]);
        let more = [&[0xFF, 0xFF][..], &list[2..]].concat();
        assert_eq!(attributes(&more).count(), 2);
        assert_eq!(attributes(&list[..list.len() - 1]).count(), 0);
        assert_eq!(attributes(&[]).count(), 0);
    }

    #[test]
    fn strings_end_at_their_padding() {
        let value = encode::production(&[(1, 8, b"DE1\0\x09\0"), (3, 8, b" A.00"), (4, 88, b"L.01\n\0")]);
        let texts: Vec<_> = production(&value).map(|(.., text)| text).collect();
        assert_eq!(texts, ["DE1", "A.00", "L.01"]);
    }

    #[test]
    fn a_model_of_digits_is_a_number_of_the_product() {
        let value = |text: &[u8]| [encode::string(b"Acme\0\0"), encode::string(text)].concat();
        assert_eq!(model(&value(b"866062\0\0"))[1], (Attribute::PartNumber, "866062".to_owned()));
        assert_eq!(model(&value(b"X2"))[1], (Attribute::Model, "X2".to_owned()));
    }

    #[test]
    fn types_are_numbered_through_the_partitions() {
        assert_eq!(device_type(&[0, 1, 0x11, 0x4D]).as_deref(), Some("69965"));
        assert_eq!(device_type(&[0, 8, 0x10, 0x04]).as_deref(), Some("528388"));
    }
}
