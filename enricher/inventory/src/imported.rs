//! The tables of other systems: which are kept, and which one of each name stands.
//!
//! A table comes in parts. When the last one is there it takes the place of the earlier table of the same name, which is
//! kept, so that it can stand again. Each row of the table that stands is a dossier: its statements belong to the device
//! that [`matching`] finds, and move with it. A row never makes a device by itself.
//!
//! Only the parts are stored; the dossiers of rows follow from them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prost::Message as _;
use wardwatch_proto::v1::{ImportTable, ImportedValue, Protocol};

use crate::conclusion::LogMoment;
use crate::dossier::Dossier;
use crate::identity::EndpointId;
use crate::register::Register;
use crate::state::{ImportState, StateEntry, StateError};
use crate::statement::{Heard, StatementKey};

mod attached;
mod matching;
mod report;

pub(crate) use matching::Match;

/// Tables of different names.
const MOST_TABLES: usize = 64;

/// Why nothing came of an import or its withdrawal; the words stand in the table `commands`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotImported {
    /// There are as many tables as are kept.
    TooManyTables,
    /// The rows that are kept would be more than the settings allow.
    TooManyRows,
    /// This part is there already.
    AlreadyThere,
    /// Another part of the same version says that it is of another system, or has another number of parts.
    OtherTable,
    /// There is no table of this name.
    UnknownTable,
}

impl NotImported {
    /// The reason in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::TooManyTables => "too-many-tables",
            Self::TooManyRows => "too-many-rows",
            Self::AlreadyThere => "already-imported",
            Self::OtherTable => "other-table",
            Self::UnknownTable => "unknown-table",
        }
    }
}

/// The tables of a site.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    /// By name, each with the versions that are kept: two at most.
    tables: BTreeMap<String, Vec<Table>>,
    /// The dossiers of the rows that stand, by name and line.
    standing: BTreeMap<String, BTreeMap<u32, u32>>,
    /// Dossiers that no row has any more.
    free: Vec<u32>,
    /// How many dossiers are for rows, with the free ones.
    pub(crate) dossiers: usize,
    /// Parts whose entry is to be stored, or removed.
    changed: BTreeSet<PartId>,
    /// How many rows have the same port of a switch.
    pub(crate) ports: attached::Ports,
    /// Rows that stand no longer, since the last conclusions.
    pub(crate) gone: BTreeSet<(String, u32)>,
}

/// Version, part and name: of one part of a table.
type PartId = (String, u32, String);

/// A version of a table, as far as its parts are there.
#[derive(Debug)]
struct Table {
    version: String,
    source: Protocol,
    parts: u32,
    there: BTreeMap<u32, Part>,
}

/// A part of a table.
#[derive(Debug)]
struct Part {
    /// As it is stored.
    state: Vec<u8>,
    rows: usize,
    /// Where it stands in the log: incarnation and offset.
    place: (u32, u64),
    author: String,
    at: u64,
}

/// What is known of the table that a row stands in.
pub(crate) struct Origin<'a> {
    pub(crate) source: Protocol,
    pub(crate) version: &'a str,
    pub(crate) author: &'a str,
    pub(crate) at: u64,
}

impl Table {
    fn is_whole(&self) -> bool {
        self.there.len() == self.parts as usize
    }

    fn rows(&self) -> usize {
        self.there.values().map(|part| part.rows).sum()
    }

    /// Where its last part stands in the log.
    fn place(&self) -> (u32, u64) {
        self.there.values().map(|part| part.place).max().unwrap_or_default()
    }

    /// Its rows, by line.
    fn lines(&self) -> BTreeMap<u32, Vec<ImportedValue>> {
        let parts = self.there.values().filter_map(|part| ImportState::decode(part.state.as_slice()).ok());
        let rows = parts.filter_map(|state| state.table).flat_map(|table| table.rows);
        rows.map(|row| (row.line, row.values)).collect()
    }
}

impl Imports {
    /// The table of this name that stands.
    fn current(&self, name: &str) -> Option<&Table> {
        let whole = self.tables.get(name)?.iter().filter(|table| table.is_whole());
        whole.max_by_key(|table| table.place())
    }

    /// Whether there is any, or a part of one.
    pub(crate) fn has_tables(&self) -> bool {
        !self.tables.is_empty()
    }

    pub(crate) fn origin(&self, name: &str) -> Option<Origin<'_>> {
        let table = self.current(name)?;
        let last = table.there.values().max_by_key(|part| part.place)?;
        Some(Origin { source: table.source, version: &table.version, author: &last.author, at: last.at })
    }

    fn rows(&self) -> usize {
        self.tables.values().flatten().map(Table::rows).sum()
    }

    /// Forgets a version, whose entries are to be removed.
    fn forget(&mut self, name: &str, is_forgotten: impl Fn(&Table) -> bool) {
        let Some(tables) = self.tables.get_mut(name) else { return };
        for table in tables.iter().filter(|table| is_forgotten(table)) {
            let parts = table.there.keys().map(|part| (table.version.clone(), *part, name.to_owned()));
            self.changed.extend(parts);
        }
        tables.retain(|table| !is_forgotten(table));
        if tables.is_empty() {
            self.tables.remove(name);
        }
    }

    /// Leaves one version beside the one that comes: the one that stands.
    fn make_room(&mut self, name: &str, coming: &str) {
        let current = self.current(name).map(|table| table.version.clone());
        self.forget(name, |table| table.version != coming && Some(&table.version) != current.as_ref());
    }

    fn take(&mut self, state: ImportState) -> Option<()> {
        let part = Part {
            state: state.encode_to_vec(),
            rows: state.table.as_ref()?.rows.len(),
            place: (state.incarnation, state.offset),
            author: state.author,
            at: state.at,
        };
        let table = state.table?;
        let tables = self.tables.entry(table.import.clone()).or_default();
        let at = tables.iter().position(|known| known.version == table.version).unwrap_or_else(|| {
            tables.push(Table {
                version: table.version.clone(),
                source: table.source(),
                parts: table.parts,
                there: BTreeMap::new(),
            });
            tables.len() - 1
        });
        tables.get_mut(at)?.there.insert(table.part, part);
        Some(())
    }

    /// The entries that changed since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<StateEntry> {
        let changed = std::mem::take(&mut self.changed);
        let entries = changed.into_iter().map(|(version, part, name)| {
            let tables = self.tables.get(&name).map(Vec::as_slice).unwrap_or_default();
            let table = tables.iter().find(|table| table.version == version);
            let value = table.and_then(|table| table.there.get(&part)).map(|part| part.state.clone());
            StateEntry { key: format!("import/{version}/{part}/{name}"), value: value.unwrap_or_default() }
        });
        entries.collect()
    }

    /// Takes in a stored part.
    pub(crate) fn restore(&mut self, key: &str, value: &[u8]) -> Result<(), StateError> {
        let unreadable = |problem: String| StateError::Unreadable { key: key.to_owned(), problem };
        let state = ImportState::decode(value).map_err(|error| unreadable(error.to_string()))?;
        self.take(state).ok_or_else(|| unreadable("it names no table".to_owned()))
    }
}

impl Register {
    /// A part of a table comes. Whether the table stands now.
    pub(crate) fn import(
        &mut self,
        table: &ImportTable,
        author: &str,
        made_at: u64,
        at: LogMoment,
    ) -> Result<bool, NotImported> {
        let (imports, name) = (&mut self.imports, &table.import);
        if !imports.tables.contains_key(name) && imports.tables.len() >= MOST_TABLES {
            return Err(NotImported::TooManyTables);
        }
        let tables = imports.tables.get(name).map(Vec::as_slice).unwrap_or_default();
        if let Some(known) = tables.iter().find(|known| known.version == table.version) {
            if known.source != table.source() || known.parts != table.parts {
                return Err(NotImported::OtherTable);
            }
            if known.there.contains_key(&table.part) {
                return Err(NotImported::AlreadyThere);
            }
        }
        imports.make_room(name, &table.version);
        if imports.rows() + table.rows.len() > self.settings.imported_rows {
            return Err(NotImported::TooManyRows);
        }
        imports.changed.insert((table.version.clone(), table.part, name.clone()));
        let state = ImportState {
            table: Some(ImportTable { note: String::new(), ..table.clone() }),
            author: author.to_owned(),
            at: made_at,
            incarnation: at.incarnation,
            offset: at.offset,
        };
        imports.take(state);
        let stands = imports.current(name).is_some_and(|current| current.version == table.version);
        if stands {
            self.stand(name);
        }
        Ok(stands)
    }

    /// The newest table of a name is taken back, and the one before it stands again. Of a table that is not whole yet, what
    /// is there is given up.
    pub(crate) fn withdraw_import(&mut self, name: &str) -> Result<(), NotImported> {
        let imports = &mut self.imports;
        if !imports.tables.contains_key(name) {
            return Err(NotImported::UnknownTable);
        }
        let current = imports.current(name).map(|table| table.version.clone());
        imports.forget(name, |table| !table.is_whole() || Some(&table.version) == current.as_ref());
        self.stand(name);
        Ok(())
    }

    /// Puts the rows of all tables that stand in their places, after the parts were restored.
    pub(crate) fn stand_all(&mut self) {
        for name in self.imports.tables.keys().cloned().collect::<Vec<_>>() {
            self.stand(&name);
        }
        self.imports.gone.clear();
    }

    /// Gives the rows of the table that stands their dossiers, in place of those that stood before.
    fn stand(&mut self, name: &str) {
        let of = self.imports.current(name);
        let (source, made_at) = of.map_or((Protocol::Unspecified, 0), |table| {
            (table.source, table.there.values().map(|part| part.at).max().unwrap_or_default())
        });
        let lines = of.map(Table::lines).unwrap_or_default();
        // How many rows look for the same has changed, for these and for the rows of other tables.
        let mut sought = BTreeSet::new();
        let mut standing = self.imports.standing.remove(name).unwrap_or_default();
        let sensor = self.sensors.of(name);
        for (line, at) in standing.extract_if(.., |line, _| !lines.contains_key(line)) {
            sought.extend(self.sought_by(at));
            self.clear_row(at);
            self.imports.free.push(at);
            self.strike_out(at);
            self.imports.gone.insert((name.to_owned(), line));
        }
        for (line, values) in lines {
            let at = *standing.entry(line).or_insert_with(|| self.row_dossier(&sensor, line));
            sought.extend(self.sought_by(at));
            self.clear_row(at);
            let Self { dossiers, settings, .. } = &mut *self;
            if let Some(dossier) = dossiers.get_mut(at as usize) {
                for value in &values {
                    let heard = Heard {
                        attribute: value.attribute,
                        value: &value.value,
                        protocol: source.into(),
                        sensor: &sensor,
                        role: 0,
                        teller: None,
                        at: made_at,
                        count: 1,
                    };
                    dossier.statements.hear(&heard, settings);
                }
            }
            self.seek(at);
            sought.extend(self.sought_by(at));
            self.touch(at, true);
        }
        for identity in sought {
            self.place_seekers(&identity);
        }
        let rows = standing.values().filter_map(|at| self.dossiers.get(*at as usize));
        self.imports.ports.count(name, rows);
        if !standing.is_empty() {
            self.imports.standing.insert(name.to_owned(), standing);
        }
    }

    /// Takes a row's statements from its device.
    fn clear_row(&mut self, at: u32) {
        self.seek_no_longer(at);
        self.base(at, None);
        let Some(dossier) = self.dossier_mut(at) else { return };
        let statements = std::mem::take(&mut dossier.statements);
        let keys: Vec<StatementKey> = statements.iter().map(|statement| statement.key.clone()).collect();
        let Some(device) = self.link_mut(at).and_then(|link| link.device.take()) else { return };
        if let Some(device) = self.devices.get_mut(device as usize) {
            device.leaves(at);
        }
        self.batch.dropped.push((device, keys));
    }

    /// An empty dossier for a row: a free one, or another. Rows have a bound of their own.
    fn row_dossier(&mut self, name: &Arc<str>, line: u32) -> u32 {
        let id = EndpointId::Row(Arc::clone(name), line);
        let Some(at) = self.imports.free.pop() else {
            self.imports.dossiers += 1;
            return self.enter(Dossier::new(id));
        };
        if let Some(dossier) = self.dossier_mut(at) {
            *dossier = Dossier::new(id);
        }
        self.enter_in_lookup(at);
        at
    }
}
