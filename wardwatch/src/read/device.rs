//! `wardwatch device ID`: everything about one device, and why we believe it.

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use wardwatch_store::quote;

use super::{Reading, device_rows, rows, with_database};
use crate::engine::Database;
use crate::table::{Format, Row, moment, plain_table, print, text};

/// Show one device: what it is, why we believe it, what its score is made of, every statement about it, its alerts.
#[derive(Args, Debug)]
pub(crate) struct Device {
    /// The device's id or the beginning of it, its name, or one of its addresses
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    reading: Reading,
}

/// What the page is made of.
struct Page {
    device: Row,
    attributes: Vec<Row>,
    changes: Vec<Row>,
    alerts: Vec<Row>,
}

/// Runs the command.
pub(crate) async fn device(arguments: &Device) -> anyhow::Result<()> {
    with_database(&arguments.reading.folder, async |database| {
        let page = page(database, &arguments.id).await?;
        match arguments.reading.format {
            Format::Table => page.print(),
            Format::Json => page.print_json(),
        }
    })
    .await
}

/// The device of this id, name or address, among those for which more conditions hold (`AND ...`).
pub(crate) async fn find_device(database: &Database, wanted: &str, more: &str) -> anyhow::Result<Row> {
    let wanted_text = quote(wanted);
    let condition = format!(
        "(device = {wanted_text} OR startsWith(device, lower({wanted_text})) OR name = {wanted_text} \
         OR has(ips, {wanted_text}) OR has(macs, lower({wanted_text}))) {more}"
    );
    let found =
        device_rows(database, &condition, &format!("device = {wanted_text} DESC, device LIMIT 10")).await?;
    let is_exact = found.first().is_some_and(|row| text(row, "device") == wanted);
    if found.len() > 1 && !is_exact {
        let ids: Vec<_> =
            found.iter().map(|row| format!("{} ({})", text(row, "device"), text(row, "name"))).collect();
        anyhow::bail!("{wanted} names several devices: {}", ids.join(", "));
    }
    found.into_iter().next().with_context(|| {
        format!("no device has the id, name or address {wanted}; `wardwatch devices` lists them")
    })
}

async fn page(database: &Database, wanted: &str) -> anyhow::Result<Page> {
    let device = find_device(database, wanted, "").await?;
    let of =
        format!("site = {} AND device = {}", quote(&text(&device, "site")), quote(&text(&device, "device")));
    Ok(Page {
        attributes: rows(database, &format!("SELECT * FROM v_attributes WHERE {of} ORDER BY attribute, chosen DESC, confidence DESC, value, protocol")).await?,
        changes: rows(database, &format!("SELECT at, field, before, after FROM changes WHERE {of} ORDER BY at, field")).await?,
        alerts: rows(database, &format!("SELECT * FROM v_alerts WHERE {of} ORDER BY first_seen, alert")).await?,
        device,
    })
}

impl Page {
    fn print_json(self) -> anyhow::Result<()> {
        let list = |rows: Vec<Row>| Value::Array(rows.into_iter().map(Value::Object).collect());
        let mut whole = self.device;
        whole.insert("attributes".into(), list(self.attributes));
        whole.insert("changes".into(), list(self.changes));
        whole.insert("alerts".into(), list(self.alerts));
        print(&serde_json::to_string_pretty(&whole).context("cannot write JSON")?)
    }

    fn print(&self) -> anyhow::Result<()> {
        print(&self.head())?;
        self.print_list(
            "Why we believe it",
            "why",
            &["field", "value", "statement", "evidence", "confidence"],
        )?;
        let score = format!("Score {} of 100, the sum of", text(&self.device, "score"));
        self.print_list(&score, "factors", &["points", "name", "explanation", "evidence", "remedy"])?;
        let seen = format!("What is not known (visibility {} %)", text(&self.device, "visibility"));
        self.print_list(&seen, "gaps", &["field", "reason", "completed_by"])?;
        print_rows(
            "Everything that was said about it",
            &self.attributes,
            &[
                "attribute",
                "value",
                "protocol",
                "role",
                "sensor",
                "count",
                "first_seen",
                "last_seen",
                "chosen",
            ],
        )?;
        print_rows("What changed", &self.changes, &["at", "field", "before", "after"])?;
        print_rows("Alerts", &self.alerts, &["severity", "title", "explanation", "status", "first_seen"])
    }

    fn head(&self) -> String {
        let fields = [
            ("name", "name"),
            ("id", "device"),
            ("site", "site"),
            ("category", "category"),
            ("sub-category", "subcategory"),
            ("type", "type"),
            ("manufacturer", "manufacturer"),
            ("model", "model"),
            ("serial number", "serial_number"),
            ("hardware", "hardware_version"),
            ("firmware", "firmware_version"),
            ("software", "software_name"),
            ("software version", "software_version"),
            ("UDI-DI", "udi_di"),
            ("institution", "institution"),
            ("department", "department"),
            ("location", "location"),
            ("host names", "host_names"),
            ("addresses", "ips"),
            ("hardware addresses", "macs"),
            ("registered to", "mac_manufacturer"),
            ("VLANs", "vlans"),
            ("roles", "roles"),
            ("protocols", "protocols"),
            ("sensors", "sensors"),
            ("network scopes", "scopes"),
            ("behind", "parent"),
            ("knowledge", "knowledge"),
        ];
        let mut lines = Vec::new();
        for (title, field) in fields {
            let value = text(&self.device, field);
            if !value.is_empty() {
                lines.push(format!("{title:>20}  {value}"));
            }
        }
        lines.push(format!(
            "{:>20}  {} to {}",
            "seen",
            moment(&self.device, "first_seen"),
            moment(&self.device, "last_seen")
        ));
        lines.join("\n")
    }

    /// A list of objects that is one field of the device.
    fn print_list(&self, title: &str, field: &str, columns: &[&'static str]) -> anyhow::Result<()> {
        let items = self.device.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
        let rows: Vec<Row> = items
            .into_iter()
            .filter_map(|item| if let Value::Object(row) = item { Some(row) } else { None })
            .collect();
        print_rows(title, &rows, columns)
    }
}

fn print_rows(title: &str, rows: &[Row], columns: &[&'static str]) -> anyhow::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let header: Vec<String> = columns.iter().map(|column| column.replace('_', " ")).collect();
    let mut table = plain_table(header.iter().map(String::as_str));
    for row in rows {
        table.add_row(columns.iter().map(|column| match *column {
            "at" | "first_seen" | "last_seen" => moment(row, column),
            _ => text(row, column),
        }));
    }
    print(&format!("\n{title}\n{table}"))
}
