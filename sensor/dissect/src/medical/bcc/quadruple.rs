//! The information of an answer: quadruples `seconds,address,key,value`, joined by RS.

use wardwatch_proto::v1::Attribute;

/// Quadruples that are read of one message.
const MOST_QUADRUPLES: usize = 2048;

/// What one quadruple says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// Something that identifies a pump.
    Is(Attribute, &'a str),
    /// A patient's datum that is filled.
    Patient,
    Unlisted,
}

/// Address and item of each quadruple.
pub(super) fn quadruples(information: &str) -> impl Iterator<Item = (&str, Item<'_>)> {
    information.split('\u{1e}').take(MOST_QUADRUPLES).filter_map(|quadruple| {
        let mut parts = quadruple.trim_ascii().splitn(4, ',');
        let (seconds, address, key, value) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let are_numbers = [seconds, address].iter().all(|part| is_number(part));
        are_numbers.then(|| (address, item(address, key, value.trim())))
    })
}

/// Digits; the slot of an address may be a letter.
fn is_number(part: &str) -> bool {
    let digits = part.trim_end_matches(|c: char| c.is_ascii_uppercase());
    !digits.is_empty() && part.len() <= digits.len() + 1 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn item<'a>(address: &str, key: &str, value: &'a str) -> Item<'a> {
    if key.starts_with("PAT") && !value.is_empty() {
        return Item::Patient;
    }
    // The pump in slot y of pillar x; the server itself is 50100.
    let is_pump = address.len() == 5 && address.starts_with("501") && address != "50100";
    let attribute = match key {
        _ if !is_pump || value.is_empty() => return Item::Unlisted,
        "GNMODEL" | "GNNEW" => Attribute::Model,
        "INSERNUM" => Attribute::SerialNumber,
        "INNR" => Attribute::EquipmentId,
        _ => return Item::Unlisted,
    };
    Item::Is(attribute, value)
}

/// Stuffing undone from left to right: an `E` says what the letter behind it stands for.
pub(super) fn unstuffed(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            'E' | 'e' => match letters.next() {
                Some('X') => 'D',
                Some('x') => 'd',
                Some(other) => other,
                None => letter,
            },
            _ => letter,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffing_is_undone_from_left_to_right() {
        assert_eq!(unstuffed("MEEEXEEL"), "MEDEL");
        assert_eq!(unstuffed("EEX"), "EX");
        assert_eq!(unstuffed("beexe"), "bexe");
        assert_eq!(unstuffed("BEExex"), "BExd");
    }

    #[test]
    fn keys_on_no_list_and_other_addresses_say_nothing() {
        let read = |text: &'static str| quadruples(text).collect::<Vec<_>>();
        assert_eq!(
            read("12,50111,GNMODEL,688F030006\u{1e}12,5012A,INSERNUM,36248"),
            [
                ("50111", Item::Is(Attribute::Model, "688F030006")),
                ("5012A", Item::Is(Attribute::SerialNumber, "36248"))
            ]
        );
        assert_eq!(read("12,50100,INSERNUM,36248"), [("50100", Item::Unlisted)]);
        assert_eq!(read("12,50111,INDRUG,x"), [("50111", Item::Unlisted)]);
        assert_eq!(read("12,50111,PATID,4711"), [("50111", Item::Patient)]);
        assert_eq!(read("12,50111,PATID,"), [("50111", Item::Unlisted)]);
        assert!(read("a,50111,INSERNUM,1\u{1e}12,INSERNUM").is_empty());
    }
}
