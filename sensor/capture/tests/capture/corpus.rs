//! Real captures: each opens, and holds the packets that capinfos(1) counted in it.

use std::fs;
use std::path::PathBuf;

use wardwatch_capture::LinkType;
use wardwatch_skip::skip;

use crate::reading::read_path;

/// Where the captures are, if they are here.
fn captures() -> Option<PathBuf> {
    let data = std::env::var_os("WARDWATCH_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), // beside the workspace
        PathBuf::from,
    );
    Some(data.join("captures")).filter(|captures| captures.join("SOURCES.tsv").is_file())
}

/// The captures listed, with the number of packets in each.
fn listed(captures: &std::path::Path) -> Vec<(PathBuf, u64)> {
    let list = fs::read_to_string(captures.join("SOURCES.tsv")).expect("the list of captures can be read");
    let mut lines = list.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let columns = lines.next().expect("the list has a heading");
    let column = |name| columns.iter().position(|column| *column == name).expect("the list has the column");
    let (file, packets) = (column("file"), column("packets"));
    lines
        .map(|line| (captures.join(line[file]), line[packets].parse().expect("a number of packets")))
        .filter(|(path, _)| path.extension().is_some_and(|kind| kind == "pcap" || kind == "pcapng"))
        .collect()
}

#[test]
fn every_capture_holds_the_packets_that_were_counted_in_it() {
    let Some(captures) = captures() else {
        return skip!("corpus::every_capture_holds_the_packets_that_were_counted_in_it", "no captures here",);
    };
    let listed = listed(&captures);
    assert!(!listed.is_empty());
    for (path, packets) in listed {
        let reading = read_path(&path).unwrap_or_else(|error| panic!("{error}"));
        assert!(reading.error.is_none(), "{:?}", reading.error);
        assert_eq!(reading.frames.len() as u64, packets, "{}", path.display());
        let counted = reading.statistics;
        assert_eq!((counted.malformed, counted.truncated), (0, 0), "{}", path.display());
        for frame in &reading.frames {
            assert!(!matches!(frame.link, LinkType::Other(_)), "{} {:?}", path.display(), frame.link);
            assert!(frame.wire_length as usize >= frame.bytes.len());
        }
    }
}

#[test]
fn a_capture_reads_the_same_when_compressed() {
    let Some(captures) = captures() else {
        return skip!("corpus::a_capture_reads_the_same_when_compressed", "no captures here");
    };
    let (path, _) = listed(&captures).into_iter().max_by_key(|(_, packets)| *packets).expect("a capture");
    let plain = read_path(&path).expect("the capture opens");
    let compressed =
        zstd::encode_all(fs::File::open(&path).expect("the capture opens"), 1).expect("it compresses");
    let compressed = crate::reading::read(&compressed);
    assert!(compressed.error.is_none());
    assert_eq!(compressed.statistics, plain.statistics);
    assert!(compressed.frames == plain.frames, "{}", path.display());
}
