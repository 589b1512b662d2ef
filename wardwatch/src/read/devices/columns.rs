//! The columns that a list of devices may have: those of `v_devices`, and the fields of the profile that have none.

use std::collections::BTreeSet;

use anyhow::Context as _;
use wardwatch_knowledge::Knowledge;
use wardwatch_store::quote;

use crate::engine::Database;
use crate::read::rows;
use crate::table::{Row, text};

/// How many near names an error lists.
const NEAR: usize = 4;
/// How alike two names must be for one to be offered for the other (Jaro-Winkler, 1 is equal).
const ALIKE: f64 = 0.8;

/// What is called otherwise elsewhere: in `wardwatch override`, and in the table that people see.
const ALSO_CALLED: [(&str, &str); 5] = [
    ("id", "device"),
    ("device_type", "type"),
    ("serial", "serial_number"),
    ("addresses", "ips"),
    ("vlan", "vlans"),
];

/// Every column.
#[derive(Debug)]
pub(super) struct Columns {
    /// Of `v_devices`.
    record: Vec<String>,
    /// Of its map `details`.
    details: BTreeSet<String>,
}

impl Columns {
    /// What this database has, and what the profile may have that no device has yet.
    pub(super) async fn read(database: &Database) -> anyhow::Result<Self> {
        // Lists that belong together, and the map, are no cells.
        let of_view =
            "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'v_devices'
            AND NOT match(name, '^((factor|why|gap)_.*|details)$') ORDER BY position";
        let of_sites = "SELECT DISTINCT toString(arrayJoin(mapKeys(details))) AS name FROM v_devices ORDER BY name LIMIT 1000";
        let names = |rows: Vec<Row>| rows.into_iter().map(|row| text(&row, "name")).collect::<Vec<_>>();
        let record = names(rows(database, of_view).await?);
        let knowledge = Knowledge::builtin().context("the built-in knowledge cannot be read")?;
        let fields = knowledge.profile().iter().map(|field| field.name.to_string());
        let mut details: BTreeSet<String> = fields.chain(names(rows(database, of_sites).await?)).collect();
        details.retain(|name| !record.contains(&named(name).to_owned()));
        Ok(Self { record, details })
    }

    /// All names, those of the record first.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.record.iter().chain(&self.details).map(String::as_str)
    }

    /// The columns of these names as SQL, by the names that were asked for.
    pub(super) fn chosen(&self, names: &[String]) -> anyhow::Result<Vec<(String, String)>> {
        names.iter().map(|name| Ok((name.clone(), self.sql(name, "--columns")?))).collect()
    }

    /// A column as an SQL expression; `option` is where the name was given.
    pub(super) fn sql(&self, name: &str, option: &str) -> anyhow::Result<String> {
        let wanted = named(name);
        if self.record.iter().any(|column| column == wanted) {
            return Ok(format!("`{wanted}`"));
        }
        if self.details.contains(wanted) {
            return Ok(format!("details[{}]", quote(wanted)));
        }
        let near = near(name, self.all());
        let near = if near.is_empty() { String::new() } else { format!("; near: {}", near.join(", ")) };
        anyhow::bail!(
            "{option}: no column is called {name:?}{near}; `wardwatch devices --columns help` lists all"
        )
    }
}

impl Columns {
    /// What the profile calls the field of this name, for --missing.
    pub(super) fn field<'a>(&self, name: &'a str) -> anyhow::Result<&'a str> {
        self.sql(name, "--missing")?;
        Ok(match named(name) {
            "type" => "device_type",
            name => name,
        })
    }
}

/// The name of a column that may be called otherwise.
fn named(name: &str) -> &str {
    ALSO_CALLED.iter().find(|(also, _)| *also == name).map_or(name, |(_, column)| *column)
}

/// Names that are like this one, the most alike first.
fn near<'a>(name: &str, all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = name.to_lowercase();
    let likeness = |known: &str| {
        let holds = wanted.len() > 2 && (known.contains(&wanted) || wanted.contains(known));
        strsim::jaro_winkler(&wanted, known).max(if holds { ALIKE } else { 0.0 })
    };
    let mut found: Vec<(f64, &str)> = all.map(|known| (likeness(known), known)).collect();
    found.retain(|(likeness, _)| *likeness >= ALIKE);
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    found.into_iter().map(|(_, known)| known).take(NEAR).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Columns {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Columns {
            record: names(&["device", "type", "serial_number", "firmware_version"]),
            details: names(&["asset_tag", "room"]).into_iter().collect(),
        }
    }

    #[test]
    fn a_column_is_of_the_record_or_a_detail() {
        let columns = columns();
        assert_eq!(columns.sql("serial_number", "--sort").expect("a column"), "`serial_number`");
        assert_eq!(columns.sql("device_type", "--sort").expect("a column"), "`type`");
        assert_eq!(columns.sql("asset_tag", "--sort").expect("a column"), "details['asset_tag']");
    }

    #[test]
    fn a_name_that_is_wrong_is_named_with_those_near_it() {
        let told = |name: &str| columns().sql(name, "--columns").expect_err("unknown").to_string();
        assert!(told("serial_nummer").contains("near: serial_number;"), "{}", told("serial_nummer"));
        assert!(told("firmware").contains("near: firmware_version;"), "{}", told("firmware"));
        assert!(
            told("x`; DROP").contains("no column is called \"x`; DROP\"; `wardwatch"),
            "{}",
            told("x`; DROP")
        );
    }
}
