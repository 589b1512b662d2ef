//! Nothing that comes from outside makes a reader panic, and what it takes in stays within its bounds.

use std::sync::LazyLock;

use crate::form;
use proptest::collection::vec;
use proptest::prelude::*;
use wardwatch_documents::{mds2, sbom};

static FORM: LazyLock<Vec<u8>> = LazyLock::new(form::form_of_2013);
const FIXTURES: [&str; 4] = [
    include_str!("fixtures/monitor.cdx.json"),
    include_str!("fixtures/monitor.cdx.xml"),
    include_str!("fixtures/monitor.spdx.json"),
    include_str!("fixtures/monitor.spdx"),
];

fn check(bytes: &[u8]) {
    let Ok(read) = sbom::read(bytes) else { return };
    assert!(!read.components.is_empty() && read.components.len() <= sbom::MOST_COMPONENTS);
    for (index, component) in read.components.iter().enumerate() {
        let texts = [
            &component.kind,
            &component.name,
            &component.version,
            &component.supplier,
            &component.purl,
            &component.cpe,
            &component.licence,
        ];
        assert!(texts.iter().all(|text| text.len() <= 1024 && !text.contains(char::is_control)));
        assert!(!component.name.is_empty() && component.depth <= sbom::DEEPEST);
        assert!(
            component.parent.is_none_or(|parent| (parent as usize) < index),
            "what contains it is before it"
        );
    }
}

/// Some octets replaced, and a part repeated.
fn damaged(whole: &[u8], changes: &[(usize, u8)], from: usize, length: usize) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for (at, octet) in changes {
        let at = at % bytes.len();
        bytes[at] = *octet;
    }
    let from = from % bytes.len();
    let part = bytes[from..bytes.len().min(from + length)].to_vec();
    bytes.splice(from..from, part);
    bytes
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(bytes in vec(any::<u8>(), 0..2000)) {
        check(&bytes);
        let _ = mds2::read(&bytes);
    }

    #[test]
    fn a_damaged_bill_is_read_or_refused(
        which in 0..FIXTURES.len(),
        changes in vec((any::<usize>(), prop_oneof![any::<u8>(), prop::sample::select(b"\"{}[]<>&;:/\\\n\0 ".to_vec())]), 0..8),
        from in any::<usize>(),
        length in 0..400_usize,
    ) {
        check(&damaged(FIXTURES[which].as_bytes(), &changes, from, length));
    }

    #[test]
    fn a_damaged_form_is_read_or_refused(
        changes in vec((any::<usize>(), any::<u8>()), 0..6), from in any::<usize>(), length in 0..50_usize,
    ) {
        let _ = mds2::read(&damaged(&FORM, &changes, from, length));
    }

    #[test]
    fn any_cells_are_read_or_refused(rows in vec(vec("[A-D1-9.Nnote: -]{0,12}|AUDT-1|Question|Yes|Note 1|\\PC{0,30}", 0..6), 0..12)) {
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        if let Ok(form) = mds2::read(&form::workbook(&rows)) {
            for answer in &form.answers {
                let texts = [&answer.section, &answer.question, &answer.text, &answer.answer, &answer.note];
                assert!(texts.iter().all(|text| text.len() <= mds2::LONGEST_TEXT && !text.contains(char::is_control)));
                assert!(!answer.text.is_empty());
            }
        }
    }
}
