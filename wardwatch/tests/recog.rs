//! `wardwatch knowledge import-recog`: packs out of Recog's XML, on the disk.

use std::fs;
use std::process::{Command, Output};

const DATABASE: &str = r#"<?xml version="1.0"?>
<fingerprints matches="http_header.server" protocol="http" database_type="service">
  <fingerprint pattern="^Acme-Pump/([\d.]+)$" flags="REG_ICASE">
    <description>Acme pump</description>
    <example service.version="7.1">Acme-Pump/7.1</example>
    <param pos="0" name="hw.vendor" value="Acme"/>
    <param pos="0" name="service.product" value="Pump"/>
    <param pos="1" name="service.version"/>
  </fingerprint>
  <fingerprint pattern="^Acme(?=-Gate)">
    <description>Acme gate</description>
    <example>Acme-Gate</example>
    <param pos="0" name="hw.vendor" value="Acme"/>
  </fingerprint>
</fingerprints>
"#;

fn wardwatch(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wardwatch")).args(arguments).output().expect("the program runs")
}

#[test]
fn packs_are_written_that_can_be_used() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = |path: &std::path::Path| path.to_str().expect("a plain path").to_owned();
    let database = folder.path().join("acme_servers.xml");
    fs::write(&database, DATABASE).expect("a writable folder");
    let packs = folder.path().join("packs");
    let done = wardwatch(&["knowledge", "import-recog", &text(folder.path()), "--output", &text(&packs)]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("acme_servers: 1 of 2 fingerprints taken; 1 of 2 examples hold"), "{said}");
    assert!(said.contains("1 left: looking around is not supported"), "{said}");
    let pack = packs.join("recog-acme-servers.toml");
    let checked = wardwatch(&["knowledge", "check", &text(&pack)]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));

    fs::write(&database, DATABASE.replace("<description>Acme gate", "<title>Acme gate"))
        .expect("a writable folder");
    let refused = wardwatch(&["knowledge", "import-recog", &text(&database), "--output", &text(&packs)]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("acme_servers:11: <title> is not known"), "{said}");
}
