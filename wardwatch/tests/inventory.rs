//! The inventory as people read it: lists, a device's page, CSV, and the questions of `docs/queries.md`.

mod rig;

use std::path::Path;

use rig::{Rig, recorded};
use serde_json::Value;
use wardwatch_tests::skip;

/// One data folder for all, since playing the captures takes the most time.
#[test]
fn the_inventory_is_read_in_every_form() {
    if skip::unless_clickhouse("the_inventory_is_read_in_every_form") {
        return;
    }
    let rig = Rig::new();
    // Beside a running one, so that not every question starts a ClickHouse of its own.
    let captures = recorded();
    let mut arguments = vec!["up"];
    arguments.extend(captures.iter().flat_map(|path| ["--pcap", path.to_str().expect("UTF-8")]));
    let mut running = rig.start(&arguments);
    running.until("all input is stored");
    the_page_says_what_is_known_and_what_is_not(&rig);
    lists_are_filtered_sorted_and_cut(&rig);
    what_is_wrong_names_what_is_near(&rig);
    the_scanners_examinations_are_counted(&rig);
    views_agree_with_the_inventory(&rig);
    documented_questions_have_an_answer(&rig);
    assert!(running.stop().success(), "it stops in order");
}

fn the_page_says_what_is_known_and_what_is_not(rig: &Rig) {
    let page = rig.run(&["device", "ct-evo-1"]);
    assert!(page.status.success(), "{page:?}");
    let widest = page.out.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(widest <= 100, "{widest} columns: {}", page.out);
    // The version of the built-in knowledge changes with each rule, and in how many steps something became known depends on
    // where batches were cut.
    let (before, rest) = page.out.split_once("\nHISTORY\n").expect("a history");
    let (history, evidence) = rest.split_once("\nEVERYTHING THAT WAS SAID ABOUT IT\n").expect("evidence");
    for word in ["appeared", "learned", "REV0000417733"] {
        assert!(history.contains(word), "{word} is not in {history}");
    }
    let lines = before.lines().chain(["", "EVERYTHING THAT WAS SAID ABOUT IT"]).chain(evidence.lines());
    let lines: Vec<&str> =
        lines.map(str::trim_end).filter(|line| !line.trim_start().starts_with("knowledge  ")).collect();
    insta::assert_snapshot!("page", lines.join("\n"));

    let json = rig.run(&["device", "ct-evo-1", "--format", "json"]);
    let whole: Value = serde_json::from_str(&json.out).expect("a JSON object");
    let profile = whole["profile"].as_array().expect("a profile");
    let field = |name: &str| profile.iter().find(|field| field["field"] == name).expect("a field");
    assert_eq!(field("serial_number")["standing"], "known");
    assert_eq!(field("asset_tag")["standing"], "not-seen");
    assert_eq!(field("asset_tag")["group"], "maintenance");
    assert!(field("asset_tag")["completed_by"].as_str().expect("text").contains("import"));
    for part in ["attributes", "history", "alerts", "notes", "children", "factors", "gaps"] {
        assert!(whole[part].is_array(), "{part}");
    }
    let gateway: Value =
        serde_json::from_str(&rig.run(&["device", "onlinesuite-1.tarnwick.example", "--format", "json"]).out)
            .expect("JSON");
    let children = gateway["children"].as_array().expect("children");
    assert!(children.iter().any(|child| child["serial_number"] == "087121"), "{children:?}");
}

fn names(rig: &Rig, arguments: &[&str]) -> Vec<String> {
    let arguments =
        [&["devices", "--columns", "name", "--sort", "name", "--format", "json"], arguments].concat();
    let said = rig.run(&arguments);
    assert!(said.status.success(), "{said:?}");
    let rows: Vec<Value> = serde_json::from_str(&said.out).expect("a JSON array");
    rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

fn lists_are_filtered_sorted_and_cut(rig: &Rig) {
    let scanners = ["CRPRIMA1", "MRC41273", "ct-evo-1", "us-epiq-1"];
    let of_types: Vec<&str> = ["X-ray system", "MR scanner", "ct SCANNER", "ultrasound scanner"]
        .into_iter()
        .flat_map(|kind| ["--type", kind])
        .collect();
    assert_eq!(names(rig, &of_types), scanners);
    assert_eq!(names(rig, &["--search", "EVO-1"]), ["ct-evo-1"]);
    assert_eq!(names(rig, &["--type", "CT scanner", "--missing", "serial_number"]), [""; 0]);
    assert_eq!(
        names(rig, &["--type", "CT scanner", "--missing", "asset_tag", "--missing", "room"]),
        ["ct-evo-1"]
    );
    let all = names(rig, &[]).len();
    assert_eq!(all as u64, rig.count("SELECT count() FROM v_devices"));
    assert_eq!(
        names(rig, &["--unknown"]).len() as u64,
        rig.count("SELECT countIf(type = '') FROM v_devices")
    );
    let seen = names(rig, &["--seen-since", "2020-01-01"]).len();
    let unseen = names(rig, &["--not-seen-since", "2020-01-01T00:00:00Z"]).len();
    assert_eq!((seen, unseen), (all, 0));
    assert_eq!(names(rig, &["--seen-since", "1s"]), [""; 0], "the captures are older");
    assert_eq!(names(rig, &["--limit", "2"]).len(), 2);
    assert_eq!(names(rig, &["--site", "nowhere"]), [""; 0]);
    assert_eq!(names(rig, &["--search", "x\\') OR 1=1 --"]), [""; 0], "what is typed stays text");
    let said = rig.run(&[
        "devices",
        "--columns",
        "name,asset_tag,score",
        "--sort",
        "score",
        "--reverse",
        "--limit",
        "1",
    ]);
    assert!(said.status.success() && said.out.contains("asset_tag"), "{said:?}");

    let said = rig.run(&["devices", "--format", "csv"]);
    assert!(said.out.starts_with("\"site\",\"device\",\"name\""), "{said:?}");
    let listed = csv::Reader::from_reader(said.out.as_bytes()).records().count();
    assert_eq!(listed, all);
    let said = rig.run(&["query", "SELECT '=1+1' AS z, 'plain' AS a", "--format", "csv"]);
    assert_eq!(said.out, "\"z\",\"a\"\n\"'=1+1\",\"plain\"\n");
    let said = rig.run(&["alerts", "--format", "csv"]);
    assert!(said.out.starts_with("\"id\",\"severity\""), "{said:?}");
    let help = rig.run(&["devices", "--columns", "help"]).out;
    for name in ["serial_number", "asset_tag", "criticality", "visibility"] {
        assert!(help.lines().any(|line| line == name), "{name} is not in {help}");
    }
}

fn what_is_wrong_names_what_is_near(rig: &Rig) {
    let wrong: [(&[&str], &str); 5] = [
        (&["devices", "--columns", "name,serial_nummer"], "near: serial_number"),
        (&["devices", "--sort", "scor"], "--sort: no column is called \"scor\"; near: score"),
        (&["devices", "--missing", "aset_tag"], "near: asset_tag"),
        (&["devices", "--seen-since", "yesterday"], "say how long ago"),
        (&["device", "nobody"], "`wardwatch devices` lists them"),
    ];
    for (arguments, expected) in wrong {
        let said = rig.run(arguments);
        assert!(!said.status.success(), "{arguments:?}: {said:?}");
        assert!(said.err.contains(expected), "{arguments:?}: {}", said.err);
    }
}

/// `tests/lab/scenes/radiology.toml` says who examines: four scanners, a patient each. The archive sends images, too, the
/// workstation and the engineer open associations, and none of them examines anybody.
fn the_scanners_examinations_are_counted(rig: &Rig) {
    let sql = "SELECT d.name AS name, sum(u.examinations) AS examinations, sum(u.image_associations) AS associations,
            max(u.in_use_hours) AS in_use, max(u.online_hours) AS online
        FROM v_utilisation AS u INNER JOIN v_devices AS d ON d.site = u.site AND d.device = u.device
        GROUP BY name HAVING examinations > 0 ORDER BY name";
    let expected = ["CRPRIMA1", "MRC41273", "ct-evo-1", "us-epiq-1"];
    let rows = rig.query(sql);
    let found: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(found, expected);
    for row in &rows {
        let of = |field: &str| row[field].as_u64().expect("a number");
        assert_eq!((of("examinations"), of("associations")), (1, 1), "{row}");
        assert!((1..=2).contains(&of("in_use")) && of("in_use") <= of("online"), "{row}");
    }
    let clinical = "SELECT in_use_hours FROM v_utilisation AS u INNER JOIN v_devices AS d ON d.device = u.device WHERE d.name = 'ups-or'";
    assert_eq!(rig.count(clinical), 0, "a UPS speaks no clinical protocol");
}

fn views_agree_with_the_inventory(rig: &Rig) {
    let devices = rig.count("SELECT count() FROM v_devices");
    assert_eq!(rig.count("SELECT count() FROM v_presence"), devices);
    assert_eq!(rig.count("SELECT countIf(online) FROM v_presence"), 0, "the captures are older");
    assert_eq!(
        rig.count("SELECT count() FROM v_device_children"),
        rig.count("SELECT countIf(parent != '') FROM v_devices")
    );
    let appeared = "SELECT uniqExact(id) FROM v_device_history WHERE event = 'appeared'";
    assert_eq!(rig.count(appeared), rig.count("SELECT count() FROM devices FINAL"));
    assert_eq!(
        rig.count("SELECT count() FROM v_device_history WHERE event != 'appeared'"),
        rig.count("SELECT count() FROM changes")
    );
    let gaps = "SELECT countIf(standing != 'known') FROM v_device_fields";
    assert_eq!(rig.count(gaps), rig.count("SELECT sum(length(gap_fields)) FROM v_devices"));
    let serials = "SELECT count() FROM v_device_fields WHERE field = 'serial_number' AND standing = 'known'
        AND confidence > 0 AND source != ''";
    assert_eq!(rig.count(serials), rig.count("SELECT countIf(serial_number != '') FROM v_devices"));
}

/// Each question of the manual is one that ClickHouse understands.
fn documented_questions_have_an_answer(rig: &Rig) {
    let manual = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/queries.md"))
        .expect("the manual");
    let questions: Vec<&str> =
        manual.split("```sql").skip(1).filter_map(|rest| rest.split("```").next()).map(str::trim).collect();
    assert!(questions.len() > 15, "{} questions", questions.len());
    for sql in questions {
        let said = rig.run(&["query", sql, "--format", "json"]);
        assert!(said.status.success(), "{sql}\n{}", said.err);
    }
}
