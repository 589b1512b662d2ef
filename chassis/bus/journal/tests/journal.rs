//! What a journal promises.

#![allow(missing_docs, reason = "a test")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tempfile::TempDir;
use wardwatch_journal::{Error, Extent, Journal, Limits};

const ROOMY: Limits = Limits { max_bytes: 1 << 30 };
/// What a record counts beyond its payload: checksum and stamp.
const OVERHEAD: u64 = 12;

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn open(directory: &TempDir) -> Journal {
    Journal::open(directory.path(), ROOMY).expect("the journal opens")
}

fn append(journal: &Journal, stream: &str, payloads: &[&[u8]]) -> Vec<u64> {
    let mut writer = journal.writer().expect("a writer");
    let offsets = payloads.iter().map(|payload| writer.append(stream, payload).expect("appended")).collect();
    writer.sync().expect("synced");
    offsets
}

fn payloads(journal: &Journal, stream: &str, from: u64) -> Vec<Vec<u8>> {
    let records = journal.read(stream, from, 1000, usize::MAX).expect("read");
    records.into_iter().map(|record| record.payload.to_vec()).collect()
}

#[test]
fn records_lie_at_consecutive_offsets_of_their_own_stream() {
    let directory = directory();
    let journal = open(&directory);
    assert_eq!(append(&journal, "live", &[b"a", b"b"]), [0, 1]);
    assert_eq!(append(&journal, "backfill", &[b"x"]), [0]);
    assert_eq!(append(&journal, "live", &[b"c"]), [2]);
    assert_eq!(payloads(&journal, "live", 1), [b"b", b"c"]);
    assert_eq!(payloads(&journal, "backfill", 0), [b"x"]);
    assert_eq!(journal.streams(), ["backfill", "live"]);
    assert_eq!(journal.extent("live"), Extent { start: 0, end: 3, bytes: 3 * (1 + OVERHEAD) });
}

#[test]
fn what_is_synced_is_there_after_reopening_and_what_is_not_is_gone() {
    let directory = directory();
    let journal = open(&directory);
    append(&journal, "live", &[b"kept"]);
    let mut writer = journal.writer().expect("a writer");
    writer.append("live", b"dropped").expect("appended");
    writer.put("epoch", b"9").expect("put");
    drop(writer);
    assert_eq!(journal.extent("live").end, 1);
    drop(journal);

    let journal = open(&directory);
    assert_eq!(payloads(&journal, "live", 0), [b"kept"]);
    assert_eq!(journal.value("epoch").expect("read"), None);
    assert_eq!(append(&journal, "live", &[b"next"]), [1]);
}

#[test]
fn a_journal_has_one_owner() {
    let directory = directory();
    let _owner = open(&directory);
    let error = Journal::open(directory.path(), ROOMY).expect_err("it is open");
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    let path = directory.path().join("journal.redb");
    assert_eq!(error.to_string(), format!("the journal {} is already open elsewhere", path.display()));
}

#[test]
fn reading_is_bounded_by_count_and_bytes_but_always_gets_on() {
    let directory = directory();
    let journal = open(&directory);
    append(&journal, "live", &[&[1; 100], &[2; 100], &[3; 100]]);
    assert_eq!(journal.read("live", 0, 2, usize::MAX).expect("read").len(), 2);
    assert_eq!(journal.read("live", 0, 9, 150).expect("read").len(), 2);
    assert_eq!(journal.read("live", 1, 0, 0).expect("read").len(), 1);
    assert!(journal.read("live", 3, 9, 150).expect("read").is_empty());
    assert!(journal.read("nothing", 0, 9, 150).expect("read").is_empty());
}

#[test]
fn trimming_frees_room_and_moves_the_start_for_good() {
    let directory = directory();
    let journal = open(&directory);
    append(&journal, "live", &[b"a", b"b", b"c"]);
    let mut writer = journal.writer().expect("a writer");
    let freed = writer.trim("live", |record| record.offset < 2).expect("trimmed");
    assert_eq!(freed, 2 * (1 + OVERHEAD));
    assert_eq!(writer.first("live").expect("read").map(|first| first.offset), Some(2));
    writer.sync().expect("synced");
    drop(journal);

    let journal = open(&directory);
    assert_eq!(journal.extent("live"), Extent { start: 2, end: 3, bytes: 1 + OVERHEAD });
    assert_eq!(journal.bytes(), 1 + OVERHEAD);
    let error = journal.read("live", 1, 9, 9).expect_err("trimmed");
    assert_eq!(error.to_string(), "stream live has no offset 1: it holds 2..3");
    let error = journal.read("live", 4, 9, 9).expect_err("not written yet");
    assert!(matches!(error, Error::OutOfRange { wanted: 4, end: 3, .. }), "{error}");
    assert_eq!(payloads(&journal, "live", 2), [b"c"]);

    let mut writer = journal.writer().expect("a writer");
    writer.trim("live", |_| true).expect("trimmed");
    writer.sync().expect("synced");
    assert_eq!(append(&journal, "live", &[b"d"]), [3], "offsets go on after everything is trimmed");
}

#[test]
fn a_full_journal_refuses_more_and_takes_it_after_a_trim() {
    let directory = directory();
    let limits = Limits { max_bytes: 2 * (10 + OVERHEAD) };
    let journal = Journal::open(directory.path(), limits).expect("the journal opens");
    append(&journal, "live", &[&[0; 10], &[1; 10]]);
    let mut writer = journal.writer().expect("a writer");
    let error = writer.append("live", &[2; 10]).expect_err("full");
    assert_eq!(error.to_string(), "the journal is full: 44 bytes of 44 are in use and 22 more do not fit");
    writer.trim("live", |record| record.offset == 0).expect("trimmed");
    assert_eq!(writer.append("live", &[2; 10]).expect("room"), 2);
    writer.sync().expect("synced");
    assert_eq!(payloads(&journal, "live", 1), [[1; 10], [2; 10]]);
}

#[test]
fn stamps_never_run_backwards_even_over_a_restart() {
    let directory = directory();
    let future = i64::MAX - 5;
    {
        let journal = open(&directory);
        let mut writer = journal.writer().expect("a writer");
        writer.append_stamped("a", b"1", future).expect("appended");
        writer.append_stamped("b", b"2", 17).expect("appended");
        writer.sync().expect("synced");
    }
    let journal = open(&directory);
    append(&journal, "b", &[b"3"]);
    let stamps = journal.read("b", 0, 9, 9).expect("read").into_iter().map(|record| record.timestamp);
    assert_eq!(stamps.collect::<Vec<_>>(), [future, future]);
}

#[test]
fn named_values_are_kept_and_listed_by_prefix() {
    let directory = directory();
    let journal = open(&directory);
    let mut writer = journal.writer().expect("a writer");
    for (name, value) in [("a/1", "x"), ("b/1", "y"), ("b/2", "z"), ("c", "w")] {
        writer.put(name, value.as_bytes()).expect("put");
    }
    writer.remove("b/1").expect("removed");
    writer.sync().expect("synced");
    assert_eq!(journal.values("b/").expect("read"), [("b/2".to_owned(), b"z".to_vec())]);
    assert_eq!(journal.value("a/1").expect("read"), Some(b"x".to_vec()));
}

#[test]
fn a_stream_may_have_holes() {
    let directory = directory();
    let journal = open(&directory);
    let mut writer = journal.writer().expect("a writer");
    for offset in [5, 6, 9, 10] {
        writer.append_at("spool", offset, offset.to_string().as_bytes()).expect("appended");
    }
    let error = writer.append_at("spool", 10, b"again").expect_err("it is taken");
    assert_eq!(error.to_string(), "stream spool has no offset 10: it holds 5..11");
    assert_eq!(writer.remove_at("spool", 6).expect("removed"), 1 + OVERHEAD);
    assert_eq!(writer.remove_at("spool", 6).expect("nothing there"), 0);
    writer.sync().expect("synced");
    drop(journal);

    let journal = open(&directory);
    let sparse = |from, until, bytes| {
        let found = journal.read_sparse("spool", from, until, bytes).expect("read");
        (found.records.iter().map(|record| record.offset).collect::<Vec<_>>(), found.next)
    };
    assert_eq!(sparse(0, u64::MAX, usize::MAX), (vec![5, 9, 10], u64::MAX));
    assert_eq!(sparse(0, 10, usize::MAX), (vec![5, 9], 10));
    assert_eq!(sparse(6, u64::MAX, 1), (vec![9], 10));
    assert_eq!(sparse(11, 20, 1), (vec![], 20));
    assert_eq!(journal.bytes(), 4 + 3 * OVERHEAD);

    let mut writer = journal.writer().expect("a writer");
    writer.remove_at("spool", 5).expect("removed");
    let oldest = writer.oldest("spool").expect("read").expect("two are left");
    assert_eq!((oldest.offset, oldest.bytes), (9, 1 + OVERHEAD));
    assert_eq!(oldest.record.expect("it is whole").payload, b"9"[..]);
    writer.remove_stream("spool").expect("removed");
    assert_eq!(writer.oldest("spool").expect("read"), None);
    writer.sync().expect("synced");
    assert_eq!((journal.bytes(), journal.streams()), (0, vec![]));
    assert_eq!(append(&journal, "spool", &[b"anew"]), [0]);
}

#[test]
fn writers_of_several_threads_take_turns_and_lose_nothing() {
    let directory = directory();
    let journal = open(&directory);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    append(&journal, "shared", &[b"r"]);
                }
            });
        }
    });
    assert_eq!(journal.extent("shared").end, 100);
    assert_eq!(payloads(&journal, "shared", 0).len(), 100);
}

#[derive(Clone, Debug)]
enum Step {
    Append { stream: u8, bytes: Vec<u8> },
    Trim { stream: u8, keep: u64 },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8, prop::collection::vec(any::<u8>(), 0..600)).prop_map(|(stream, bytes)| Step::Append { stream, bytes }),
        2 => (0..3_u8, 0..6_u64).prop_map(|(stream, keep)| Step::Trim { stream, keep }),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is done in whatever order, a journal holds what a list in memory would.
    #[test]
    fn a_journal_is_a_list_that_stays(steps in prop::collection::vec(step(), 1..40)) {
        let directory = directory();
        let mut journal = Some(open(&directory));
        let mut model: BTreeMap<u8, (u64, Vec<Vec<u8>>)> = BTreeMap::new();
        for step in steps {
            let open_now = journal.get_or_insert_with(|| open(&directory));
            match step {
                Step::Append { stream, bytes } => {
                    append(open_now, &stream.to_string(), &[&bytes]);
                    model.entry(stream).or_default().1.push(bytes);
                }
                Step::Trim { stream, keep } => {
                    let (start, all) = model.entry(stream).or_default();
                    *start = (*start).max((all.len() as u64).saturating_sub(keep));
                    let mut writer = open_now.writer().expect("a writer");
                    writer.trim(&stream.to_string(), |record| record.offset < *start).expect("trimmed");
                    writer.sync().expect("synced");
                }
                Step::Reopen => journal = None,
            }
        }
        let journal = journal.unwrap_or_else(|| open(&directory));
        let mut total = 0;
        for (stream, (start, all)) in &model {
            let kept = &all[*start as usize..];
            prop_assert_eq!(&payloads(&journal, &stream.to_string(), *start), kept);
            total += kept.iter().map(|payload| payload.len() as u64 + OVERHEAD).sum::<u64>();
        }
        prop_assert_eq!(journal.bytes(), total);
    }
}
