//! Measures what a journal asks of an embedded store, on fjall and on redb: records of 100 KiB in 64 streams, a sync per
//! group, a bound that is kept by trimming the oldest, a kill in between, and reading all of it back.
//!
//! `cargo run --release -p wardwatch-journal --example stores -- DIRECTORY [MEGABYTES]`

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const RECORD: usize = 100 << 10;
const STREAMS: u32 = 64;
const BOUND: u64 = 256 << 20;

/// What a journal asks of a store.
trait Store: Sized {
    const NAME: &'static str;
    fn open(directory: &Path) -> Outcome<Self>;
    /// Appends a group, removes the trimmed keys, and returns when all of it is on the disk.
    fn commit(&self, group: &[([u8; 12], Vec<u8>)], trimmed: &[[u8; 12]]) -> Outcome<()>;
    fn read_all(&self) -> Outcome<(u64, u64)>;
}

struct Fjall {
    database: fjall::Database,
    records: fjall::Keyspace,
}

impl Store for Fjall {
    const NAME: &'static str = "fjall 3 (values apart)";

    fn open(directory: &Path) -> Outcome<Self> {
        let database = fjall::Database::builder(directory).max_journaling_size(128 << 20).open()?;
        let records = database.keyspace("records", || {
            fjall::KeyspaceCreateOptions::default()
                .with_kv_separation(Some(fjall::KvSeparationOptions::default()))
        })?;
        Ok(Self { database, records })
    }

    fn commit(&self, group: &[([u8; 12], Vec<u8>)], trimmed: &[[u8; 12]]) -> Outcome<()> {
        let mut batch = self.database.batch().durability(Some(fjall::PersistMode::SyncData));
        for (key, record) in group {
            batch.insert(&self.records, key, record.as_slice());
        }
        for key in trimmed {
            batch.remove(&self.records, key);
        }
        Ok(batch.commit()?)
    }

    fn read_all(&self) -> Outcome<(u64, u64)> {
        let (mut count, mut bytes) = (0, 0);
        for item in self.records.iter() {
            bytes += item.value()?.len() as u64;
            count += 1;
        }
        Ok((count, bytes))
    }
}

struct Redb {
    database: redb::Database,
}

const RECORDS: redb::TableDefinition<'_, &[u8; 12], &[u8]> = redb::TableDefinition::new("records");

impl Store for Redb {
    const NAME: &'static str = "redb 4 (quick repair)";

    fn open(directory: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(directory)?;
        let database =
            redb::Database::builder().set_cache_size(64 << 20).create(directory.join("journal.redb"))?;
        Ok(Self { database })
    }

    fn commit(&self, group: &[([u8; 12], Vec<u8>)], trimmed: &[[u8; 12]]) -> Outcome<()> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_quick_repair(true);
        {
            let mut records = transaction.open_table(RECORDS)?;
            for (key, record) in group {
                records.insert(key, record.as_slice())?;
            }
            for key in trimmed {
                records.remove(key)?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn read_all(&self) -> Outcome<(u64, u64)> {
        use redb::{ReadableDatabase as _, ReadableTable as _};
        let transaction = self.database.begin_read()?;
        let (mut count, mut bytes) = (0, 0);
        for item in transaction.open_table(RECORDS)?.iter()? {
            bytes += item?.1.value().len() as u64;
            count += 1;
        }
        Ok((count, bytes))
    }
}

/// Half of each record repeats, as encoded facts do.
fn record(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..RECORD)
        .map(|index| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if index % 2 == 0 { 0x20 } else { state.to_le_bytes()[0] }
        })
        .collect()
}

fn key(number: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&((number % u64::from(STREAMS)) as u32).to_be_bytes());
    key[4..].copy_from_slice(&number.to_be_bytes());
    key
}

fn disk(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => disk(&entry.path()),
            Ok(found) => std::os::unix::fs::MetadataExt::blocks(&found) * 512,
            Err(_) => 0,
        })
        .sum()
}

fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn append<S: Store>(directory: &Path, megabytes: u64, group: usize) -> Outcome<()> {
    let store = S::open(directory)?;
    let records: Vec<Vec<u8>> = (0..64).map(record).collect();
    let total = (megabytes << 20) / RECORD as u64;
    let (mut live, mut number, mut peak) = (VecDeque::new(), 0, 0);
    let (mut slowest, mut in_store) = (Duration::ZERO, Duration::ZERO);
    let before = written();
    while number < total {
        let batch: Vec<_> = (0..group as u64)
            .map(|step| (key(number + step), records[((number + step) % 64) as usize].clone()))
            .collect();
        live.extend(batch.iter().map(|(key, _)| *key));
        number += group as u64;
        let excess = live.len().saturating_sub((BOUND / RECORD as u64) as usize);
        let trimmed: Vec<_> = live.drain(..excess).collect();
        let start = Instant::now();
        store.commit(&batch, &trimmed)?;
        slowest = slowest.max(start.elapsed());
        in_store += start.elapsed();
        if number % 512 < group as u64 {
            peak = peak.max(disk(directory));
        }
    }
    let seconds = in_store.as_secs_f64();
    println!(
        "{:<24} group {group:>3}: {:>6.0} records/s {:>5.0} MB/s, {:>5.0} syncs/s, slowest {:>5.0} ms, written x{:.2}, disk at end {} MB, peak {} MB for {} MB live",
        S::NAME,
        number as f64 / seconds,
        number as f64 * RECORD as f64 / seconds / 1e6,
        number as f64 / group as f64 / seconds,
        slowest.as_secs_f64() * 1e3,
        (written() - before) as f64 / (number as f64 * RECORD as f64),
        disk(directory) / 1_000_000,
        peak.max(disk(directory)) / 1_000_000,
        live.len() * RECORD / 1_000_000,
    );
    // No destructor runs: what follows opens the store as a crash left it.
    std::process::abort();
}

fn reopen<S: Store>(directory: &Path) -> Outcome<()> {
    let start = Instant::now();
    let store = S::open(directory)?;
    let opened = start.elapsed();
    let (count, bytes) = store.read_all()?;
    let read = start.elapsed().saturating_sub(opened);
    println!(
        "{:<24} after a kill: opened in {:.0} ms, {count} records read at {:.0} MB/s",
        S::NAME,
        opened.as_secs_f64() * 1e3,
        bytes as f64 / read.as_secs_f64() / 1e6,
    );
    Ok(())
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let root = PathBuf::from(arguments.get(1).ok_or("name a directory")?);
    let megabytes: u64 = arguments.get(2).map_or(Ok(2048), |text| text.parse())?;
    match arguments.get(3).map(String::as_str) {
        None => {
            for store in ["fjall", "redb"] {
                for group in ["1", "8", "32"] {
                    let directory = root.join(format!("{store}-{group}"));
                    for step in ["append", "reopen"] {
                        let mut child = Command::new(std::env::current_exe()?);
                        child.arg(&directory).arg(megabytes.to_string()).args([step, store, group]);
                        child.status()?;
                    }
                    std::fs::remove_dir_all(&directory)?;
                }
            }
            Ok(())
        }
        Some(step) => {
            let group = arguments.get(5).map_or(Ok(1), |text| text.parse())?;
            match (step, arguments.get(4).map(String::as_str)) {
                ("append", Some("fjall")) => append::<Fjall>(&root, megabytes, group),
                ("append", Some("redb")) => append::<Redb>(&root, megabytes, group),
                (_, Some("fjall")) => reopen::<Fjall>(&root),
                _ => reopen::<Redb>(&root),
            }
        }
    }
}
