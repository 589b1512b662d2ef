//! `wardwatch import sbom` and `mds2`, `documents`, `components` and `mds2 compare` beside a running `wardwatch up`, as a
//! person types them.

mod rig;

use rig::{Rig, Said, recorded};
use rust_xlsxwriter::Workbook;
use serde_json::Value;
use wardwatch_tests::skip;

const SBOM: &str = r#"{
  "bomFormat": "CycloneDX", "specVersion": "1.5",
  "metadata": { "component": { "type": "device", "name": "no such model", "version": "1.0" } },
  "components": [
    { "type": "operating-system", "name": "debian", "version": "11",
      "components": [{ "type": "library", "name": "OpenSSL", "version": "1.1.1k" }] },
    { "type": "library", "version": "without a name" }
  ]
}"#;

fn form(rows: &[[&str; 3]]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let head = ["Question ID", "Question", "Answer"];
    for (row, cells) in (0..).zip([head].iter().chain(rows)) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(row, column, *cell).expect("a cell");
        }
    }
    book.save_to_buffer().expect("a workbook")
}

fn rows(said: &Said) -> Vec<Value> {
    assert!(said.status.success(), "{said:?}");
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_else(|| panic!("{field} of {row}"))
}

#[test]
fn documents_are_brought_in_shown_compared_and_taken_away() {
    if skip::unless_clickhouse("documents_are_brought_in_shown_compared_and_taken_away") {
        return;
    }
    let rig = Rig::new();
    let captures = recorded();
    let mut arguments = vec!["up"];
    arguments.extend(captures.iter().flat_map(|path| ["--pcap", path.to_str().expect("UTF-8")]));
    let mut running = rig.start(&arguments);
    running.until("all input is stored");
    let device = rig
        .query(
            "SELECT device, manufacturer, model FROM v_devices WHERE manufacturer != '' AND model != '' ORDER BY device LIMIT 1",
        )
        .remove(0);
    let (id, maker, model) = (text(&device, "device"), text(&device, "manufacturer"), text(&device, "model"));

    let path = rig.file("monitor.cdx.json", SBOM.as_bytes());
    let path = path.to_str().expect("UTF-8");
    let said = rig.run(&["import", "sbom", path]);
    assert!(!said.status.success() && said.err.contains("--manufacturer"), "{said:?}");
    let said = rig.run(&["import", "sbom", path, "--manufacturer", maker, "--model", model, "--wait"]);
    assert!(said.status.success() && said.out.contains("CycloneDX 1.5 with 3 components"), "{said:?}");
    assert!(said.err.contains("components[1]: it has no name"), "{said:?}");
    let parts = rows(&rig.run(&["components", "--device", id, "--name", "openssl", "--format", "json"]));
    assert_eq!((text(&parts[0], "release"), text(&parts[0], "matched_by")), ("1.1.1k", "model"));

    let questions = |answer| {
        form(&[
            ["DOC-1", "Manufacturer Name", maker],
            ["DOC-3", "Device Model", model],
            ["MPII-1", "Is there personal data?", answer],
        ])
    };
    let one = rig.file("one.xlsx", &questions("Yes"));
    let other = rig.file("other.xlsx", &questions("No"));
    let said = rig.run(&["import", "mds2", one.to_str().expect("UTF-8"), "--wait"]);
    assert!(said.status.success() && said.out.contains("MDS2 2019 with 3 answers"), "{said:?}");
    let said = rig.run(&["import", "mds2", other.to_str().expect("UTF-8"), "--model", "Another", "--wait"]);
    assert!(said.status.success(), "{said:?}");
    let compared = rig.run(&["mds2", "compare", model, "another", "--differences", "--format", "json"]);
    let compared = rows(&compared);
    let answers: Vec<_> = compared.iter().map(|row| (text(row, "question"), text(row, "said"))).collect();
    assert_eq!(answers, [("MPII-1", "different")]);
    let said = rig.run(&["mds2", "compare", model, "nobody's"]);
    assert!(!said.status.success() && said.err.contains("no MDS2 form"), "{said:?}");

    let listed = rows(&rig.run(&["documents", "--format", "json"]));
    assert_eq!(listed.len(), 3);
    let sbom = listed.iter().find(|row| text(row, "kind") == "sbom").expect("listed");
    let document = &text(sbom, "document")[..8];
    let shown = rig.run(&["documents", "show", document]);
    assert!(shown.out.contains("no such model") && shown.out.contains("OpenSSL"), "{shown:?}");
    let said = rig.run(&["documents", "undo", document, "--wait"]);
    assert!(said.status.success() && said.out.contains("is withdrawn"), "{said:?}");
    assert!(rows(&rig.run(&["components", "--device", id, "--format", "json"])).is_empty());
    let said = rig.run(&["documents", "undo", document]);
    assert!(!said.status.success() && said.err.contains("`wardwatch documents` lists them"), "{said:?}");
    let missing = rows(&rig.run(&["documents", "--missing", "--format", "json"]));
    assert!(missing.iter().any(|row| text(row, "model") == model), "{missing:?}");
    assert!(running.stop().success(), "it stops in order");
}
