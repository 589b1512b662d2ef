//! What names patients in a capture, as Wireshark reads it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::details::details;

/// Elements of a DICOM dataset that name the patient, or a person about them: name, number, birth date, other numbers,
/// address, mother's name, telephone; referring and performing physician (PS3.3, C.7.1.1, C.7.2.1).
const ELEMENTS: [&str; 10] = [
    "(0010,0010)",
    "(0010,0020)",
    "(0010,0030)",
    "(0010,1000)",
    "(0010,1001)",
    "(0010,1040)",
    "(0010,1060)",
    "(0010,2154)",
    "(0008,0090)",
    "(0008,1050)",
];

/// HL7 segments and their fields that name the patient or next of kin: numbers, name, mother, birth date, address,
/// telephone, account (chapter 3).
const SEGMENTS: [(&str, &[usize]); 2] = [("PID", &[2, 3, 4, 5, 6, 7, 11, 13, 18, 19]), ("NK1", &[2, 4, 5])];

/// Words of four characters or more out of those fields.
pub fn words(capture: &Path) -> Result<BTreeSet<String>> {
    let mut words = BTreeSet::new();
    for frame in details(capture, "dicom || hl7", "dicom,hl7")? {
        for line in frame.lines.iter().map(|line| line.trim()) {
            if ELEMENTS.iter().any(|element| line.starts_with(element))
                && let Some((_, value)) = line.split_once("] ")
                && value != "<Empty>"
            {
                words.extend(words_of(value));
            }
        }
    }
    for row in super::fields(capture, &["-d", "tcp.port==6661,hl7", "-Y", "hl7"], &["hl7.segment"])?.rows() {
        for segment in row.all("hl7.segment") {
            let fields: Vec<&str> = segment.split('|').collect();
            for (name, numbers) in SEGMENTS {
                if fields.first() == Some(&name) {
                    let named = numbers.iter().filter_map(|number| fields.get(*number));
                    words.extend(named.flat_map(|field| words_of(field)));
                }
            }
        }
    }
    Ok(words)
}

fn words_of(value: &str) -> impl Iterator<Item = String> {
    // Of an identifier with its authority (HL7 CX, 2.A.14), the first component is the patient's.
    let is_number_of_authority = value.contains("^^^");
    let named = if is_number_of_authority { value.split('^').next().unwrap_or_default() } else { value };
    let words = named.split(|c: char| !c.is_alphanumeric() && c != '-');
    words.filter(|word| word.chars().count() >= 4).map(str::to_lowercase)
}
