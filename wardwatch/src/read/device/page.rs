//! The page of one device: what is known of it, what is not, and why, as text or as JSON.

use anyhow::Context as _;
use serde_json::Value;
use wardwatch_store::quote;

use super::profile::{Field, Group, groups};
use crate::engine::Database;
use crate::read::{objects, rows};
use crate::table::{Row, moment, page_table, print, text};

/// The fields for which no statement speaks but the traffic itself.
const READ_OFF: [&str; 5] = ["macs", "ips", "host_names", "vlans", "dicom_ae_titles"];

/// What other parts of the product know of a device, where they are there: its name, the view, the title, what is shown.
const OTHERS: [(&str, &str, &str, &[&str]); 2] = [
    (
        "imports",
        "v_import_rows",
        "WHAT IMPORTS SAY OF IT",
        &[
            "source",
            "line",
            "state",
            "matched_by",
            "difference_fields",
            "difference_imported",
            "difference_observed",
        ],
    ),
    (
        "documents",
        "v_device_documents",
        "DOCUMENTS ABOUT IT",
        &["kind", "document", "model_version", "matched_by"],
    ),
];

/// What the page is made of.
pub(crate) struct Page {
    device: Row,
    profile: Vec<Group>,
    children: Vec<Row>,
    notes: Vec<Row>,
    attributes: Vec<Row>,
    history: Vec<Row>,
    alerts: Vec<Row>,
    /// In the order of [`OTHERS`]; nothing where there is no such view.
    others: Vec<Option<Vec<Row>>>,
}

impl Page {
    /// Reads everything about a device, a row of `v_devices`.
    pub(crate) async fn read(database: &Database, device: Row) -> anyhow::Result<Self> {
        let (site, id) = (quote(&text(&device, "site")), quote(&text(&device, "device")));
        let of = format!("site = {site} AND device = {id}");
        let read = async |what: &str, order: &str| {
            rows(database, &format!("SELECT {what} WHERE {of} ORDER BY {order}")).await
        };
        let fields = read(
            "field, value, standing, source, evidence, confidence, completed_by FROM v_device_fields",
            "field",
        )
        .await?;
        let mut others = Vec::new();
        for (_, view, ..) in OTHERS {
            let sql = format!(
                "SELECT name FROM system.tables WHERE database = currentDatabase() AND name = {}",
                quote(view)
            );
            let is_there = !rows(database, &sql).await?.is_empty();
            others.push(if is_there { Some(read(&format!("* FROM {view}"), "ALL").await?) } else { None });
        }
        Ok(Self {
            others,
            profile: groups(&fields, &objects(&device, "why"))?,
            children: rows(
                database,
                &format!("SELECT * FROM v_device_children WHERE site = {site} AND parent = {id} ORDER BY name, device"),
            )
            .await?,
            notes: read("at, author, text FROM v_device_notes", "at").await?,
            attributes: read(
                "* FROM v_attributes",
                "attribute, chosen DESC, confidence DESC, value, protocol, sensor",
            )
            .await?,
            history: read("at, event, field, before, after FROM v_device_history", "at, field").await?,
            alerts: read("* FROM v_alerts", "first_seen, alert").await?,
            device,
        })
    }

    /// Prints it for programs.
    pub(crate) fn print_json(self) -> anyhow::Result<()> {
        let list = |rows: Vec<Row>| Value::Array(rows.into_iter().map(Value::Object).collect());
        let fields =
            |group: &Group| group.fields.iter().map(|field| field.json(&group.name)).collect::<Vec<_>>();
        let mut whole = self.device;
        whole.insert("profile".into(), Value::Array(self.profile.iter().flat_map(fields).collect()));
        whole.insert("children".into(), list(self.children));
        whole.insert("notes".into(), list(self.notes));
        whole.insert("attributes".into(), list(self.attributes));
        whole.insert("history".into(), list(self.history));
        whole.insert("alerts".into(), list(self.alerts));
        for ((name, ..), found) in OTHERS.iter().zip(self.others) {
            if let Some(found) = found {
                whole.insert((*name).into(), list(found));
            }
        }
        print(&serde_json::to_string_pretty(&whole).context("cannot write JSON")?)
    }

    /// Prints it for people.
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        print(&self.head())?;
        for group in &self.profile {
            print_group(group)?;
        }
        let score = format!("SCORE {} of 100, the sum of", text(&self.device, "score"));
        let factors = objects(&self.device, "factors");
        print_rows(&score, &factors, &["points", "name", "explanation", "evidence", "remedy"])?;
        print_rows("ALERTS", &self.alerts, &["severity", "title", "explanation", "status", "first_seen"])?;
        print_rows("NOTES", &self.notes, &["at", "author", "text"])?;
        let of_child = ["name", "type", "manufacturer", "model", "serial_number", "device"];
        print_rows("DEVICES BEHIND IT", &self.children, &of_child)?;
        for ((_, _, title, columns), found) in OTHERS.iter().zip(&self.others) {
            print_rows(title, found.as_deref().unwrap_or_default(), columns)?;
        }
        print_rows("HISTORY", &self.history, &["at", "event", "field", "before", "after"])?;
        self.print_evidence()
    }

    /// Prints its beginning: what it is, and the groups of these names.
    pub(crate) fn print_short(&self, wanted: &[&str]) -> anyhow::Result<()> {
        print(&self.head())?;
        for group in self.profile.iter().filter(|group| wanted.contains(&group.name.as_str())) {
            print_group(group)?;
        }
        Ok(())
    }

    fn head(&self) -> String {
        let device = &self.device;
        let (first, last) = (moment(device, "first_seen"), moment(device, "last_seen"));
        let what = [text(device, "category"), text(device, "type")].join(" ");
        let what = if what.trim().is_empty() { "unknown" } else { what.trim() };
        let sure = text(device, "confidence");
        let lines = [
            ("", format!("{}: {what}", text(device, "name"))),
            ("id", text(device, "device")),
            ("site", text(device, "site")),
            ("sure", if sure == "0" { String::new() } else { format!("{sure} % of what it is") }),
            ("visibility", format!("{} % of what applies to it is known", text(device, "visibility"))),
            ("seen", format!("{first} to {last} UTC, by {}", text(device, "sensors"))),
            ("scopes", text(device, "scopes")),
            ("speaks", text(device, "protocols")),
            ("does", text(device, "roles")),
            ("reached through", text(device, "path").replace(", ", " > ")),
            ("knowledge", text(device, "knowledge")),
        ];
        let shown = lines.into_iter().filter(|(_, value)| !value.is_empty());
        let line = |(title, value): (&str, String)| {
            if title.is_empty() { value } else { format!("{title:>15}  {value}") }
        };
        shown.map(line).collect::<Vec<_>>().join("\n")
    }

    fn print_evidence(&self) -> anyhow::Result<()> {
        if self.attributes.is_empty() {
            return Ok(());
        }
        let mut table =
            page_table(["attribute", "value", "in", "by", "sensor", "times", "last seen", "shown"]);
        for row in &self.attributes {
            let is_shown = row.get("chosen").and_then(Value::as_bool).unwrap_or(false);
            let mut cells = ["attribute", "value", "protocol", "role", "sensor", "count"]
                .map(|field| text(row, field))
                .to_vec();
            cells.push(moment(row, "last_seen"));
            cells.push(if is_shown { "yes" } else { "" }.to_owned());
            table.add_row(cells);
        }
        print(&format!("\nEVERYTHING THAT WAS SAID ABOUT IT\n{table}"))
    }
}

/// What is known of a group, then what is not and what would fill it, then what does not apply.
fn print_group(group: &Group) -> anyhow::Result<()> {
    let mut table = page_table(["field", "value", "sure", "why"]);
    let is_known = |field: &&Field| !field.value.is_empty();
    for field in group.fields.iter().filter(is_known) {
        let is_conflict = field.standing == "conflicting";
        let sure = field.confidence.map(|confidence| format!("{confidence} %")).unwrap_or_default();
        let why = match (field.source.as_str(), field.evidence.as_str()) {
            ("", _) if READ_OFF.contains(&field.name.as_str()) => "read off its traffic".to_owned(),
            ("", _) => "follows from the rest".to_owned(),
            (source, "") => source.to_owned(),
            (source, evidence) => format!("{source}: {evidence}"),
        };
        let mark = if is_conflict { "! " } else { "" };
        table.add_row([field.name.clone(), format!("{mark}{}", field.value), sure, why]);
        for rival in field.rivals.iter().filter(|_| is_conflict) {
            let why = format!("{}: {}", rival.source, rival.evidence);
            table.add_row([
                String::new(),
                format!("! or {}", rival.value),
                format!("{} %", rival.confidence),
                why,
            ]);
        }
        if is_conflict {
            table.add_row(["", "", "", &format!("conflicting; to settle it: {}", field.completed_by)]);
        }
    }
    for field in group.fields.iter().filter(|field| field.standing == "not-seen") {
        table.add_row([&field.name, "-", "", &format!("not seen; completed by {}", field.completed_by)]);
    }
    let absent: Vec<&str> = group
        .fields
        .iter()
        .filter(|field| field.standing == "not-applicable")
        .map(|field| field.name.as_str())
        .collect();
    let mut text = format!("\n{}", group.name.to_uppercase());
    if group.fields.len() > absent.len() {
        text = format!("{text}\n{table}");
    }
    if !absent.is_empty() {
        text = format!("{text}\n does not apply: {}", absent.join(", "));
    }
    print(&text)
}

fn print_rows(title: &str, rows: &[Row], columns: &[&'static str]) -> anyhow::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let header: Vec<String> = columns.iter().map(|column| column.replace('_', " ")).collect();
    let mut table = page_table(header.iter().map(String::as_str));
    for row in rows {
        table.add_row(columns.iter().map(|column| match *column {
            "at" | "first_seen" | "last_seen" => moment(row, column),
            _ => text(row, column),
        }));
    }
    print(&format!("\n{title}\n{table}"))
}
