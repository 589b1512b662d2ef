//! An archive of labelled captures: a `.tar.zst` with `labels.tsv` and the capture files that it names.
//!
//! `labels.tsv` has a line of headings and then, for each capture, the kind of device, its MAC address and the file,
//! with tabs between; more columns may follow. The device is the one with that address; what others say to each other is
//! passed over.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use tar::Archive;
use wardwatch_knowledge::Habits;
use wardwatch_proto::v1::{Fact, fact};
use zstd::Decoder;

use crate::oracle::stated;
use crate::scratch::Scratch;

const LABELS: &str = "labels.tsv";

/// The largest table of labels, in octets.
const MOST_LABELS: u64 = 16 << 20;

/// The largest capture in the archive, in octets.
const MOST_CAPTURE: u64 = 1 << 30;

/// A capture whose device is known.
#[derive(Debug)]
pub struct Labelled {
    /// The file.
    pub name: String,
    /// What kind of device the archive says it is; several devices of one kind may have a name each.
    pub label: String,
    /// The first packet, in nanoseconds since the Unix epoch.
    pub at: u64,
    /// What the device did.
    pub habits: Habits,
}

/// All captures of an archive that have a label, in the order of their names.
///
/// # Errors
/// Where the archive cannot be read, a line of the labels is none, a capture is none, or one that has a label is missing.
pub fn read(path: &Path) -> Result<Vec<Labelled>> {
    let mut labels = labels(path)?;
    let scratch = Scratch::new("labelled")?;
    let file = scratch.path().join("capture");
    let mut captures = Vec::with_capacity(labels.len());
    for entry in open(path)?.entries()? {
        let mut entry = entry.with_context(|| format!("read {}", path.display()))?;
        let name = name(&entry)?;
        let Some((label, mac)) = labels.remove(&name) else { continue };
        ensure!(entry.size() <= MOST_CAPTURE, "{name}: has more than {MOST_CAPTURE} octets");
        io::copy(&mut entry, &mut File::create(&file)?).with_context(|| format!("unpack {name}"))?;
        let facts = stated::facts(&file).with_context(|| format!("decode {name}"))?;
        let at = facts.iter().filter_map(time).min().unwrap_or_default();
        captures.push(Labelled { name, label, at, habits: habits(mac, &facts) });
    }
    fs::remove_file(&file).ok();
    if let Some(missing) = labels.keys().next() {
        bail!("{}: {missing} has a label and is not there", path.display());
    }
    captures.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(captures)
}

/// What facts tell of one device.
pub fn habits(mac: [u8; 6], facts: &[Fact]) -> Habits {
    let mut habits = Habits::new(mac);
    for fact in facts {
        match &fact.fact {
            Some(fact::Fact::Flow(flow)) => habits.flow(flow),
            Some(fact::Fact::Observation(observation)) => habits.observation(observation),
            None => {}
        }
    }
    habits
}

fn time(fact: &Fact) -> Option<u64> {
    match &fact.fact {
        Some(fact::Fact::Flow(flow)) => Some(flow.start),
        Some(fact::Fact::Observation(observation)) => Some(observation.at),
        None => None,
    }
}

type Unpacked = Archive<Decoder<'static, BufReader<File>>>;

fn open(path: &Path) -> Result<Unpacked> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let decoder =
        Decoder::new(file).with_context(|| format!("{} is not compressed with zstd", path.display()))?;
    Ok(Archive::new(decoder))
}

fn name(entry: &tar::Entry<'_, impl io::Read>) -> Result<String> {
    let path = entry.path().context("a name in the archive")?;
    Ok(path.to_string_lossy().trim_start_matches("./").to_owned())
}

/// Kind and MAC address by file.
fn labels(path: &Path) -> Result<BTreeMap<String, (String, [u8; 6])>> {
    for entry in open(path)?.entries()? {
        let entry = entry.with_context(|| format!("read {}", path.display()))?;
        if name(&entry)? == LABELS {
            let mut text = String::new();
            entry.take(MOST_LABELS).read_to_string(&mut text).context(LABELS)?;
            return parse(&text);
        }
    }
    bail!("{}: there is no {LABELS}", path.display())
}

fn parse(text: &str) -> Result<BTreeMap<String, (String, [u8; 6])>> {
    let mut labels = BTreeMap::new();
    for (number, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |what: &str| format!("{LABELS}, line {}: {what}: {line:?}", number + 1);
        let mut columns = line.split('\t');
        let (Some(label), Some(mac), Some(file)) = (columns.next(), columns.next(), columns.next()) else {
            bail!(wrong("must be kind of device, MAC address and file with tabs between"));
        };
        ensure!(!label.is_empty(), wrong("the kind of device must not be empty"));
        let mac =
            mac_of(mac).with_context(|| wrong("the MAC address must be written as 00:1a:2b:3c:4d:5e"))?;
        let twice = labels.insert(file.trim_start_matches("./").to_owned(), (label.to_owned(), mac));
        ensure!(twice.is_none(), wrong("the file has two labels"));
    }
    ensure!(!labels.is_empty(), "{LABELS}: there is no label");
    Ok(labels)
}

fn mac_of(text: &str) -> Option<[u8; 6]> {
    let octets: Option<Vec<u8>> = text.split(':').map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
    octets?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_by_file_and_mistakes_name_the_line() {
        let text = "device_type\tmac\tfile\tpackets\nPump\t02:00:00:00:00:07\t./Pump/1.pcap\t43\n";
        let labels = parse(text).expect("one label");
        assert_eq!(labels.get("Pump/1.pcap"), Some(&("Pump".to_owned(), [2, 0, 0, 0, 0, 7])));
        for (line, problem) in [
            ("Pump", "line 3: must be kind of device"),
            ("Pump\t02:00\tx.pcap", "line 3: the MAC address must be"),
            ("\t02:00:00:00:00:07\tx.pcap", "line 3: the kind of device must not be empty"),
            ("Pump\t02:00:00:00:00:07\tPump/1.pcap", "line 3: the file has two labels"),
        ] {
            let error = parse(&format!("{text}{line}\n")).expect_err(line).to_string();
            assert!(error.contains(problem), "{error}");
        }
        assert!(parse("device_type\tmac\tfile\n").is_err());
    }
}
