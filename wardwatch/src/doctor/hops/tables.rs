//! What a service has counted into a table, and what stands there.

use crate::doctor::hop::{Hop, Total as _};
use crate::doctor::tables::{BootRow, Tables};

/// Boots whose rows are not there that are told one by one.
const TOLD: usize = 5;

/// The tables that the enricher appends to.
pub(super) fn of_the_enricher(tables: &Tables) -> Vec<Hop> {
    vec![
        flows(tables),
        sums(tables, "table conversations", "conversations", 2),
        sums(tables, "table site_minute", "site_minute", 1),
        appended(tables, "table changes", "enricher", "changes"),
        appended(tables, "table commands", "enricher", "commands"),
        appended(tables, "table device_notes", "enricher", "device_notes"),
    ]
}

/// The tables that the alerter writes.
pub(super) fn of_the_alerter(tables: &Tables) -> Vec<Hop> {
    vec![appended(tables, "table alert_events", "alerter", "alert_events"), alerts(tables)]
}

/// Each boot's flows, as the enricher remembers to have counted them, and the rows of that boot.
fn flows(tables: &Tables) -> Hop {
    let (old, compared): (Vec<&BootRow>, Vec<&BootRow>) = tables
        .boots
        .iter()
        .partition(|boot| tables.is_beyond_retention("flows", boot.first_heard) && boot.is_known);
    let counted = compared.iter().map(|boot| boot.flows).total();
    let rows = compared.iter().map(|boot| boot.rows).total();
    let mut hop = Hop::new("table flows", "rows").passing(counted, rows);
    if !old.is_empty() {
        hop = hop.note(format!("{} boots are older than the retention of flows and not compared", old.len()));
    }
    let wrong = compared.iter().filter(|boot| boot.flows != boot.rows);
    for boot in wrong.clone().take(TOLD) {
        let BootRow { site, sensor, epoch, flows, rows, .. } = boot;
        hop =
            hop.broken(format!("boot {epoch} of {site}/{sensor} has {rows} rows, and {flows} were counted"));
    }
    let more = wrong.count().saturating_sub(TOLD);
    if more > 0 {
        hop = hop.broken(format!("{more} more boots have other rows than were counted"));
    }
    hop.closed()
}

/// Sums of so many records a flow, by sensor.
fn sums(tables: &Tables, name: &'static str, table: &'static str, times: u64) -> Hop {
    let left_out = tables.sensors_beyond_retention(table);
    let is_compared = |site: &str, sensor: &str| !left_out.contains(&(site.to_owned(), sensor.to_owned()));
    let boots = tables.boots.iter().filter(|boot| is_compared(&boot.site, &boot.sensor));
    let counted = boots.map(|boot| boot.flows).total().saturating_mul(times);
    let sums = tables.sums.iter().filter(|sum| sum.table == table && is_compared(&sum.site, &sum.sensor));
    let mut hop = Hop::new(name, "records").passing(counted, sums.map(|sum| sum.records).total());
    if !left_out.is_empty() {
        hop = hop.note(format!(
            "{} sensors were heard before the retention of {table} began and are not compared",
            left_out.len()
        ));
    }
    hop.closed()
}

/// Rows that a ledger has counted into a table.
fn appended(tables: &Tables, name: &'static str, service: &str, table: &'static str) -> Hop {
    let hop = Hop::new(name, "rows");
    if tables.may_have_lost_rows(table) {
        return hop.note(format!("not compared: {table} may have lost rows to its retention"));
    }
    let rows = tables.counts.get(table).copied().unwrap_or(0);
    hop.passing(tables.rows_into(service, table), rows).closed()
}

/// Every alert in the history has a state, and every state a history.
fn alerts(tables: &Tables) -> Hop {
    let hop = Hop::new("table alerts", "alerts");
    if tables.may_have_lost_rows("alert_events") {
        return hop.note("not compared: alert_events may have lost rows to its retention");
    }
    let count = |name: &str| tables.counts.get(name).copied().unwrap_or(0);
    hop.passing(count("alert_events.alert"), count("alerts")).closed()
}
