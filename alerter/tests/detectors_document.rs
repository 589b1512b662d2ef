//! `docs/detectors.md` says what the detectors say of themselves. With `UPDATE=1` it is written, without it is compared.

use std::fmt::Write as _;
use std::path::Path;

use wardwatch_alerter::detectors;
use wardwatch_proto::name::Named as _;

fn document() -> String {
    let mut text = String::from(
        "# Detectors\n\n\
         What raises an alert. This page is written from the code: `UPDATE=1 cargo test -p wardwatch-alerter --test \
         detectors_document`.\n\n\
         An alert is about one device and one matter. It is raised by the first event, repeated by later ones, and stays \
         acknowledged once a person has acknowledged it, until a person opens it again: who acknowledges knows that it \
         goes on.\n",
    );
    for about in detectors::all().iter().map(|detector| detector.about()) {
        let attack = about
            .attack
            .map_or_else(|| "none: not an attack by itself".to_owned(), |(id, name)| format!("{id} {name}"));
        let _ = write!(
            text,
            "\n## {}\n\n{}.\n\n\
             | | |\n|---|---|\n\
             | Sees | {} |\n\
             | Threshold | {} |\n\
             | Severity | {} |\n\
             | MITRE ATT&CK | {attack} |\n\
             | What to do | {} |\n",
            about.name,
            about.title,
            about.sees,
            about.threshold,
            about.severity.name(),
            about.remedy,
        );
    }
    text
}

#[test]
fn the_document_says_what_the_code_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/detectors.md");
    let expected = document();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &expected).expect("written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "write it anew with UPDATE=1");
}
