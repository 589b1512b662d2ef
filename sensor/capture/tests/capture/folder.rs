//! Which files of a folder are captures.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use wardwatch_capture::{CaptureError, captures_below};

#[test]
fn captures_are_found_in_all_folders_below_in_the_order_of_their_paths() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let below = |name: &str| folder.path().join(name);
    fs::create_dir_all(below("b/empty")).expect("a folder of our own");
    for name in ["c.pcap", "b/d.pcapng", "b/a.pcap", "b.pcap", "b/a.pcap.txt", "pcap", "README.md"] {
        fs::write(below(name), "").expect("a file in a folder of our own");
    }
    symlink(folder.path(), below("b/back")).expect("a link");
    let found = captures_below(folder.path()).expect("a folder that can be read");
    assert_eq!(found, ["b/a.pcap", "b/d.pcapng", "b.pcap", "c.pcap"].map(below));
}

#[test]
fn a_folder_that_cannot_be_read_is_named() {
    let missing = Path::new("/nowhere/captures");
    let error = captures_below(missing).expect_err("there is no such folder");
    assert!(matches!(&error, CaptureError::Folder { path, .. } if path == missing), "{error}");
}
