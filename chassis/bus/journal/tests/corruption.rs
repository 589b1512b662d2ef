//! A disk that lies: whatever bytes are changed, a journal gives what was written or a clear error, and nothing else.

#![allow(missing_docs, reason = "a test")]

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use wardwatch_journal::{Error, Journal, Limits};

const ROOMY: Limits = Limits { max_bytes: 1 << 30 };
const RECORDS: u64 = 40;

fn payload(offset: u64) -> Vec<u8> {
    (0..3000_u64).map(|index| (index * 7 + offset * 13) as u8).collect()
}

/// The journal's file with all records in it, as a copy in this directory would be.
fn written() -> &'static [u8] {
    static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        write(directory.path())
    });
    &FILE
}

fn write(directory: &Path) -> Vec<u8> {
    let journal = Journal::open(directory, ROOMY).expect("the journal opens");
    for offset in 0..RECORDS {
        let mut writer = journal.writer().expect("a writer");
        assert_eq!(writer.append("live", &payload(offset)).expect("appended"), offset);
        writer.sync().expect("synced");
    }
    let path = journal.path().to_owned();
    drop(journal);
    std::fs::read(path).expect("the journal's file")
}

/// Reads all there is and checks each record against what was written there.
fn read_all(directory: &Path) -> Result<u64, Error> {
    let journal = Journal::open(directory, ROOMY)?;
    let extent = journal.extent("live");
    let mut next = extent.start;
    while next < extent.end {
        let records = journal.read("live", next, 7, usize::MAX)?;
        assert!(!records.is_empty(), "a record that is said to be there is not");
        for record in records {
            assert_eq!(record.offset, next);
            assert_eq!(record.payload, payload(next), "another record than was written");
            next += 1;
        }
    }
    Ok(extent.end)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_bytes_are_an_error_or_make_no_difference(
        at in any::<prop::sample::Index>(), length in 1..5000_usize, value: u8,
    ) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut file = written().to_vec();
        let at = at.index(file.len());
        let end = (at + length).min(file.len());
        for byte in &mut file[at..end] {
            *byte ^= value | 1;
        }
        let path = directory.path().join("journal.redb");
        std::fs::write(&path, &file).expect("written");
        if let Err(error) = read_all(directory.path()) {
            prop_assert!(error.to_string().contains("journal.redb"), "the error names no file: {}", error);
        }
    }

    #[test]
    fn a_file_that_was_cut_off_is_an_error_or_makes_no_difference(at in any::<prop::sample::Index>()) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = written();
        let path = directory.path().join("journal.redb");
        std::fs::write(&path, &file[..at.index(file.len())]).expect("written");
        match read_all(directory.path()) {
            Ok(end) => prop_assert!(end == 0 || end == RECORDS, "{} records are left", end),
            Err(error) => prop_assert!(error.to_string().contains("journal.redb"), "the error names no file: {}", error),
        }
    }
}
