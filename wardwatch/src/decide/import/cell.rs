//! One cell of a table, brought into the form of its attribute. What does not fit has a reason and is left out: nothing that
//! a spreadsheet would compute, no control characters, nothing outside the attribute's grammar.

use std::fmt::Write as _;

use time::{Date, Month};
use wardwatch_proto::attribute::{accept, says_nothing};
use wardwatch_proto::command::{digest, is_formula};
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::Attribute;

use super::mapping::Dates;

/// The longest cell that is looked at, in octets.
const LONGEST: usize = 1024;
/// Addresses in one cell.
const MOST_ADDRESSES: usize = 16;

/// How cells are read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) dates: Dates,
    /// What users' names are mixed with; nothing where they are left out.
    pub(super) users: Option<&'a str>,
}

/// The values of a cell; none for one that says nothing.
///
/// # Errors
/// Why it cannot be used.
pub(super) fn values(attribute: Attribute, cell: &str, reading: Reading<'_>) -> Result<Vec<String>, String> {
    let cell = cell.trim();
    if cell.is_empty() || says_nothing(cell) {
        return Ok(Vec::new());
    }
    if cell.len() > LONGEST {
        return Err(format!("it has {} octets; {LONGEST} are read", cell.len()));
    }
    if cell.contains(char::is_control) {
        return Err("it has control characters".to_owned());
    }
    if attribute == Attribute::LastUser {
        return Ok(reading.users.map(|site| pseudonym(site, cell)).into_iter().collect());
    }
    if is_formula(cell) {
        return Err("it begins like a formula, which a spreadsheet would compute".to_owned());
    }
    match attribute {
        Attribute::MacAddress | Attribute::Bssid => several(cell, mac),
        Attribute::IpAddress => several(cell, |one| {
            accept(Attribute::IpAddress, one).map(Into::into).ok_or_else(|| "it is no IP address".to_owned())
        }),
        Attribute::LastMaintenance | Attribute::NextMaintenance | Attribute::WarrantyEnd => {
            date(cell, reading.dates).map(|date| vec![date])
        }
        // Accounts of computers end so in a directory.
        Attribute::HostName => fitting(attribute, cell.trim_end_matches('$')),
        _ => fitting(attribute, cell),
    }
}

fn fitting(attribute: Attribute, cell: &str) -> Result<Vec<String>, String> {
    match accept(attribute, cell) {
        Some(value) => Ok(vec![value.into_owned()]),
        None => Err(format!("it has another form than {} can have", attribute.name())),
    }
}

/// Addresses that stand in one cell.
fn several(cell: &str, read: impl Fn(&str) -> Result<String, String>) -> Result<Vec<String>, String> {
    let parts = cell.split([',', ';', ' ', '|']).filter(|part| !part.is_empty());
    let mut values: Vec<String> = parts.map(read).collect::<Result<_, _>>()?;
    values.sort();
    values.dedup();
    if values.len() > MOST_ADDRESSES {
        return Err(format!("it has {} addresses; {MOST_ADDRESSES} are read", values.len()));
    }
    Ok(values)
}

/// Twelve hexadecimal digits, however they are grouped.
fn mac(text: &str) -> Result<String, String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    if digits.len() != 12 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("it is no MAC address".to_owned());
    }
    let pairs: Vec<&str> = (0..12).step_by(2).filter_map(|at| digits.get(at..at + 2)).collect();
    let text = pairs.join(":").to_ascii_lowercase();
    let is_group =
        u8::from_str_radix(pairs.first().copied().unwrap_or_default(), 16).is_ok_and(|first| first & 1 == 1);
    if is_group || digits.bytes().all(|byte| byte == b'0') {
        return Err("no single interface can have this MAC address".to_owned());
    }
    Ok(text)
}

fn date(cell: &str, dates: Dates) -> Result<String, String> {
    let problem = || {
        "it is no date as the mapping has them (`dates`: yyyy-mm-dd unless it says dd.mm.yyyy, dd/mm/yyyy or mm/dd/yyyy)"
            .to_owned()
    };
    // A time behind the date is left out.
    let day = cell.split(['T', ' ']).next().unwrap_or_default();
    let separator = match dates {
        Dates::Iso => '-',
        Dates::Dotted => '.',
        Dates::DayFirst | Dates::MonthFirst => '/',
    };
    let parts: Vec<&str> = day.split(separator).collect();
    let [first, second, third] = parts.as_slice() else { return Err(problem()) };
    let (year, month, day) = match dates {
        Dates::Iso => (first, second, third),
        Dates::Dotted | Dates::DayFirst => (third, second, first),
        Dates::MonthFirst => (third, first, second),
    };
    let is_number =
        |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(|part| is_number(part)) || year.len() != 4 {
        return Err(problem());
    }
    // The grammar knows no lengths of months.
    let month_of = |month: &str| Month::try_from(month.parse::<u8>().ok()?).ok();
    let is_day = year
        .parse()
        .ok()
        .zip(month_of(month))
        .zip(day.parse().ok())
        .is_some_and(|((year, month), day)| Date::from_calendar_date(year, month, day).is_ok());
    let text = format!("{year}-{month:0>2}-{day:0>2}");
    accept(Attribute::LastMaintenance, &text).filter(|_| is_day).map(Into::into).ok_or_else(problem)
}

/// The beginning of the SHA-256 of site and name: tells whether two devices had the same user, and does not tell whom.
fn pseudonym(site: &str, user: &str) -> String {
    let mixed = format!("{site}\0{}", user.to_lowercase());
    digest(mixed.as_bytes()).iter().take(8).fold(String::with_capacity(16), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Reading<'_> = Reading { dates: Dates::Iso, users: None };

    fn read(attribute: Attribute, cell: &str) -> Result<Vec<String>, String> {
        values(attribute, cell, PLAIN)
    }

    #[test]
    fn addresses_are_read_however_they_are_written() {
        for cell in ["00-09-FB-01-02-03", "0009.fb01.0203", "0009FB010203", " 00:09:fb:01:02:03 "] {
            assert_eq!(read(Attribute::MacAddress, cell), Ok(vec!["00:09:fb:01:02:03".to_owned()]), "{cell}");
        }
        assert_eq!(
            read(Attribute::MacAddress, "00:09:fb:01:02:04; 0009FB010203").map(|all| all.len()),
            Ok(2)
        );
        for cell in ["ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "0009FB01020", "xx:09:fb:01:02:03"] {
            assert!(read(Attribute::MacAddress, cell).is_err(), "{cell}");
        }
        assert_eq!(read(Attribute::IpAddress, "10.0.0.1, fe80::1").map(|all| all.len()), Ok(2));
        assert!(read(Attribute::IpAddress, "10.0.0").is_err());
        assert_eq!(read(Attribute::HostName, "CT-01$"), Ok(vec!["ct-01".to_owned()]));
    }

    #[test]
    fn what_is_hostile_is_left_out_with_a_reason() {
        let long = "x".repeat(2000);
        for cell in [
            "=cmd|' /C calc'!A0",
            "@SUM(A1)",
            "+HYPERLINK(A1)",
            "Ward\u{7}3",
            "Ward\n3",
            "DOE^JOHN",
            "<script>alert(1)</script>",
            "x' OR 1=1 --",
            long.as_str(),
        ] {
            assert!(read(Attribute::Location, cell).is_err(), "{cell}");
        }
        for nothing in ["", "  ", "N/A", "unknown", "-"] {
            assert_eq!(read(Attribute::Location, nothing), Ok(Vec::new()));
        }
        assert_eq!(read(Attribute::SerialNumber, "-0000200"), Ok(vec!["-0000200".to_owned()]));
    }

    #[test]
    fn dates_are_read_as_the_mapping_has_them_and_not_guessed() {
        let read = |cell, dates| values(Attribute::LastMaintenance, cell, Reading { dates, ..PLAIN });
        let day = Ok(vec!["2026-02-03".to_owned()]);
        assert_eq!(read("2026-02-03T10:00:00", Dates::Iso), day);
        assert_eq!(read("3.2.2026", Dates::Dotted), day);
        assert_eq!(read("03/02/2026 10:00", Dates::DayFirst), day);
        assert_eq!(read("2/3/2026", Dates::MonthFirst), day);
        assert!(read("03/02/2026", Dates::Iso).is_err());
        assert!(read("31/02/2026", Dates::DayFirst).is_err());
        assert!(read("soon", Dates::Iso).is_err());
    }

    #[test]
    fn users_are_left_out_or_pseudonyms() {
        assert_eq!(read(Attribute::LastUser, "NORTH\\j.doe"), Ok(Vec::new()));
        let hashed = |site, cell| values(Attribute::LastUser, cell, Reading { users: Some(site), ..PLAIN });
        let one = hashed("north", "NORTH\\j.doe").expect("a pseudonym");
        assert_eq!(one.first().map(String::len), Some(16));
        assert_eq!(hashed("north", "north\\J.Doe"), Ok(one.clone()));
        assert_ne!(hashed("south", "NORTH\\j.doe"), Ok(one));
    }
}
