//! Changing a journal: all of it on the disk, or none of it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::MutexGuard;

use redb::{ReadableTable as _, WriteTransaction};

use crate::clock;
use crate::journal::{Extent, Journal, RECORDS, STREAMS, State, StreamState, VALUES, key, offset_of};
use crate::record::{self, Record, RecordInfo};
use crate::shield::{dropped, shielded};
use crate::{Error, Result};

/// The first record of a stream with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oldest {
    /// Its place in the stream.
    pub offset: u64,
    /// What it counts against the journal's bound.
    pub bytes: u64,
    /// The record; `None` when it does not match its checksum.
    pub record: Option<Record>,
}

/// Collects changes until [`sync`](Self::sync) puts them on the disk together. Dropping it takes them back.
pub struct Writer<'j> {
    journal: &'j Journal,
    /// There until it is synced or dropped.
    transaction: Option<WriteTransaction>,
    state: State,
    changed: BTreeSet<String>,
    _turn: MutexGuard<'j, ()>,
}

impl<'j> Writer<'j> {
    pub(crate) fn new(
        journal: &'j Journal,
        turn: MutexGuard<'j, ()>,
        transaction: WriteTransaction,
        state: State,
    ) -> Self {
        Self { journal, transaction: Some(transaction), state, changed: BTreeSet::new(), _turn: turn }
    }

    /// Adds a record at the end of a stream, and gives its offset. [`Error::Full`] leaves everything as it was.
    pub fn append(&mut self, stream: &str, payload: &[u8]) -> Result<u64> {
        self.append_stamped(stream, payload, clock::stamp_after(self.state.last_timestamp))
    }

    /// As [`append`](Self::append), by another clock; a stamp before the last one is moved up to it.
    pub fn append_stamped(&mut self, stream: &str, payload: &[u8], timestamp: i64) -> Result<u64> {
        let offset = self.extent(stream).end;
        self.insert(stream, offset, payload, timestamp)?;
        Ok(offset)
    }

    /// Adds a record at an offset of the caller's at or behind the end of a stream, and leaves a hole before it. Such a
    /// stream is read by [`Journal::read_sparse`].
    pub fn append_at(&mut self, stream: &str, offset: u64, payload: &[u8]) -> Result<()> {
        self.insert(stream, offset, payload, clock::stamp_after(self.state.last_timestamp))
    }

    fn insert(&mut self, stream: &str, offset: u64, payload: &[u8], timestamp: i64) -> Result<()> {
        let more = record::stored_bytes(payload.len());
        let limit = self.journal.limits().max_bytes;
        let bytes = self.state.bytes;
        let total = bytes.checked_add(more).filter(|total| *total <= limit);
        let total = total.ok_or(Error::Full { bytes, limit, more })?;
        let timestamp = timestamp.max(self.state.last_timestamp);

        let mut found = self.stream(stream)?;
        let Extent { start, end, bytes: held } = found.extent;
        if offset < end || offset == u64::MAX {
            return Err(Error::OutOfRange { stream: stream.to_owned(), wanted: offset, start, end });
        }
        let stored = record::encode(found.number, offset, timestamp, payload);
        shielded(self.journal.path(), || {
            let mut table = self.transaction().open_table(RECORDS).map_err(|error| self.failed(error))?;
            table
                .insert(&key(found.number, offset), stored.as_slice())
                .map_err(|error| self.failed(error))?;
            Ok(())
        })?;
        // An empty stream begins with its first record.
        let start = if held == 0 { offset } else { start };
        found.extent = Extent { start, end: offset + 1, bytes: held + more };
        found.last_timestamp = timestamp;
        self.state.bytes = total;
        self.state.last_timestamp = timestamp;
        self.state.streams.insert(stream.to_owned(), found);
        self.changed.insert(stream.to_owned());
        Ok(())
    }

    /// Removes one record wherever it lies in its stream, and gives the bytes that it freed; none where there is none.
    pub fn remove_at(&mut self, stream: &str, offset: u64) -> Result<u64> {
        let Some(mut found) = self.state.streams.get(stream).copied() else { return Ok(0) };
        let freed = shielded(self.journal.path(), || {
            let mut table = self.transaction().open_table(RECORDS).map_err(|error| self.failed(error))?;
            let removed = table.remove(&key(found.number, offset)).map_err(|error| self.failed(error))?;
            Ok(removed.map_or(0, |stored| stored.value().len() as u64))
        })?;
        if freed == 0 {
            return Ok(0);
        }
        if offset == found.extent.start {
            found.extent.start += 1;
        }
        found.extent.bytes = found.extent.bytes.saturating_sub(freed);
        self.state.bytes = self.state.bytes.saturating_sub(freed);
        self.state.streams.insert(stream.to_owned(), found);
        self.changed.insert(stream.to_owned());
        Ok(freed)
    }

    /// The first record of a stream with holes; nothing where no record is left.
    pub fn oldest(&self, stream: &str) -> Result<Option<Oldest>> {
        let Some(found) = self.state.streams.get(stream) else { return Ok(None) };
        let keys = key(found.number, found.extent.start)..key(found.number, found.extent.end);
        shielded(self.journal.path(), || {
            let table = self.transaction().open_table(RECORDS).map_err(|error| self.failed(error))?;
            let mut range =
                table.range::<&[u8; 12]>(&keys.start..&keys.end).map_err(|error| self.failed(error))?;
            let Some(item) = range.next() else { return Ok(None) };
            let (key, stored) = item.map_err(|error| self.failed(error))?;
            let (offset, stored) = (offset_of(key.value()), stored.value());
            let record = record::decode(found.number, offset, stored);
            Ok(Some(Oldest { offset, bytes: stored.len() as u64, record }))
        })
    }

    /// Removes a stream, all its records and its name. Its offsets begin anew if it is ever appended to again.
    pub fn remove_stream(&mut self, stream: &str) -> Result<()> {
        self.trim(stream, |_| true)?;
        self.changed.remove(stream);
        let Some(found) = self.state.streams.remove(stream) else { return Ok(()) };
        self.state.bytes = self.state.bytes.saturating_sub(found.extent.bytes);
        shielded(self.journal.path(), || {
            let mut table = self.transaction().open_table(STREAMS).map_err(|error| self.failed(error))?;
            table.remove(stream).map_err(|error| self.failed(error))?;
            Ok(())
        })
    }

    /// Removes records from the start of a stream for as long as `remove` says so, and gives the bytes that it freed.
    pub fn trim(&mut self, stream: &str, mut remove: impl FnMut(&RecordInfo) -> bool) -> Result<u64> {
        let Some(mut found) = self.state.streams.get(stream).copied() else { return Ok(0) };
        let Extent { start, end, .. } = found.extent;
        let (mut doomed, mut freed) = (start, 0);
        shielded(self.journal.path(), || {
            let mut table = self.transaction().open_table(RECORDS).map_err(|error| self.failed(error))?;
            let keys = key(found.number, start)..key(found.number, end);
            for item in
                table.range::<&[u8; 12]>(&keys.start..&keys.end).map_err(|error| self.failed(error))?
            {
                let (key, stored) = item.map_err(|error| self.failed(error))?;
                let offset = offset_of(key.value());
                let info = record::peek(offset, stored.value()).ok_or_else(|| {
                    self.journal.corrupt(format!("offset {offset} of stream {stream} is cut off"))
                })?;
                if !remove(&info) {
                    break;
                }
                doomed = offset + 1;
                freed += info.bytes;
            }
            let doomed_key = key(found.number, doomed);
            table
                .retain_in::<&[u8; 12], _>(&keys.start..&doomed_key, |_, _| false)
                .map_err(|error| self.failed(error))
        })?;
        found.extent.start = doomed;
        found.extent.bytes = found.extent.bytes.saturating_sub(freed);
        self.state.bytes = self.state.bytes.saturating_sub(freed);
        self.state.streams.insert(stream.to_owned(), found);
        self.changed.insert(stream.to_owned());
        Ok(freed)
    }

    /// The first record of a stream, without its payload.
    pub fn first(&self, stream: &str) -> Result<Option<RecordInfo>> {
        let Some(found) = self.state.streams.get(stream) else { return Ok(None) };
        if found.extent.start == found.extent.end {
            return Ok(None);
        }
        let info = shielded(self.journal.path(), || {
            let table = self.transaction().open_table(RECORDS).map_err(|error| self.failed(error))?;
            let stored =
                table.get(&key(found.number, found.extent.start)).map_err(|error| self.failed(error))?;
            Ok(stored.and_then(|stored| record::peek(found.extent.start, stored.value())))
        })?;
        let lost = || self.journal.corrupt(format!("stream {stream} has lost its first record"));
        info.map(Some).ok_or_else(lost)
    }

    /// What a stream holds with the changes collected here.
    pub fn extent(&self, stream: &str) -> Extent {
        self.state.streams.get(stream).map(|found| found.extent).unwrap_or_default()
    }

    /// What all records count against the bound with the changes collected here.
    pub fn bytes(&self) -> u64 {
        self.state.bytes
    }

    /// Sets a small named value.
    pub fn put(&mut self, name: &str, value: &[u8]) -> Result<()> {
        shielded(self.journal.path(), || {
            let mut table = self.transaction().open_table(VALUES).map_err(|error| self.failed(error))?;
            table
                .insert(name, record::encode_value(name, value).as_slice())
                .map_err(|error| self.failed(error))?;
            Ok(())
        })
    }

    /// Removes a small named value.
    pub fn remove(&mut self, name: &str) -> Result<()> {
        shielded(self.journal.path(), || {
            let mut table = self.transaction().open_table(VALUES).map_err(|error| self.failed(error))?;
            table.remove(name).map_err(|error| self.failed(error))?;
            Ok(())
        })
    }

    /// Returns when everything collected here is on the disk. After an error none of it is.
    pub fn sync(mut self) -> Result<()> {
        let transaction = self.transaction.take();
        shielded(self.journal.path(), || {
            let Some(transaction) = transaction else { return Ok(()) };
            {
                let mut table = transaction.open_table(STREAMS).map_err(|error| self.failed(error))?;
                for name in &self.changed {
                    let Some(found) = self.state.streams.get(name) else { continue };
                    let row = record::encode_value(name, &found.to_row());
                    table.insert(name.as_str(), row.as_slice()).map_err(|error| self.failed(error))?;
                }
            }
            transaction.commit().map_err(|error| self.journal.failed("sync", error))
        })?;
        self.journal.synced(std::mem::take(&mut self.state));
        Ok(())
    }

    fn transaction(&self) -> &WriteTransaction {
        self.transaction.as_ref().expect("only taken when the writer is synced or dropped")
    }

    fn stream(&self, name: &str) -> Result<StreamState> {
        if let Some(found) = self.state.streams.get(name) {
            return Ok(*found);
        }
        let taken = self.state.streams.values().map(|found| found.number).max();
        let number = match taken {
            None => 0,
            Some(last) => {
                last.checked_add(1).ok_or_else(|| self.journal.corrupt("no stream number is left".into()))?
            }
        };
        Ok(StreamState { number, extent: Extent::default(), last_timestamp: 0 })
    }

    fn failed(&self, error: impl Into<redb::Error>) -> Error {
        self.journal.failed("write to", error)
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        dropped(self.transaction.take());
    }
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("journal", self.journal)
            .field("changed", &self.changed)
            .finish_non_exhaustive()
    }
}
