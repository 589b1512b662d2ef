//! `wardwatch acknowledge`, `reopen`, `override` and `knowledge` beside a running `wardwatch up`, as a person types them.

mod rig;

use rig::{Rig, Said, recorded};
use serde_json::Value;
use wardwatch_tests::skip;

/// Every device of this maker is an infusion pump.
const PACK: &str = r#"
version = "7"
[[rule]]
id = "ours"
type = "infusion pump"
confidence = 100
because = "it stands in our list"
when = [{ attribute = "manufacturer", contains = "ge" }]
example = [{ attribute = "manufacturer", value = "GE MEDICAL SYSTEMS" }]
"#;

fn receipt(said: &Said) -> Value {
    assert!(said.status.success(), "{said:?}");
    serde_json::from_str(&said.out).expect("a JSON object")
}

fn text(row: &Value, field: &str) -> String {
    row[field].as_str().unwrap_or_else(|| panic!("{field} of {row}")).to_owned()
}

#[test]
fn decisions_take_effect_and_are_listed() {
    if skip::unless_clickhouse("decisions_take_effect_and_are_listed") {
        return;
    }
    let rig = Rig::new();
    let captures = recorded();
    let mut arguments = vec!["up"];
    arguments.extend(captures.iter().flat_map(|path| ["--pcap", path.to_str().expect("UTF-8")]));
    let mut running = rig.start(&arguments);
    running.until("all input is stored");

    let alert =
        rig.query("SELECT alert FROM v_alerts WHERE detector = 'clear-text-credentials' ORDER BY alert");
    let alert = text(&alert[0], "alert");
    let said = rig.run(&["acknowledge", &alert, "--note", "known", "--wait", "--format", "json"]);
    let acknowledged = receipt(&said);
    assert_eq!(
        (text(&acknowledged, "outcome"), text(&acknowledged, "site")),
        ("applied".into(), "local".into())
    );
    let status = format!("SELECT status, note, acknowledged_by FROM v_alerts WHERE alert = '{alert}'");
    let shown = &rig.query(&status)[0];
    assert_eq!((text(shown, "status"), text(shown, "note")), ("acknowledged".into(), "known".into()));
    assert_eq!(text(shown, "acknowledged_by"), text(&acknowledged, "author"));
    let said = rig.run(&["reopen", &alert, "--wait"]);
    assert!(said.status.success() && said.out.contains("opened again"), "{said:?}");
    assert_eq!(text(&rig.query(&status)[0], "status"), "open");

    let scanner =
        rig.query("SELECT device, location FROM v_devices WHERE type = 'CT scanner' ORDER BY device");
    let id = text(&scanner[0], "device");
    let said = rig.run(&["override", &id[..8], "location", "Room 7", "--note", "on the round", "--wait"]);
    assert!(said.status.success() && said.out.contains("location is Room 7"), "{said:?}");
    let page = rig.run(&["device", &id]);
    assert!(page.out.contains("Room 7") && page.out.contains("a person decided so"), "{}", page.out);

    let pack = rig.file("ours.toml", PACK.as_bytes());
    let pack = pack.to_str().expect("UTF-8");
    let said = rig.run(&["knowledge", "load", pack, "--wait", "--format", "json"]);
    assert_eq!(text(&receipt(&said), "outcome"), "applied");
    let concluded = format!("SELECT type, knowledge FROM v_devices WHERE device = '{id}'");
    assert_eq!(text(&rig.query(&concluded)[0], "type"), "infusion pump");
    assert!(text(&rig.query(&concluded)[0], "knowledge").ends_with("+ours@7"));
    assert!(rig.run(&["knowledge", "unload", "ours", "--wait"]).status.success());
    assert_eq!(text(&rig.query(&concluded)[0], "type"), "CT scanner");
    let said = rig.run(&["knowledge", "unload", "ours", "--wait"]);
    assert!(!said.status.success() && said.err.contains("unknown-pack"), "{said:?}");
    let said = rig.run(&["override", &id, "location", "--withdraw", "--wait"]);
    assert!(said.status.success(), "{said:?}");
    let location = rig.query(&format!("SELECT location FROM v_devices WHERE device = '{id}'"));
    assert_eq!(location[0]["location"], scanner[0]["location"]);

    let said = rig.run(&["label", &id, "pilot", "loan device", "--wait"]);
    assert!(said.status.success() && said.out.contains("labels are pilot, loan device"), "{said:?}");
    let said = rig.run(&["label", &id, "pilot", "--remove", "--wait"]);
    assert!(said.status.success() && said.out.contains("labels are loan device"), "{said:?}");
    let said = rig.run(&["assign", &id, "M. Ashdown", "--wait"]);
    assert!(said.status.success() && said.out.contains("assigned to M. Ashdown"), "{said:?}");
    a_device_is_retired_seen_all_the_same_and_taken_back(&rig, &id);
    let said = rig.run(&["note", &id, "Tube changed.\nVendor comes again.", "--wait"]);
    assert!(said.status.success() && said.out.contains("noted"), "{said:?}");
    let said =
        rig.run(&["devices", "--label", "loan device", "--columns", "id,labels,assignee", "--format", "csv"]);
    assert_eq!(
        said.out,
        format!("\"id\",\"labels\",\"assignee\"\n\"{id}\",\"loan device\",\"M. Ashdown\"\n"),
        "{said:?}"
    );
    let page = rig.run(&["device", &id]).out;
    for part in ["NOTES", "Tube changed.", "Vendor comes again.", "M. Ashdown"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }

    let listed = rig.run(&["commands", "--format", "json"]);
    let listed: Vec<Value> = serde_json::from_str(&listed.out).expect("a JSON array");
    let outcomes: Vec<String> =
        listed.iter().rev().map(|row| format!("{} {}", text(row, "action"), text(row, "outcome"))).collect();
    assert_eq!(
        outcomes,
        [
            "acknowledge_alert applied",
            "reopen_alert applied",
            "override_attribute applied",
            "load_knowledge_pack applied",
            "load_knowledge_pack applied",
            "load_knowledge_pack ignored",
            "override_attribute applied",
            "override_attribute applied",
            "override_attribute applied",
            "override_attribute applied",
            "override_attribute applied",
            "override_attribute applied",
            "override_attribute applied",
            "add_note applied",
        ]
    );
    assert!(running.stop().success(), "it stops in order");
    let said = rig.run(&["acknowledge", &alert]);
    assert!(!said.status.success() && said.err.contains("no `wardwatch up` runs on"), "{}", said.err);
}

/// Where the captures were recorded long before, and long after.
fn a_device_is_retired_seen_all_the_same_and_taken_back(rig: &Rig, id: &str) {
    let state = format!("SELECT state FROM v_presence WHERE device = '{id}'");
    let said = rig.run(&["retire", id, "--note", "sold", "--wait"]);
    assert!(said.status.success() && said.out.contains("retired since now"), "{said:?}");
    assert_eq!(text(&rig.query(&state)[0], "state"), "retired", "the captures are older");
    let said = rig.run(&["retire", id, "--since", "2001-01-01", "--wait"]);
    assert!(said.status.success(), "{said:?}");
    let columns = ["--columns", "id,retired_since", "--format", "csv"];
    let said = rig.run(&[&["devices", "--lifecycle", "retired-but-seen"], columns.as_slice()].concat());
    assert_eq!(said.out, format!("\"id\",\"retired_since\"\n\"{id}\",\"2001-01-01\"\n"), "{said:?}");
    assert!(rig.run(&["device", id]).out.contains("retired-but-seen"));
    let said = rig.run(&["retire", id, "--withdraw", "--wait"]);
    assert!(said.status.success(), "{said:?}");
    assert_eq!(text(&rig.query(&state)[0], "state"), "offline");
    let history = format!(
        "SELECT event FROM v_device_history WHERE device = '{id}' AND field = 'lifecycle' ORDER BY at, event"
    );
    let events: Vec<String> = rig.query(&history).iter().map(|row| text(row, "event")).collect();
    assert_eq!(events, ["retired", "returned", "reinstated"]);
}

#[test]
fn a_table_is_imported_listed_compared_and_taken_back() {
    if skip::unless_clickhouse("a_table_is_imported_listed_compared_and_taken_back") {
        return;
    }
    let rig = Rig::new();
    let captures = recorded();
    let mut arguments = vec!["up"];
    arguments.extend(captures.iter().flat_map(|path| ["--pcap", path.to_str().expect("UTF-8")]));
    let mut running = rig.start(&arguments);
    running.until("all input is stored");
    let known = rig
        .query("SELECT device, macs[1] AS mac FROM v_devices WHERE notEmpty(macs) ORDER BY device LIMIT 1");
    let (id, mac) = (text(&known[0], "device"), text(&known[0], "mac").replace(':', "-").to_uppercase());
    let table = format!(
        "Asset No;MAC;Model;Cost Center;Last PM\nA-1;{mac};Another X9;4711;2026-01-31\n\
         A-2;02-00-00-00-77-01;X1;=1+1;2026-01-31\n;;X1;4711;\n"
    );
    let table = rig.file("assets.csv", table.as_bytes());
    let table = table.to_str().expect("UTF-8");

    let said = rig.run(&["import", "cmms", table, "--dry-run"]);
    assert_eq!(said.status.code(), Some(3), "{said:?}");
    assert!(
        said.out.contains("nothing in it names a device") && said.out.contains("2 rows would be"),
        "{said:?}"
    );
    assert_eq!(rig.count("SELECT count() FROM commands"), 0);
    let said = rig.run(&["import", "cmms", table, "--wait", "--format", "json", "--note", "monthly"]);
    assert_eq!(said.status.code(), Some(3), "{said:?}");
    let told: Value = serde_json::from_str(&said.out).expect("a JSON object");
    assert_eq!((told["rows"].as_u64(), told["problems"].as_array().map(Vec::len)), (Some(2), Some(2)));
    let shown = rig.query(&format!(
        "SELECT asset_tag, details['cost_centre'] AS centre FROM v_devices WHERE device = '{id}'"
    ));
    assert_eq!((text(&shown[0], "asset_tag"), text(&shown[0], "centre")), ("A-1".into(), "4711".into()));

    let listed = rig.run(&["imports", "--format", "json"]);
    let listed: Vec<Value> = serde_json::from_str(&listed.out).expect("a JSON array");
    assert_eq!((text(&listed[0], "import"), text(&listed[0], "source")), ("cmms".into(), "cmms".into()));
    let said = rig.run(&["imports", "differences"]);
    assert!(said.out.contains("not-seen") && said.out.contains("not-imported"), "{said:?}");
    let said = rig.run(&["imports", "undo", "cmms", "--wait"]);
    assert!(said.status.success(), "{said:?}");
    assert_eq!(rig.count("SELECT count() FROM v_import_rows"), 0);
    let said = rig.run(&["imports", "undo", "cmms", "--wait"]);
    assert!(!said.status.success() && said.err.contains("unknown-table"), "{said:?}");
    let said = rig.run(&["import", "nac", "/nowhere/at/all.csv"]);
    assert!(!said.status.success() && said.err.contains("/nowhere/at/all.csv"), "{said:?}");
    assert!(running.stop().success(), "it stops in order");
}

#[test]
fn what_is_wrong_is_told_before_anything_is_sent() {
    if skip::unless_clickhouse("what_is_wrong_is_told_before_anything_is_sent") {
        return;
    }
    let rig = Rig::new();
    let captures = recorded();
    let mut running = rig.start(&["up", "--pcap", captures[0].to_str().expect("UTF-8")]);
    running.until("all input is stored");
    let broken = rig.file("broken.toml", b"version = \"1\"\n[[rule]]\nid = \"x\"\nconfidence = 500");
    let broken = broken.to_str().expect("UTF-8");
    let unversioned = rig.file("unversioned.toml", b"[[manufacturer]]\nname = \"Ours\"");
    let unversioned = unversioned.to_str().expect("UTF-8");
    let wrong: [(&[&str], &str); 13] = [
        (&["acknowledge", "nothing-like-this"], "`wardwatch alerts` lists them"),
        (&["override", "nobody", "location", "x"], "`wardwatch devices` lists them"),
        (&["override", "nobody", "score", "0"], "these are: name, category"),
        (&["override", "nobody", "location", ""], "--withdraw"),
        (&["label", "nobody", "a,b"], "no commas"),
        (&["label", "nobody", "x"], "`wardwatch devices` lists them"),
        (&["note", "nobody", " "], "the note is empty"),
        (&["assign", "nobody", " "], "--nobody"),
        (&["knowledge", "load", broken], "rule \"x\""),
        (&["knowledge", "check", unversioned], "version"),
        (&["knowledge", "load", "/nowhere/at/all.toml"], "/nowhere/at/all.toml"),
        (&["acknowledge", "x", "--collector", "https://127.0.0.1:1"], "WARDWATCH_TOKEN"),
        (&["acknowledge", "x", "--collector", "http://127.0.0.1:1", "--token-file", broken], "--site"),
    ];
    for (arguments, expected) in wrong {
        let said = rig.run(arguments);
        assert!(!said.status.success(), "{arguments:?}: {said:?}");
        assert!(said.err.contains(expected), "{arguments:?}: {}", said.err);
    }
    assert_eq!(rig.count("SELECT count() FROM commands"), 0);
    assert!(running.stop().success(), "it stops in order");
}
