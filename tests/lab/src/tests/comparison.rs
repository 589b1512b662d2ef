//! How statements are held against a description.

use std::path::PathBuf;

use super::lab;
use crate::comparison::{Comparison, Row, Verdict, compare};
use crate::sensor::{Counted, Facts, Means, Watched};
use crate::{Played, Scene, report};

/// A scene in which the CT scanner says its maker, serial number and DICOM's name.
const SCENE: &str = r#"
    [[step]]
    on = "ct-1"
    rest = 0.0
    [[truth]]
    of = ["ct-1"]
    protocols = ["dicom"]
    says = ["manufacturer", "serial", "dicom.ae_title"]
    states = { role = ["dicom-scu"] }
"#;

fn stated(address: &str, attribute: &str, value: &str) -> String {
    format!(
        r#"{{"type":"observation","attribute":"{attribute}","value":"{value}","protocol":"dicom","subject":{{"role":"sender","ip":"{address}"}}}}"#
    )
}

/// The scene as a sensor saw it that stated these lines.
fn compared(lines: &[String]) -> Comparison {
    let scene: Scene = toml::from_str(SCENE).unwrap();
    let printed = lines.join("\n");
    let counted = Counted { packets: 1, dropped_by_kernel: 0 };
    let watched = Watched { means: Means::AfXdp, counted, facts: Facts::read(&printed).unwrap(), printed };
    let played = Played {
        capture: PathBuf::new(),
        packets: 1,
        watched: vec![watched],
        _scratch: tempfile::tempdir().unwrap(),
    };
    compare(lab().hospital(), &scene, &played)
}

fn verdicts(lines: &[String]) -> (Vec<(String, String, Verdict)>, bool) {
    let comparison = compared(lines);
    let rows = comparison.devices.iter().flat_map(|device| &device.rows).chain(&comparison.strangers);
    let verdict = |row: &Row| row.verdicts[&Means::AfXdp];
    let rows = rows.map(|row| (row.what.clone(), row.value.clone(), verdict(row))).collect();
    (rows, comparison.agrees())
}

fn complete() -> Vec<String> {
    [
        ("manufacturer", "GE MEDICAL SYSTEMS"),
        ("serial_number", "REV0000417733"),
        ("dicom_ae_title", "CT_EVO_1"),
        ("role", "dicom-scu"),
    ]
    .map(|(attribute, value)| stated("10.20.10.11", attribute, value))
    .into()
}

#[test]
fn what_the_description_says_is_found() {
    let (rows, agrees) = verdicts(&complete());
    assert!(agrees);
    assert!(rows.iter().all(|(_, _, verdict)| *verdict == Verdict::Found), "{rows:?}");
    assert_eq!(rows.len(), 5, "the protocol and four facts: {rows:?}");
}

#[test]
fn what_nobody_stated_is_missing() {
    let (rows, agrees) = verdicts(&complete()[1..]);
    assert!(!agrees);
    let missing = ("manufacturer".to_owned(), "GE MEDICAL SYSTEMS".to_owned(), Verdict::Missing);
    assert!(rows.contains(&missing), "{rows:?}");
}

#[test]
fn another_value_of_what_is_described_is_invented() {
    let mut lines = complete();
    lines.push(stated("10.20.10.11", "model", "Optima"));
    let (rows, agrees) = verdicts(&lines);
    assert!(!agrees);
    assert!(rows.contains(&("model".into(), "Optima".into(), Verdict::Invented)), "{rows:?}");
}

#[test]
fn what_is_not_described_and_no_identity_is_more() {
    let mut lines = complete();
    lines.push(stated("10.20.10.11", "dicom_sop_class", "1.2.840.10008.1.1"));
    let (rows, agrees) = verdicts(&lines);
    assert!(agrees);
    assert!(
        rows.contains(&("dicom_sop_class".into(), "1.2.840.10008.1.1".into(), Verdict::More)),
        "{rows:?}"
    );
}

#[test]
fn a_statement_about_nobody_is_invented() {
    let mut lines = complete();
    lines.push(stated("192.0.2.1", "role", "dicom-scp"));
    assert!(!verdicts(&lines).1);
}

#[test]
fn a_patients_name_in_a_statement_is_told() {
    let mut lines = complete();
    lines.push(stated("10.20.10.11", "description", "Quillfeather"));
    let comparison = compared(&lines);
    assert!(!comparison.agrees());
    assert!(report::tables(&comparison, false).contains("Quillfeather"));
}
