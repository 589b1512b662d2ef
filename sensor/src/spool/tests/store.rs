//! The batches on the disk against a list in memory.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use super::super::record;
use super::super::store::{Removal, Store};
use super::batch;

const BOUND: u64 = 512 << 10;
const OWNER: &str = "sensor s1 at site north";

#[derive(Clone, Debug)]
enum Step {
    /// Appends batches of these sizes, and removes some of those that are there, in one change.
    Change { sizes: Vec<usize>, remove: Vec<prop::sample::Index>, may_drop: bool },
    /// The process is gone without a word; the same epoch goes on.
    Crash,
    /// Likewise, and the next boot has another epoch.
    Boot,
    /// A power cut: what comes up is the file as it was after the last sync.
    PowerCut,
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![4 => 0..3000_usize, 2 => 3000..40_000_usize, 1 => Just(120_000)];
    let change = (
        prop::collection::vec(size, 0..6),
        prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        any::<bool>(),
    );
    prop_oneof![
        8 => change.prop_map(|(sizes, remove, may_drop)| Step::Change { sizes, remove, may_drop }),
        1 => Just(Step::Crash),
        1 => Just(Step::Boot),
        1 => Just(Step::PowerCut),
    ]
}

fn open(directory: &Path) -> Store {
    Store::open(directory, BOUND, OWNER).expect("the store opens")
}

/// Everything that can be read, by epoch and sequence.
fn contents(store: &Store) -> BTreeMap<(u64, u64), usize> {
    let mut found = BTreeMap::new();
    for epoch in store.tallies().keys() {
        let (mut from, end) = (0, u64::MAX);
        while from < end {
            let read = store.read(*epoch, from..end, 10_000).expect("read");
            assert!(read.corrupt.is_empty());
            assert!(read.batches.is_sorted_by_key(|batch| batch.sequence), "an epoch is in its order");
            for kept in read.batches {
                assert_eq!(kept.encoded, batch(*epoch, kept.sequence, kept.encoded.len()).encoded);
                found.insert((*epoch, kept.sequence), kept.encoded.len());
            }
            from = read.next;
        }
    }
    found
}

fn on_disk(bytes: usize) -> u64 {
    record::on_disk(wardwatch_journal::Journal::stored_bytes(bytes + 4))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What was synced and not removed is there, what was removed or dropped does not come back, the oldest goes first, and
    /// the bound holds.
    #[test]
    fn the_store_holds_what_a_list_would(steps in prop::collection::vec(step(), 1..30)) {
        let mut directory = tempfile::tempdir().expect("a directory");
        let mut store = open(directory.path());
        let (mut epoch, mut next) = (1, 1);
        let mut model: BTreeMap<(u64, u64), usize> = BTreeMap::new();
        store.begin(epoch).expect("begun");
        for step in steps {
            match step {
                Step::Change { sizes, remove, may_drop } => {
                    let append: Vec<_> = (next..).zip(&sizes).map(|(sequence, size)| batch(epoch, sequence, *size)).collect();
                    let there: Vec<_> = model.keys().copied().collect();
                    let remove: Vec<_> = remove.iter().filter(|_| !there.is_empty()).map(|index| *index.get(&there)).collect();
                    let removals: Vec<_> = remove
                        .iter()
                        .map(|(epoch, sequence)| Removal { epoch: *epoch, sequence: *sequence, facts: 3 })
                        .collect();
                    let changed = store.change(epoch, &append, &removals, may_drop).expect("changed");
                    for key in remove {
                        model.remove(&key);
                    }
                    prop_assert!(may_drop || changed.dropped.is_empty());
                    prop_assert!(!may_drop || changed.appended == append.len());
                    for batch in &append[..changed.appended] {
                        model.insert((epoch, batch.sequence), batch.encoded.len());
                    }
                    for dropped in changed.dropped {
                        let (oldest, size) = model.pop_first().expect("there is something to drop");
                        prop_assert_eq!(oldest, (dropped.epoch, dropped.sequence));
                        prop_assert_eq!((dropped.facts, dropped.bytes), (3, on_disk(size)));
                    }
                    next += sizes.len() as u64;
                }
                Step::Crash | Step::Boot => {
                    drop(store);
                    store = open(directory.path());
                    prop_assert_eq!(store.last_epoch(), epoch);
                    if matches!(step, Step::Boot) {
                        (epoch, next) = (epoch + 1, 1);
                        store.begin(epoch).expect("begun");
                    }
                }
                Step::PowerCut => {
                    let after = tempfile::tempdir().expect("a directory");
                    let file = "journal.redb";
                    std::fs::copy(directory.path().join(file), after.path().join(file)).expect("copied");
                    drop(store);
                    directory = after;
                    store = open(directory.path());
                }
            }
            prop_assert_eq!(&contents(&store), &model);
            let bytes: u64 = model.values().map(|size| on_disk(*size)).sum();
            let total = store.total();
            prop_assert_eq!((total.batches, total.facts, total.bytes), (model.len() as u64, 3 * model.len() as u64, bytes));
            prop_assert!(bytes <= BOUND);
        }
    }
}

/// The bound is one of the disk: batches of all sizes come and go, and the file takes little more.
#[test]
fn the_file_stays_within_the_bound() {
    use std::os::unix::fs::MetadataExt as _;
    let directory = tempfile::tempdir().expect("a directory");
    let bound = 24 << 20;
    let mut store = Store::open(directory.path(), bound, OWNER).expect("the store opens");
    let sizes = [700, 300_000, 5000, 510_000, 60_000, 2500, 130_000];
    let mut sequence = 1;
    for _ in 0..60 {
        let group: Vec<_> =
            (sequence..).zip(sizes).map(|(sequence, size)| batch(1, sequence, size)).collect();
        let changed = store.change(1, &group, &[], true).expect("changed");
        assert_eq!(changed.appended, group.len());
        sequence += group.len() as u64;
    }
    let taken = std::fs::metadata(directory.path().join("journal.redb")).expect("there").blocks() * 512;
    let held = store.total().bytes;
    assert!(held > bound / 10 * 9, "the spool is full: {held}");
    assert!(taken < bound / 10 * 12, "{taken} bytes of the disk for a bound of {bound}");
}

#[test]
fn a_spool_belongs_to_one_sensor() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut store = open(directory.path());
    store.change(1, &[batch(1, 1, 100)], &[], true).expect("changed");
    drop(store);
    let error = Store::open(directory.path(), BOUND, "sensor s2 at site north").expect_err("another's");
    let expected = format!("the spool {} holds batches of {OWNER}", directory.path().display());
    assert!(error.to_string().starts_with(&expected), "{error}");

    // An empty one may change hands.
    let mut store = open(directory.path());
    store.change(2, &[], &[Removal { epoch: 1, sequence: 1, facts: 3 }], true).expect("changed");
    drop(store);
    Store::open(directory.path(), BOUND, "sensor s2 at site north").expect("nothing is left of the other");
}
