//! The thread that writes: one sync for all who wait.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};
use wardwatch_journal::{Journal, Writer};
use wardwatch_service::{Counter, Counters, Gauge};

use super::catalog::{self, Catalog, Topic};
use super::retention::{self, Shares};
use crate::error::{Error, Result};
use crate::topic::TopicPartition;

/// How often retention looks for what has expired.
const RETENTION_INTERVAL: Duration = Duration::from_secs(1);
/// What one sync takes at most; more waits for the next, so that nobody waits long.
const GROUP_BYTES: usize = 8 << 20;
const GROUP_COMMANDS: usize = 4096;

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    Publish(Pending),
    Change(Change, oneshot::Sender<Result<()>>),
    /// Answered when everything published before has been.
    Flush(oneshot::Sender<()>),
}

/// A message on its way to the disk.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) to: TopicPartition,
    pub(super) record: Vec<u8>,
    pub(super) reply: oneshot::Sender<Result<u64>>,
    /// Its share of the queue, given back when it is answered.
    pub(super) _room: OwnedSemaphorePermit,
}

/// A change to the catalog.
#[derive(Debug)]
pub(super) enum Change {
    Topic(String, Topic),
    Subscription { group: String, topic: String },
    Commit { group: String, of: TopicPartition, next: u64 },
}

/// What the thread shares with those who publish and read.
#[derive(Debug)]
pub(super) struct Shared {
    journal: Journal,
    directory: PathBuf,
    catalog: RwLock<Catalog>,
    /// Why nothing can be published now, if so.
    trouble: RwLock<Trouble>,
    /// Told whenever messages have been appended.
    pub(super) appended: Notify,
    metrics: Metrics,
}

#[derive(Debug, Default)]
enum Trouble {
    #[default]
    None,
    Full {
        holder: String,
    },
    Failed(Arc<wardwatch_journal::Error>),
}

#[derive(Debug)]
struct Metrics {
    published: Counter,
    syncs: Counter,
    trimmed_bytes: Counter,
    bytes: Gauge,
    /// For the gauges of lag, one a group and partition.
    counters: Counters,
}

impl Shared {
    pub(super) fn new(journal: Journal, directory: PathBuf, catalog: Catalog, counters: &Counters) -> Self {
        let metrics = Metrics {
            published: counters.counter("bus_published", &[("bus", "embedded")]),
            syncs: counters.counter("bus_syncs", &[]),
            trimmed_bytes: counters.counter("bus_trimmed_bytes", &[]),
            bytes: counters.gauge("bus_bytes", &[]),
            counters: counters.clone(),
        };
        metrics.bytes.set(i64::try_from(journal.bytes()).unwrap_or(i64::MAX));
        let (catalog, trouble) = (RwLock::new(catalog), RwLock::default());
        Self { journal, directory, catalog, trouble, appended: Notify::new(), metrics }
    }

    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(super) fn directory(&self) -> &PathBuf {
        &self.directory
    }

    pub(super) fn catalog(&self) -> RwLockReadGuard<'_, Catalog> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn health(&self) -> Result<()> {
        match &*self.trouble.read().unwrap_or_else(PoisonError::into_inner) {
            Trouble::None => Ok(()),
            Trouble::Full { holder } => {
                let (bytes, limit) = (self.journal.bytes(), self.journal.limits().max_bytes);
                Err(Error::Full { bytes, limit, holder: holder.clone() })
            }
            Trouble::Failed(error) => Err(self.failure(error)),
        }
    }

    fn failure(&self, source: &Arc<wardwatch_journal::Error>) -> Error {
        Error::Journal { directory: self.directory.clone(), source: Arc::clone(source) }
    }

    fn set_trouble(&self, trouble: Trouble) {
        *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn apply(&self, change: &Change) {
        let mut catalog = self.catalog.write().unwrap_or_else(PoisonError::into_inner);
        match change {
            Change::Topic(name, topic) => catalog.set_topic(name, *topic),
            Change::Subscription { group, topic } => catalog.subscribe(group, topic),
            Change::Commit { group, of, next } => catalog.commit(group, of, *next),
        }
    }
}

/// What has been taken and not answered yet.
#[derive(Default)]
struct Waiting {
    /// In the order in which they were enqueued, each with its number.
    publishes: VecDeque<(u64, Pending)>,
    changes: Vec<(Change, oneshot::Sender<Result<()>>)>,
    /// Each with how many publishes were before it.
    flushes: VecDeque<(u64, oneshot::Sender<()>)>,
    taken: u64,
}

impl Waiting {
    fn take(&mut self, command: Command) -> usize {
        match command {
            Command::Publish(pending) => {
                let bytes = pending.record.len();
                self.publishes.push_back((self.taken, pending));
                self.taken += 1;
                bytes
            }
            Command::Change(change, reply) => {
                self.changes.push((change, reply));
                0
            }
            Command::Flush(reply) => {
                self.flushes.push_back((self.taken, reply));
                0
            }
        }
    }

    fn answer_flushes(&mut self) {
        let first = self.publishes.front().map_or(u64::MAX, |(number, _)| *number);
        while let Some((_, reply)) = self.flushes.pop_front_if(|(before, _)| *before <= first) {
            let _ = reply.send(());
        }
    }
}

/// Runs until no one can send commands any more.
pub(super) fn run(shared: &Shared, commands: &Receiver<Command>) {
    let mut waiting = Waiting::default();
    let mut expired = Instant::now();
    let mut blocked = false;
    loop {
        // While the journal is full, what waits can only go on after a commit or by retention.
        let patience =
            if waiting.publishes.is_empty() || blocked { RETENTION_INTERVAL } else { Duration::ZERO };
        match commands.recv_timeout(patience) {
            Ok(command) => {
                let mut bytes = waiting.take(command);
                let more = commands.try_iter().take(GROUP_COMMANDS);
                for command in more {
                    bytes += waiting.take(command);
                    if bytes > GROUP_BYTES {
                        break;
                    }
                }
            }
            Err(RecvTimeoutError::Disconnected) if waiting.publishes.is_empty() || blocked => return,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        let expire = expired.elapsed() >= RETENTION_INTERVAL;
        if expire {
            expired = Instant::now();
            report_lag(shared);
        }
        match write(shared, &mut waiting, expire) {
            Ok(full) => blocked = full,
            Err(error) => fail(shared, &mut waiting, Arc::new(error)),
        }
        waiting.answer_flushes();
    }
}

/// Writes and syncs what waits, as far as there is room; gives whether some of it has to go on waiting for room.
fn write(shared: &Shared, waiting: &mut Waiting, expire: bool) -> Result<bool, wardwatch_journal::Error> {
    if waiting.publishes.is_empty() && waiting.changes.is_empty() && !expire {
        return Ok(false);
    }
    let mut writer = shared.journal.writer()?;
    for (change, _) in &waiting.changes {
        write_change(&mut writer, change)?;
        // If the sync fails nothing goes on anyway, and retention may use it at once.
        shared.apply(change);
    }
    let catalog = shared.catalog().clone();
    let mut freed = if expire { retention::expire(&mut writer, &catalog)? } else { 0 };
    let mut shares = Shares::of(&writer, &catalog, shared.journal.limits().max_bytes);
    let (mut appended, mut left) = (Vec::new(), VecDeque::new());
    let mut grouped = 0;
    // A topic without room waits, in order, and the others go on: they may be what it waits for.
    let mut blocked: BTreeMap<Arc<str>, String> = BTreeMap::new();
    for (number, pending) in std::mem::take(&mut waiting.publishes) {
        let topic = &pending.to.topic;
        let more = Journal::stored_bytes(pending.record.len());
        if grouped > GROUP_BYTES || blocked.contains_key(topic) {
            left.push_back((number, pending));
            continue;
        }
        freed += retention::make_room(&mut writer, &catalog, &mut shares, topic, more)?;
        if !shares.fit(topic, more) {
            blocked.insert(Arc::clone(topic), retention::holder(&writer, &catalog, &shares, topic)?);
            left.push_back((number, pending));
            continue;
        }
        let offset = writer.append(&pending.to.to_string(), &pending.record)?;
        shares.add(topic, more);
        grouped += pending.record.len();
        appended.push((pending, offset));
    }
    waiting.publishes = left;
    let full = !blocked.is_empty();
    let trouble = blocked.into_values().next().map_or(Trouble::None, |holder| Trouble::Full { holder });
    if appended.is_empty() && waiting.changes.is_empty() && freed == 0 {
        drop(writer);
    } else {
        writer.sync()?;
        shared.metrics.syncs.increment();
    }
    report(shared, &trouble);
    shared.set_trouble(trouble);
    shared.metrics.trimmed_bytes.add(freed);
    shared.metrics.published.add(appended.len() as u64);
    shared.metrics.bytes.set(i64::try_from(shared.journal.bytes()).unwrap_or(i64::MAX));

    if !appended.is_empty() {
        shared.appended.notify_waiters();
    }
    for (pending, offset) in appended {
        // One who dropped the receipt does not want to know.
        let _ = pending.reply.send(Ok(offset));
    }
    for (_, reply) in waiting.changes.drain(..) {
        let _ = reply.send(Ok(()));
    }
    Ok(full)
}

fn write_change(writer: &mut Writer<'_>, change: &Change) -> Result<(), wardwatch_journal::Error> {
    match change {
        Change::Topic(name, topic) => catalog::write_topic(writer, name, *topic),
        Change::Subscription { group, topic } => catalog::write_subscription(writer, group, topic),
        Change::Commit { group, of, next } => catalog::write_commit(writer, group, of, *next),
    }
}

/// Tells everyone who waits. A journal whose disk failed stays failed until it is opened again.
fn fail(shared: &Shared, waiting: &mut Waiting, error: Arc<wardwatch_journal::Error>) {
    tracing::error!(directory = %shared.directory.display(), %error, "the journal failed");
    for (_, pending) in waiting.publishes.drain(..) {
        let _ = pending.reply.send(Err(shared.failure(&error)));
    }
    for (_, reply) in waiting.changes.drain(..) {
        let _ = reply.send(Err(shared.failure(&error)));
    }
    shared.set_trouble(Trouble::Failed(error));
}

/// How far each group is behind, as it committed.
fn report_lag(shared: &Shared) {
    for (group, of, next) in shared.catalog().commits() {
        let partition = of.partition.to_string();
        let labels = [("group", group), ("topic", &*of.topic), ("partition", partition.as_str())];
        let lag = shared.journal.extent(&of.to_string()).end.saturating_sub(next);
        shared.metrics.counters.gauge("bus_lag", &labels).set(i64::try_from(lag).unwrap_or(i64::MAX));
    }
}

fn report(shared: &Shared, now: &Trouble) {
    let before =
        matches!(&*shared.trouble.read().unwrap_or_else(PoisonError::into_inner), Trouble::Full { .. });
    match now {
        Trouble::Full { holder } if !before => {
            tracing::warn!(holder, "the journal is full and publishing waits");
        }
        Trouble::None if before => {
            tracing::info!("the journal has room again");
        }
        _ => {}
    }
}
