//! Unique device identifiers as devices write them: GS1 and HIBCC, only with a valid check character.
//!
//! Free text stands in UDI fields often enough (a product's name, a patient's label), so nothing is taken for a
//! device identifier that does not prove itself: GS1 general specifications 7.9 (modulo 10), ANSI/HIBC 2.6 (modulo 43).

use wardwatch_proto::v1::Attribute;

/// The characters that may stand in a HIBC symbol; a character's place is its value.
const HIBC_ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%";

/// What a UDI tells: the device identifier, and what of the production identifiers is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Udi {
    /// The GTIN of 14 digits, or the HIBC primary identifier without its leading plus sign and check character.
    pub(crate) device: String,
    pub(crate) serial: String,
    pub(crate) lot: String,
    /// `YYYY-MM-DD`.
    pub(crate) manufactured: String,
}

impl Udi {
    /// Reads a UDI in human readable form, or a device identifier alone.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        match text.as_bytes().first()? {
            b'(' => Self::gs1(text),
            b'+' => Self::hibc(text),
            _ => is_gtin(text).then(|| Self { device: text.to_owned(), ..Self::default() }),
        }
    }

    /// The attributes that it gives, empty ones left out.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (Attribute, &str)> {
        [
            (Attribute::UdiDi, self.device.as_str()),
            (Attribute::SerialNumber, self.serial.as_str()),
            (Attribute::LotNumber, self.lot.as_str()),
            (Attribute::ManufactureDate, self.manufactured.as_str()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
    }

    /// `(01)` GTIN, `(10)` lot, `(11)` made, `(21)` serial; others are left out.
    fn gs1(text: &str) -> Option<Self> {
        let mut udi = Self::default();
        for element in text.split('(').skip(1) {
            let (identifier, value) = element.split_once(')')?;
            match identifier {
                "01" if is_gtin(value) => value.clone_into(&mut udi.device),
                "01" => return None,
                "10" => value.clone_into(&mut udi.lot),
                "11" => udi.manufactured = gs1_date(value).unwrap_or_default(),
                "21" => value.clone_into(&mut udi.serial),
                _ => {}
            }
        }
        (!udi.device.is_empty()).then_some(udi)
    }

    /// `+`, labeler (4), product (1 to 18), unit of measure (1); alone, or joined by a slash with the secondary data;
    /// the check character last.
    fn hibc(text: &str) -> Option<Self> {
        let (body, check) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let sum: usize = body.bytes().map(hibc_value).sum::<Option<usize>>()?;
        if hibc_value(*check.as_bytes().first()?)? != sum % 43 {
            return None;
        }
        let (primary, secondary) = body.split_once('/').unwrap_or((body, ""));
        let device = primary.strip_prefix('+')?;
        let shaped = (6..=23).contains(&device.len())
            && device.starts_with(|c: char| c.is_ascii_uppercase())
            && device.bytes().all(|byte| byte.is_ascii_alphanumeric());
        // `$+` begins a serial number, `$` a lot number; both may carry dates before it (`$$`), which are left out.
        let serial = secondary.strip_prefix("$+").filter(|rest| !rest.starts_with('+')).unwrap_or_default();
        let lot =
            secondary.strip_prefix('$').filter(|rest| !rest.starts_with(['$', '+'])).unwrap_or_default();
        shaped.then(|| Self {
            device: device.to_owned(),
            serial: serial.to_owned(),
            lot: lot.to_owned(),
            manufactured: String::new(),
        })
    }
}

fn hibc_value(byte: u8) -> Option<usize> {
    HIBC_ALPHABET.iter().position(|known| *known == byte)
}

/// Whether this is a GTIN-14 with the right check digit.
fn is_gtin(text: &str) -> bool {
    let weighted = |(at, byte): (usize, u8)| u32::from(byte - b'0') * if at % 2 == 0 { 3 } else { 1 };
    text.len() == 14
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte != b'0')
        && text.bytes().enumerate().map(weighted).sum::<u32>() % 10 == 0
}

/// `YYMMDD`; a day of 00 is not a date. Devices carry GS1 dates of this century only.
fn gs1_date(text: &str) -> Option<String> {
    let digits = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (year, rest) = text.split_at_checked(2).filter(|_| digits)?;
    let (month, day) = rest.split_at_checked(2)?;
    (day != "00").then(|| format!("20{year}-{month}-{day}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_gs1_general_specifications_is_a_gtin() {
        // 7.9.1: 629104150021 has the check digit 3.
        assert!(is_gtin("06291041500213"));
        assert!(!is_gtin("06291041500214"));
        assert!(!is_gtin("00000000000000"));
    }

    #[test]
    fn a_gs1_form_gives_serial_lot_and_date() {
        let udi = Udi::read("(01)06291041500213(11)210315(17)260315(10)A-77(21)SN0042").expect("it is valid");
        let facts: Vec<_> = udi.facts().collect();
        assert_eq!(
            facts,
            [
                (Attribute::UdiDi, "06291041500213"),
                (Attribute::SerialNumber, "SN0042"),
                (Attribute::LotNumber, "A-77"),
                (Attribute::ManufactureDate, "2021-03-15"),
            ]
        );
    }

    #[test]
    fn the_example_of_the_hibc_standard_gives_its_primary_identifier() {
        // ANSI/HIBC 2.6, 2.3.3.1: +A123BJC5D6E71 has the check character G.
        assert_eq!(Udi::read("+A123BJC5D6E71G").map(|udi| udi.device).as_deref(), Some("A123BJC5D6E71"));
        assert_eq!(Udi::read("+A123BJC5D6E71H"), None);
    }

    #[test]
    fn free_text_is_no_device_identifier() {
        for text in ["Hospira Plum A+", "", "(01)", "(01)06291041500214", "+", "+DOE^JOHN", "19700101"] {
            assert_eq!(Udi::read(text), None, "{text:?}");
        }
    }
}
