//! Opening and reading.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use redb::{
    Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableError,
};

use crate::record::{self, Record};
use crate::shield::{dropped, shielded};
use crate::writer::Writer;
use crate::{Error, Result};

/// Stream number and offset, both big-endian, so that a stream's records lie together and in order.
pub(crate) const RECORDS: TableDefinition<'_, &[u8; 12], &[u8]> = TableDefinition::new("records");
/// By name: number, start, end, bytes, last stamp; little-endian, laid out with a checksum like a named value.
pub(crate) const STREAMS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("streams");
/// The small named values.
pub(crate) const VALUES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("values");

const FILE: &str = "journal.redb";
/// Pages kept in memory; the operating system caches the file besides.
const CACHE: usize = 32 << 20;

/// How large a journal may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of all records together, each with 12 bytes of its own.
    pub max_bytes: u64,
}

/// What a stream holds: the offsets `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The lowest offset that is left.
    pub start: u64,
    /// The offset that the next record will get.
    pub end: u64,
    /// What its records count against the journal's bound.
    pub bytes: u64,
}

/// What lies in a part of a stream with holes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sparse {
    /// The records, by offset.
    pub records: Vec<Record>,
    /// Offsets of records that do not match their checksum.
    pub corrupt: Vec<u64>,
    /// Where to go on: at every offset before it that is in neither list there is nothing.
    pub next: u64,
}

/// A stream's number in the store beside its extent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamState {
    pub(crate) number: u32,
    pub(crate) extent: Extent,
    pub(crate) last_timestamp: i64,
}

const STREAM_ROW: usize = 4 + 4 * 8;

impl StreamState {
    pub(crate) fn to_row(self) -> [u8; STREAM_ROW] {
        let Extent { start, end, bytes } = self.extent;
        let mut row = [0; STREAM_ROW];
        row[..4].copy_from_slice(&self.number.to_le_bytes());
        for (place, field) in [start, end, bytes, self.last_timestamp.cast_unsigned()].into_iter().enumerate()
        {
            row[4 + place * 8..12 + place * 8].copy_from_slice(&field.to_le_bytes());
        }
        row
    }

    fn from_row(row: &[u8]) -> Option<Self> {
        let (number, mut rest) = row.split_first_chunk::<4>()?;
        let mut field = || {
            let (field, after) = rest.split_first_chunk::<8>()?;
            rest = after;
            Some(u64::from_le_bytes(*field))
        };
        let extent = Extent { start: field()?, end: field()?, bytes: field()? };
        let last_timestamp = field()?.cast_signed();
        Some(Self { number: u32::from_le_bytes(*number), extent, last_timestamp })
    }
}

/// What is on the disk, as of the last sync.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) streams: BTreeMap<String, StreamState>,
    pub(crate) bytes: u64,
    pub(crate) last_timestamp: i64,
}

/// Named streams of records in one directory, owned by one process. Share it by reference or `Arc`: any number of
/// readers go on beside one writer.
pub struct Journal {
    /// There until it is dropped.
    database: Option<Database>,
    path: PathBuf,
    limits: Limits,
    state: RwLock<State>,
    /// Held from the beginning of a writer until its state is in place.
    writing: Mutex<()>,
}

impl Journal {
    /// Opens the journal in this directory, or makes both.
    pub fn open(directory: &Path, limits: Limits) -> Result<Self> {
        std::fs::create_dir_all(directory)
            .map_err(|source| Error::Directory { path: directory.to_owned(), source })?;
        let path = directory.join(FILE);
        let (database, state) = shielded(&path, || {
            let database = Database::builder()
                .set_cache_size(CACHE)
                .create(&path)
                .map_err(|error| Error::store("open", &path, error))?;
            let state = read_state(&database, &path)?;
            Ok((database, state))
        })?;
        // A file that was just made is found after a power cut only if its name is on the disk too.
        std::fs::File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|source| Error::Directory { path: directory.to_owned(), source })?;
        Ok(Self {
            database: Some(database),
            path,
            limits,
            state: RwLock::new(state),
            writing: Mutex::new(()),
        })
    }

    /// What a stream holds. One that nothing was ever appended to is empty at 0.
    pub fn extent(&self, stream: &str) -> Extent {
        self.read_lock(|state| state.streams.get(stream).map(|found| found.extent)).unwrap_or_default()
    }

    /// The names of the streams that something was ever appended to, sorted.
    pub fn streams(&self) -> Vec<String> {
        self.read_lock(|state| state.streams.keys().cloned().collect())
    }

    /// What all records together count against the bound.
    pub fn bytes(&self) -> u64 {
        self.read_lock(|state| state.bytes)
    }

    /// What a record of so many bytes counts against the bound.
    pub fn stored_bytes(payload: usize) -> u64 {
        record::stored_bytes(payload)
    }

    /// The bound.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The journal's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The records from an offset on: at most `count`, and no more once they make `bytes`, but at least one where there
    /// is one. At the end of the stream there are none; beyond it, and below its start, is [`Error::OutOfRange`].
    pub fn read(&self, stream: &str, from: u64, count: usize, bytes: usize) -> Result<Vec<Record>> {
        let found = self.read_lock(|state| state.streams.get(stream).copied());
        let extent = found.map(|state| state.extent).unwrap_or_default();
        if from < extent.start || from > extent.end {
            let (start, end) = (extent.start, extent.end);
            return Err(Error::OutOfRange { stream: stream.to_owned(), wanted: from, start, end });
        }
        let Some(state) = found.filter(|_| from < extent.end) else { return Ok(Vec::new()) };
        let records = shielded(&self.path, || self.read_records(stream, state, from, count, bytes))?;
        // A trim between the look at the extent and the read shows as a gap at the beginning.
        let start = self.extent(stream).start;
        match records {
            None if from < start => Err(Error::OutOfRange {
                stream: stream.to_owned(),
                wanted: from,
                start,
                end: self.extent(stream).end,
            }),
            None => Err(self.corrupt(format!("stream {stream} has lost records from offset {from}"))),
            Some(records) => Ok(records),
        }
    }

    /// `None` when the first record is not there.
    fn read_records(
        &self,
        stream: &str,
        state: StreamState,
        from: u64,
        count: usize,
        bytes: usize,
    ) -> Result<Option<Vec<Record>>> {
        let transaction = self.read_transaction()?;
        let Some(table) = self.table(transaction.open_table(RECORDS))? else { return Ok(None) };
        let keys = key(state.number, from)..key(state.number, state.extent.end);
        let range =
            table.range::<&[u8; 12]>(&keys.start..&keys.end).map_err(|error| self.failed("read", error))?;
        let (mut records, mut read) = (Vec::new(), 0);
        for (item, expected) in range.take(count.max(1)).zip(from..) {
            let (key, stored) = item.map_err(|error| self.failed("read", error))?;
            let offset = offset_of(key.value());
            if offset != expected {
                if records.is_empty() {
                    return Ok(None);
                }
                return Err(self.corrupt(format!("stream {stream} has lost records from offset {expected}")));
            }
            let record = record::decode(state.number, offset, stored.value()).ok_or_else(|| {
                self.corrupt(format!("offset {offset} of stream {stream} does not match its checksum"))
            })?;
            read += record.payload.len();
            records.push(record);
            if read >= bytes {
                break;
            }
        }
        Ok((!records.is_empty()).then_some(records))
    }

    /// The records of a stream with holes from an offset on, up to `until`: no more once they make `bytes`, but at least one
    /// where there is one. A record that does not match its checksum is named and passed over.
    pub fn read_sparse(&self, stream: &str, from: u64, until: u64, bytes: usize) -> Result<Sparse> {
        let nothing = Sparse { next: until, ..Sparse::default() };
        let Some(state) = self.read_lock(|state| state.streams.get(stream).copied()) else {
            return Ok(nothing);
        };
        let (from, end) = (from.max(state.extent.start), until.min(state.extent.end));
        if from >= end {
            return Ok(nothing);
        }
        shielded(&self.path, || {
            let transaction = self.read_transaction()?;
            let Some(table) = self.table(transaction.open_table(RECORDS))? else { return Ok(nothing) };
            let keys = key(state.number, from)..key(state.number, end);
            let range = table
                .range::<&[u8; 12]>(&keys.start..&keys.end)
                .map_err(|error| self.failed("read", error))?;
            let (mut found, mut read) = (nothing, 0);
            for item in range {
                let (key, stored) = item.map_err(|error| self.failed("read", error))?;
                let offset = offset_of(key.value());
                match record::decode(state.number, offset, stored.value()) {
                    Some(record) => {
                        read += record.payload.len();
                        found.records.push(record);
                    }
                    None => found.corrupt.push(offset),
                }
                if read >= bytes {
                    found.next = offset + 1;
                    break;
                }
            }
            Ok(found)
        })
    }

    /// A small named value, as of the last sync.
    pub fn value(&self, name: &str) -> Result<Option<Vec<u8>>> {
        shielded(&self.path, || self.read_value(name))
    }

    fn read_value(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let transaction = self.read_transaction()?;
        let Some(table) = self.table(transaction.open_table(VALUES))? else { return Ok(None) };
        let found = table.get(name).map_err(|error| self.failed("read", error))?;
        found.map(|stored| self.checked_value(name, stored.value())).transpose()
    }

    /// The small values whose names begin like this, sorted by name, as of the last sync.
    pub fn values(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        shielded(&self.path, || self.read_values(prefix))
    }

    fn read_values(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let transaction = self.read_transaction()?;
        let Some(table) = self.table(transaction.open_table(VALUES))? else { return Ok(Vec::new()) };
        let range = table.range::<&str>(prefix..).map_err(|error| self.failed("read", error))?;
        let mut values = Vec::new();
        for item in range {
            let (name, value) = item.map_err(|error| self.failed("read", error))?;
            if !name.value().starts_with(prefix) {
                break;
            }
            let name = name.value().to_owned();
            let value = self.checked_value(&name, value.value())?;
            values.push((name, value));
        }
        Ok(values)
    }

    fn checked_value(&self, name: &str, stored: &[u8]) -> Result<Vec<u8>> {
        record::decode_value(name, stored)
            .ok_or_else(|| self.corrupt(format!("the value {name:?} does not match its checksum")))
    }

    /// Begins to collect changes; waits until no other thread's writer is left.
    pub fn writer(&self) -> Result<Writer<'_>> {
        let turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = shielded(&self.path, || {
            let mut transaction =
                self.store().begin_write().map_err(|error| self.failed("write to", error))?;
            // Opening after a kill then needs no scan of the file.
            transaction.set_quick_repair(true);
            Ok(transaction)
        })?;
        let state = self.read_lock(State::clone);
        Ok(Writer::new(self, turn, transaction, state))
    }

    pub(crate) fn synced(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    pub(crate) fn failed(&self, action: &'static str, error: impl Into<redb::Error>) -> Error {
        Error::store(action, &self.path, error)
    }

    pub(crate) fn corrupt(&self, problem: String) -> Error {
        Error::Corrupt { path: self.path.clone(), problem }
    }

    fn store(&self) -> &Database {
        self.database.as_ref().expect("only taken when the journal is dropped")
    }

    fn read_transaction(&self) -> Result<ReadTransaction> {
        self.store().begin_read().map_err(|error| self.failed("read", error))
    }

    fn table<T>(&self, opened: Result<T, TableError>) -> Result<Option<T>> {
        match opened {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(self.failed("read", error)),
        }
    }

    fn read_lock<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        dropped(self.database.take());
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("path", &self.path)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn read_state(database: &Database, path: &Path) -> Result<State> {
    let failed = |error: redb::Error| Error::store("open", path, error);
    let transaction = database.begin_read().map_err(|error| failed(error.into()))?;
    let table = match transaction.open_table(STREAMS) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(State::default()),
        Err(error) => return Err(failed(error.into())),
    };
    let mut state = State::default();
    for item in table.iter().map_err(|error| failed(error.into()))? {
        let (name, row) = item.map_err(|error| failed(error.into()))?;
        let name = name.value().to_owned();
        let corrupt = |problem: String| Error::Corrupt { path: path.to_owned(), problem };
        let found = record::decode_value(&name, row.value())
            .and_then(|row| StreamState::from_row(&row))
            .ok_or_else(|| corrupt(format!("the extent of stream {name:?} does not match its checksum")))?;
        let Extent { start, end, bytes } = found.extent;
        if start > end {
            return Err(corrupt(format!("stream {name} starts at {start} and ends at {end}")));
        }
        state.bytes = state
            .bytes
            .checked_add(bytes)
            .ok_or_else(|| corrupt("the streams hold more bytes than can be counted".to_owned()))?;
        state.last_timestamp = state.last_timestamp.max(found.last_timestamp);
        state.streams.insert(name, found);
    }
    Ok(state)
}

pub(crate) fn key(stream: u32, offset: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&stream.to_be_bytes());
    key[4..].copy_from_slice(&offset.to_be_bytes());
    key
}

pub(crate) fn offset_of(key: &[u8; 12]) -> u64 {
    let mut offset = [0; 8];
    offset.copy_from_slice(&key[4..]);
    u64::from_be_bytes(offset)
}
