//! What the demo shows beyond the lists: why each device is believed to be what it is, the page of one, what the scores are
//! made of, and how to ask on.

use std::path::Path;

use serde_json::Value;

use crate::engine::Database;
use crate::read;
use crate::table::{plain_table, print, text};

/// Reasons that are shown for each device: the strongest.
const REASONS: usize = 3;

/// Devices with the reasons for the main fields.
pub(super) async fn print_why(database: &Database) -> anyhow::Result<()> {
    print(
        "\nWHY WE BELIEVE IT: the strongest evidence for each device that is known by more than its address\n",
    )?;
    let devices = read::device_rows(database, "notEmpty(why_fields)", "category, type, name").await?;
    let mut table = plain_table(["device", "field", "is", "because", "sure"]);
    for device in &devices {
        let mut reasons = read::objects(device, "why");
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.get("confidence").and_then(Value::as_u64)));
        for (position, reason) in reasons.iter().take(REASONS).enumerate() {
            let name = if position == 0 { text(device, "name") } else { String::new() };
            let because = [text(reason, "statement"), text(reason, "evidence")].join(": ");
            table.add_row([
                name,
                text(reason, "field"),
                text(reason, "value"),
                because,
                format!("{} %", text(reason, "confidence")),
            ]);
        }
    }
    print(&table.to_string())
}

/// One device as `wardwatch device` shows it, with what is not known of it: the medical one of which most is.
pub(super) async fn print_page(database: &Database) -> anyhow::Result<()> {
    let best_known = "visibility DESC, confidence DESC, device LIMIT 1";
    let found = read::device_rows(database, "category = 'medical'", best_known).await?;
    let Some(device) = found.into_iter().next() else { return Ok(()) };
    print(
        "\nONE DEVICE: what is known, what is missing, and what would complete it; `wardwatch device` shows all of it\n",
    )?;
    read::Page::read(database, device).await?.print_short(&["identity", "classification"])
}

/// Scores as the sum of their factors.
pub(super) async fn print_scores(database: &Database) -> anyhow::Result<()> {
    print("\nSCORES: every point has a name and was seen on the wire\n")?;
    let devices = read::device_rows(database, "score > 0", "score DESC, name").await?;
    let mut table = plain_table(["device", "score", "factor", "points", "evidence"]);
    for device in &devices {
        for (position, factor) in read::objects(device, "factors").iter().enumerate() {
            let (name, score) = if position == 0 {
                (text(device, "name"), text(device, "score"))
            } else {
                Default::default()
            };
            table.add_row([
                name,
                score,
                text(factor, "name"),
                text(factor, "points"),
                text(factor, "evidence"),
            ]);
        }
    }
    print(&table.to_string())
}

/// How to go on from here.
pub(super) fn print_questions(path: &Path, url: &str) -> anyhow::Result<()> {
    let program = std::env::current_exe()
        .map_or_else(|_| "wardwatch".to_owned(), |program| program.display().to_string());
    let data = path.display();
    print(&format!(
        "\nHOW TO ASK FOR MORE\n
  {program} devices --data {data} --category medical
  {program} device ct-evo-1 --data {data}     one device, with all evidence (an id, name or address)
  {program} alerts --data {data} --format json
  {program} query --data {data} \"SELECT protocol, count() FROM v_flows GROUP BY protocol ORDER BY 2 DESC\"
  {program} devices --data {data} --missing serial_number --columns name,type,ips,visibility --format csv
  the views v_devices, v_device_fields, v_flows, v_alerts and more are documented in docs/queries.md
  while the demo runs (--keep), ClickHouse also answers at {url}, database wardwatch"
    ))
}
