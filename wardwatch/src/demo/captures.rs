//! The captures that the demo plays: recorded by this project from real medical and building software in network
//! namespaces (`tests/captures/README.md` tells which), and carried in the program.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

macro_rules! captures {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../tests/captures/", $name)))),*]
    };
}

/// By name, in the order in which they are played.
const CAPTURES: &[(&str, &[u8])] =
    captures!["network.pcap", "radiology.pcap", "bedside.pcap", "building.pcap"];

/// Writes the captures into a folder and gives their paths.
pub(super) fn unpacked(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let unpack = |(name, bytes): &(&str, &[u8])| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    };
    CAPTURES.iter().map(unpack).collect()
}
