//! What the inventory says of an expected device, held against what is expected of it.

use std::collections::BTreeMap;

use wardwatch_inventory::DeviceRecord;

use super::expected::{Expected, Field, Wanted};
use super::taxonomy::Taxonomy;

/// From this confidence on a value is stated for sure, in percent.
pub const SURE: u32 = 80;

/// Words behind a company's name that are not part of it.
const LEGAL_FORMS: [&str; 15] = [
    "inc",
    "ltd",
    "llc",
    "ag",
    "gmbh",
    "co",
    "corp",
    "corporation",
    "company",
    "se",
    "sa",
    "bv",
    "plc",
    "pty",
    "kg",
];

/// How a field was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As expected.
    Right,
    /// A narrower type than was expected, which may well be right.
    Narrower,
    /// A broader type than was expected.
    Broader,
    /// Something else.
    Wrong,
    /// Nothing is stated.
    Missing,
    /// Nothing could be known, and nothing is stated for sure.
    Open,
}

/// One field of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// How it was met.
    pub verdict: Verdict,
    /// Whether it counts as expected.
    pub is_expected: bool,
    /// What was expected, for people.
    pub wanted: String,
    /// What is stated; empty where nothing is.
    pub stated: String,
    /// How sure that is, in percent.
    pub confidence: u32,
    /// The expected type is not in the taxonomy, so that it cannot be stated.
    pub is_beyond_taxonomy: bool,
}

impl Judged {
    /// Whether a value is stated for sure.
    pub fn is_sure(&self) -> bool {
        !self.stated.is_empty() && self.confidence >= SURE
    }

    /// Whether something wrong is stated for sure.
    pub fn is_surely_wrong(&self) -> bool {
        self.verdict == Verdict::Wrong && self.is_sure()
    }

    /// Whether it was met as it must be.
    pub fn is_met(&self) -> bool {
        matches!(self.verdict, Verdict::Right | Verdict::Narrower)
    }
}

/// All that was judged of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// As exceptions name it.
    pub device: String,
    /// Whether the inventory has it.
    pub is_found: bool,
    /// Each field of which something is known.
    pub fields: BTreeMap<Field, Judged>,
}

/// Holds a device against what is expected of it.
pub fn judge(expected: &Expected, found: Option<&DeviceRecord>, taxonomy: &Taxonomy) -> Judgement {
    let nothing = DeviceRecord::default();
    let record = found.unwrap_or(&nothing);
    let makers = expected.makers();
    let fields = expected
        .wanted
        .iter()
        .map(|(field, wanted)| (*field, field_of(record, *field, wanted, makers, taxonomy)));
    Judgement { device: expected.name.clone(), is_found: found.is_some(), fields: fields.collect() }
}

fn field_of(
    record: &DeviceRecord,
    field: Field,
    wanted: &Wanted,
    makers: &[String],
    taxonomy: &Taxonomy,
) -> Judged {
    let stated = stated(record, field);
    let confidence = stated.iter().map(|value| confidence(record, field, value)).max().unwrap_or_default();
    let (values, is_expected) = match wanted {
        Wanted::OneOf(values) => (values.as_slice(), true),
        Wanted::IfAny(values) => (values.as_slice(), false),
        Wanted::Unknown => (&[][..], false),
    };
    let is_type = |is: &dyn Fn(&str, &str) -> bool| {
        field == Field::Type && values.iter().any(|value| is(record.device_type.as_str(), value))
    };
    let verdict = if *wanted == Wanted::Unknown {
        if !stated.is_empty() && confidence >= SURE { Verdict::Wrong } else { Verdict::Open }
    } else if shows(record, field, values, makers) {
        Verdict::Right
    } else if stated.is_empty() {
        Verdict::Missing
    } else if is_type(&|found, value| taxonomy.is_narrower(found, value)) {
        Verdict::Narrower
    } else if is_type(&|found, value| taxonomy.is_narrower(value, found)) {
        Verdict::Broader
    } else {
        Verdict::Wrong
    };
    Judged {
        verdict,
        is_expected,
        wanted: if values.is_empty() { "unknown".to_owned() } else { values.join(" / ") },
        stated: stated.join(" / "),
        confidence,
        is_beyond_taxonomy: field == Field::Type
            && !values.is_empty()
            && !values.iter().any(|value| taxonomy.knows(value)),
    }
}

/// Whether a device shows one of these values in a field. A model may have its maker's name before it, and of what is only
/// software the model is the software's name.
pub fn shows(record: &DeviceRecord, field: Field, values: &[String], makers: &[String]) -> bool {
    let mut shown = stated(record, field);
    if field == Field::Model && shown.is_empty() {
        shown.push(&record.software_name);
    }
    let plain = |value: &str| match field {
        Field::Model => without_maker(&canonical(field, value), makers),
        _ => canonical(field, value),
    };
    shown.into_iter().any(|shown| values.iter().any(|value| plain(shown) == plain(value)))
}

fn without_maker(model: &str, makers: &[String]) -> String {
    let mut names = makers.iter().map(|maker| maker.to_lowercase());
    let rest = names.find_map(|name| Some(model.strip_prefix(&name)?.strip_prefix(' ')?.to_owned()));
    rest.unwrap_or_else(|| model.to_owned())
}

/// The values in a field: of versions those of hardware, firmware, software and operating system, of others one.
fn stated(record: &DeviceRecord, field: Field) -> Vec<&str> {
    // Network equipment gives the version of its operating system, and no other.
    let system = record.detail("operating_system_version");
    let values: &[&str] = match field {
        Field::Category => &[&record.category],
        Field::Type => &[&record.device_type],
        Field::Manufacturer => &[&record.manufacturer],
        Field::Model => &[&record.model],
        Field::SerialNumber => &[&record.serial_number],
        Field::Version => {
            &[&record.software_version, &record.firmware_version, &record.hardware_version, system]
        }
    };
    values.iter().copied().filter(|value| !value.is_empty()).collect()
}

/// Of a kind that of the classification, of others that of the best reason for the value.
fn confidence(record: &DeviceRecord, field: Field, value: &str) -> u32 {
    let named: &[&str] = match field {
        Field::Category | Field::Type => return record.confidence,
        Field::Manufacturer => &["manufacturer"],
        Field::Model => &["model"],
        Field::SerialNumber => &["serial_number"],
        Field::Version => {
            &["software_version", "firmware_version", "hardware_version", "operating_system_version"]
        }
    };
    let reasons = record.why.iter().filter(|why| named.contains(&why.field.as_str()) && why.value == value);
    reasons.map(|why| why.confidence).max().unwrap_or_default()
}

/// Without what makes no difference: case, blanks and, of companies, punctuation and the legal form.
fn canonical(field: Field, value: &str) -> String {
    let lower = value.to_lowercase();
    if field != Field::Manufacturer {
        return lower.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let words = lower.split(|c: char| !c.is_alphanumeric() && c != '&').filter(|word| !word.is_empty());
    let mut words: Vec<&str> = words.collect();
    while words.len() > 1 && words.last().is_some_and(|word| LEGAL_FORMS.contains(word)) {
        words.pop();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_inventory::Why;

    fn judged(field: Field, wanted: &Wanted, record: &DeviceRecord) -> Judged {
        let taxonomy = Taxonomy::read().expect("it is there");
        field_of(record, field, wanted, &["Acme".to_owned()], &taxonomy)
    }

    fn of_type(name: &str, confidence: u32) -> DeviceRecord {
        DeviceRecord { device_type: name.into(), confidence, ..DeviceRecord::default() }
    }

    fn one_of(values: &[&str]) -> Wanted {
        Wanted::OneOf(values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn a_type_may_be_narrower_and_a_broader_one_is_told_apart() {
        let wanted = one_of(&["infusion pump"]);
        for (found, verdict) in [
            ("infusion pump", Verdict::Right),
            ("syringe pump", Verdict::Narrower),
            ("ventilator", Verdict::Wrong),
            ("", Verdict::Missing),
        ] {
            assert_eq!(judged(Field::Type, &wanted, &of_type(found, 90)).verdict, verdict, "{found}");
        }
        let broader = judged(Field::Type, &one_of(&["CT scanner"]), &of_type("imaging modality", 90));
        assert_eq!(broader.verdict, Verdict::Broader);
        assert!(!broader.is_met() && !broader.is_surely_wrong());
        assert!(judged(Field::Type, &one_of(&["weather satellite"]), &of_type("", 0)).is_beyond_taxonomy);
    }

    #[test]
    fn of_an_unknown_device_nothing_may_be_stated_for_sure() {
        assert_eq!(judged(Field::Type, &Wanted::Unknown, &of_type("server", 79)).verdict, Verdict::Open);
        let sure = judged(Field::Type, &Wanted::Unknown, &of_type("server", 80));
        assert!(sure.is_surely_wrong() && !sure.is_expected);
    }

    #[test]
    fn a_model_may_have_its_makers_name_before_it_or_be_the_name_of_software() {
        let model = |model: &str, software: &str| DeviceRecord {
            model: model.into(),
            software_name: software.into(),
            ..DeviceRecord::default()
        };
        let wanted = one_of(&["X 1"]);
        assert_eq!(judged(Field::Model, &wanted, &model("ACME X 1", "")).verdict, Verdict::Right);
        assert_eq!(judged(Field::Model, &wanted, &model("", "x 1")).verdict, Verdict::Right);
        assert_eq!(judged(Field::Model, &wanted, &model("Acme X 2", "X 1")).verdict, Verdict::Wrong);
        assert_eq!(judged(Field::Model, &wanted, &model("", "Apache")).verdict, Verdict::Missing);
    }

    #[test]
    fn companies_are_compared_without_legal_forms_and_versions_wherever_they_stand() {
        let record = DeviceRecord {
            manufacturer: "Acme, Inc.".into(),
            hardware_version: "1.0".into(),
            software_version: "2.1 b".into(),
            why: vec![Why {
                field: "hardware_version".into(),
                value: "1.0".into(),
                confidence: 95,
                ..Why::default()
            }],
            ..DeviceRecord::default()
        };
        assert_eq!(judged(Field::Manufacturer, &one_of(&["ACME"]), &record).verdict, Verdict::Right);
        assert_eq!(judged(Field::Manufacturer, &one_of(&["Acme Two"]), &record).verdict, Verdict::Wrong);
        assert_eq!(judged(Field::Version, &one_of(&["2.1  B"]), &record).verdict, Verdict::Right);
        let wrong = judged(Field::Version, &one_of(&["3"]), &record);
        assert!(wrong.is_surely_wrong(), "{wrong:?}");
    }
}
