//! What rows of tables say of how a device hangs on the network: a client of a wireless network, or at a port of a switch.
//!
//! A switch's table has every MAC address that it hears at a port, so at a port to an access point or another switch it has
//! those of everything behind. Only of a port with no more than [`MOST_AT_A_PORT`] rows it follows that the device is plugged in.

use std::collections::{BTreeMap, HashMap};

use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::choice::trust;
use crate::conclusion::Why;
use crate::dossier::Dossier;
use crate::identity::EndpointId;
use crate::profile::Sketch;
use crate::register::Register;
use crate::statement::Statement;

/// A telephone and what is plugged into it.
const MOST_AT_A_PORT: usize = 2;

/// What says that a device is a client of a wireless network, in the order in which it is quoted.
const OF_A_CLIENT: &[Attribute] =
    &[Attribute::Ssid, Attribute::AccessPointName, Attribute::Bssid, Attribute::WirelessEncryption];
/// What says where a device is plugged in; the last one is needed.
const OF_A_PORT: &[Attribute] = &[Attribute::SwitchName, Attribute::SwitchPort];

/// How many rows have a port, by switch and port.
type Counts = HashMap<(Box<str>, Box<str>), usize>;

/// How many rows of each table have each port.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    by_table: BTreeMap<String, Counts>,
}

impl Ports {
    /// Counts the rows of a table that stands now, in place of those of the one that stood.
    pub(super) fn count<'a>(&mut self, table: &str, rows: impl Iterator<Item = &'a Dossier>) {
        let mut ports = Counts::new();
        for port in rows.filter_map(port_of) {
            *ports.entry(port).or_default() += 1;
        }
        if ports.is_empty() {
            self.by_table.remove(table);
        } else {
            self.by_table.insert(table.to_owned(), ports);
        }
    }

    /// How many rows of the table have the port of this row.
    fn at_port_of(&self, table: &str, row: &Dossier) -> usize {
        let port = port_of(row);
        port.and_then(|port| self.by_table.get(table)?.get(&port).copied()).unwrap_or_default()
    }
}

impl Sketch<'_> {
    /// The reasons that rows are for `connection_type`: a wireless network first, for its clients are behind a port as well.
    pub(crate) fn attached_by_tables(&self, register: &Register) -> Vec<Why> {
        // An access point stands in the controller's table without being a client.
        let is_client = self.record.category != "network";
        let rows = || {
            self.dossiers.iter().filter_map(|dossier| match &dossier.id {
                EndpointId::Row(table, line) => Some((&**table, *line, *dossier)),
                _ => None,
            })
        };
        let wireless = rows().filter(|_| is_client).filter_map(|(table, line, row)| {
            let said: Vec<&Statement> = OF_A_CLIENT.iter().filter_map(|of| first(row, *of)).collect();
            let statement =
                format!("line {line} of the imported table {table:?} has it in a wireless network");
            self.by_row("wireless", statement, &said)
        });
        let wired = rows().filter_map(|(table, line, row)| {
            let said: Vec<&Statement> = OF_A_PORT.iter().filter_map(|of| first(row, *of)).collect();
            let is_port_known = first(row, Attribute::SwitchPort).is_some();
            let is_plugged_in = register.imports.ports.at_port_of(table, row) <= MOST_AT_A_PORT;
            let is_in_the_air = OF_A_CLIENT.iter().any(|of| first(row, *of).is_some());
            if !is_port_known || !is_plugged_in || is_in_the_air {
                return None;
            }
            let statement = format!(
                "line {line} of the imported table {table:?} has it at a port of a switch, by itself or with one other"
            );
            self.by_row("wired", statement, &said)
        });
        wireless.chain(wired).collect()
    }

    fn by_row(&self, value: &str, statement: String, said: &[&Statement]) -> Option<Why> {
        let first = said.first()?;
        let words = said.iter().map(|said| {
            let attribute = Attribute::try_from(said.key.attribute).unwrap_or_default();
            format!("{} {}", attribute.name(), said.key.value)
        });
        let source = Protocol::try_from(first.key.protocol).unwrap_or_default().name();
        Some(Why {
            field: "connection_type".to_owned(),
            value: value.to_owned(),
            statement,
            evidence: format!("{} ({source})", words.collect::<Vec<_>>().join(", ")),
            confidence: trust(self.knowledge, first).confidence,
        })
    }
}

fn first(row: &Dossier, attribute: Attribute) -> Option<&Statement> {
    row.statements.of(attribute.into()).next()
}

/// Switch and port of a row; the switch may be the table's only one.
fn port_of(row: &Dossier) -> Option<(Box<str>, Box<str>)> {
    let value = |attribute| first(row, attribute).map(|said| Box::<str>::from(&*said.key.value));
    Some((value(Attribute::SwitchName).unwrap_or_default(), value(Attribute::SwitchPort)?))
}
