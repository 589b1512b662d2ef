//! `wardwatch knowledge import-fda`: a pack out of the FDA's table, on the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TABLE: &str = "REVIEW_PANEL|MEDICALSPECIALTY|PRODUCTCODE|DEVICENAME|DEVICECLASS|REGULATIONNUMBER\r\n\
    RA|RA|JAK|System, X-Ray, Tomography, Computed|3|892.1750\r\n\
    HO|HO|FRN|Pump, Infusion|2|880.5725\r\n\
    HO|HO|FR1|Pump, Infusion|2|880.5725\r\n";

fn wardwatch(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wardwatch")).args(arguments).output().expect("the program runs")
}

fn import(from: &Path, to: &Path) -> Output {
    let text = |path: &Path| path.to_str().expect("a plain path").to_owned();
    wardwatch(&["knowledge", "import-fda", &text(from), "--output", &text(to), "--pack-version", "2025-11"])
}

#[test]
fn a_pack_is_written_that_can_be_used_and_what_differs_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (table, pack) = (folder.path().join("foiclass.txt"), folder.path().join("fda.toml"));
    fs::write(&table, TABLE).expect("a writable folder");
    let done = import(&table, &pack);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("2 product codes taken, 1 lines refused"), "{said}");
    assert!(said.contains("line 4: \"FR1\" is no product code"), "{said}");
    assert!(said.contains("CT scanner: product code JAK is of class 3, and 2 is built in"), "{said}");
    let checked = wardwatch(&["knowledge", "check", pack.to_str().expect("a plain path")]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && said.contains("fda 2025-11"), "{said}");

    fs::write(&table, "Asset No;MAC\n1;2\n").expect("a writable folder");
    let refused = import(&table, &pack);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{said}");
    assert!(said.contains("foiclass.txt") && said.contains("no column PRODUCTCODE"), "{said}");
}

/// The real table: every line of it is read, and none of our classes differs.
#[test]
fn the_fdas_own_table_is_read_to_the_last_line() {
    let data = std::env::var_os("WARDWATCH_TEST_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    let table = data.join("feeds/fda/foiclass.txt");
    let Ok(octets) = fs::read(&table) else {
        let reason = "needs feeds/fda/foiclass.txt in WARDWATCH_TEST_DATA";
        return wardwatch_tests::skip::skip("the_fdas_own_table_is_read_to_the_last_line", reason);
    };
    let lines = octets.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()).count();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let done = import(&table, &folder.path().join("fda.toml"));
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains(&format!("{} product codes taken, 0 lines refused", lines - 1)), "{said}");
    assert!(said.contains("\n0 types and families of models have another class"), "{said}");
}
