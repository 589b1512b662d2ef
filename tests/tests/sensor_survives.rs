//! Whatever is in a file or on the wire, the sensor goes on: damage is a clear error or a counted drop, and everything
//! before the damage is delivered.
//!
//! The damage is random and the same in every run. Where a file's records end is worked out here once more from the
//! formats' documents, so that what must have been delivered does not come from the sensor's own reader.

#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use prost::Message as _;
use serde_json::Value;
use wardwatch_capture::{CaptureError, CaptureFile, Pace, Source as _, Statistics, Step};
use wardwatch_proto::attribute;
use wardwatch_tests::oracle::corpus::{self, Capture};
use wardwatch_tests::oracle::dice::Dice;
use wardwatch_tests::oracle::program;
use wardwatch_tests::oracle::stated::{self, Framed};
use wardwatch_tests::skip;

/// How often each capture is cut.
const CUTS: usize = 3;

/// The length of a pcap file's header.
const PCAP_HEADER: usize = 24;

#[test]
fn a_file_that_is_cut_off_gives_everything_before_the_cut() -> Result<()> {
    let test = "sensor_survives::a_file_that_is_cut_off_gives_everything_before_the_cut";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    corpus::each(&corpus::captures(&data)?, |capture| {
        let bytes = fs::read(&capture.path)?;
        let mut dice = Dice::new(bytes.len() as u64);
        let path = folder.path().join(capture.id.replace('/', "_"));
        let (records, blocks) = (record_ends(&bytes)?, block_ends(&bytes)?);
        let before = stated::frames(&capture.path)?;
        for _ in 0..CUTS {
            cut_off(&bytes, dice.below(bytes.len()), &records, &blocks, &before, &path)?;
        }
        Ok(())
    })?;
    Ok(())
}

#[test]
fn flipped_bits_in_a_file_are_an_error_or_other_frames_and_hurt_nothing_before_them() -> Result<()> {
    let test =
        "sensor_survives::flipped_bits_in_a_file_are_an_error_or_other_frames_and_hurt_nothing_before_them";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let mut captures = corpus::captures(&data)?;
    captures.retain(is_small);
    let stopped = corpus::each(&captures, |capture| {
        let original = fs::read(&capture.path)?;
        let mut dice = Dice::new(original.len() as u64 + 1);
        let mut stopped = 0;
        for round in 0..4 {
            let mut bytes = original.clone();
            // A single bit, then many.
            for _ in 0..=round * bytes.len() / 500 {
                dice.flip(&mut bytes);
            }
            let path = folder.path().join(capture.id.replace('/', "_"));
            fs::write(&path, &bytes)?;
            let damage = original.iter().zip(&bytes).position(|(before, now)| before != now).unwrap_or(0);
            let whole = record_ends(&original)?.iter().filter(|end| **end <= damage).count();
            match read(&path) {
                Opened::Not(error) => {
                    anyhow::ensure!(whole == 0, "damage at {damage}: {error}");
                    names(&error, &path)?;
                }
                Opened::Read { frames, error, .. } => {
                    stopped += u32::from(error.is_some());
                    error.map_or(Ok(()), |error| names(&error, &path))?;
                    let before = stated::frames(&capture.path)?;
                    let is_kept = before.get(..whole) == frames.get(..whole);
                    anyhow::ensure!(is_kept, "damage at {damage}: of {whole} frames before it some differ");
                    digest(&frames)?;
                }
            }
            fs::remove_file(&path)?;
        }
        Ok(stopped)
    })?;
    assert!(stopped.iter().sum::<u32>() > 10, "the damage is too little to be seen");
    Ok(())
}

#[test]
fn frames_with_flipped_bits_and_missing_ends_are_all_counted() -> Result<()> {
    let test = "sensor_survives::frames_with_flipped_bits_and_missing_ends_are_all_counted";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let mut captures = corpus::captures(&data)?;
    captures.extend(corpus::own()?);
    captures.retain(is_small);
    corpus::each(&captures, |capture| {
        let mut frames = stated::frames(&capture.path)?;
        let mut dice = Dice::new(frames.len() as u64);
        for frame in &mut frames {
            if dice.once_in(4) {
                for _ in 0..=dice.below(4) {
                    dice.flip(&mut frame.bytes);
                }
            }
            if dice.once_in(16) {
                let length = dice.below(frame.bytes.len() + 1);
                frame.bytes.truncate(length);
            }
            if dice.once_in(64) {
                frame.at = dice.roll();
            }
        }
        digest(&frames)
    })?;
    Ok(())
}

#[test]
fn noise_on_the_wire_is_counted() -> Result<()> {
    let links = [0_u16, 1, 101, 108, 113, 276, 147];
    let mut dice = Dice::new(7);
    let mut frames = Vec::new();
    for number in 0..20_000 {
        let length = dice.below(200);
        let mut bytes = dice.bytes(length);
        // Every other frame looks like Ethernet with IP in it, so that noise gets further.
        if number % 2 == 0 && bytes.len() > 34 {
            bytes[12..16].copy_from_slice(&[[0x08, 0, 0x45, 0], [0x86, 0xDD, 0x60, 0]][dice.below(2)]);
            bytes[23] = [6, 17, 1, 44][dice.below(4)];
        }
        let link = if number % 2 == 0 { 1 } else { links[dice.below(links.len())] };
        frames.push(Framed { at: number, wire_length: bytes.len() as u32, link: link.into(), bytes });
    }
    let (_, totals) = stated::of_frames(&frames);
    assert!(totals.malformed.values().sum::<u64>() > 1000, "{totals:?}");
    digest(&frames)
}

#[test]
fn what_is_no_capture_file_is_a_clear_error() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("garbage");
    let mut dice = Dice::new(11);
    let beginnings: [&[u8]; 9] = [
        b"",
        b"not a capture file at all\n",
        // pcap in both byte orders, with nanoseconds; pcapng; gzip; Zstandard.
        &[0xD4, 0xC3, 0xB2, 0xA1],
        &[0xA1, 0xB2, 0xC3, 0xD4],
        &[0x4D, 0x3C, 0xB2, 0xA1],
        &[0x0A, 0x0D, 0x0D, 0x0A],
        &[0x0A, 0x0D, 0x0D, 0x0A, 28, 0, 0, 0, 0x4D, 0x3C, 0x2B, 0x1A],
        &[0x1F, 0x8B, 8],
        &[0x28, 0xB5, 0x2F, 0xFD],
    ];
    for beginning in beginnings {
        for noise in [0, 1, 20, 21, 40, 1000, 100_000] {
            let bytes = [beginning, &dice.bytes(noise)].concat();
            fs::write(&path, &bytes)?;
            match read(&path) {
                Opened::Not(error) => names(&error, &path)?,
                Opened::Read { frames, statistics, error } => {
                    let counted = statistics.malformed + statistics.truncated;
                    let is_told = error.is_some() || counted > 0 || bytes.len() == PCAP_HEADER;
                    assert!(is_told, "{beginning:02x?} and {noise} bytes: {statistics:?}");
                    error.map_or(Ok(()), |error| names(&error, &path))?;
                    digest(&frames)?;
                }
            }
        }
    }
    Ok(())
}

#[test]
fn the_decode_command_tells_what_is_wrong_with_a_file_and_decodes_the_others() -> Result<()> {
    let test = "sensor_survives::the_decode_command_tells_what_is_wrong_with_a_file_and_decodes_the_others";
    let Some(program) = program::unless_sensor(test) else { return Ok(()) };
    let capture = corpus::own()?.into_iter().next().context("a capture of our own")?;
    let bytes = fs::read(&capture.path)?;
    let ends = record_ends(&bytes)?;
    let folder = tempfile::tempdir()?;
    let write = |name: &str, bytes: &[u8]| -> Result<_> {
        let path = folder.path().join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    };
    let missing = folder.path().join("missing.pcap");
    let empty = write("empty.pcap", b"")?;
    let garbage = write("garbage.pcap", b"this is a letter, and no capture file")?;
    let middle = ends.len() / 2;
    let cut = write("cut.pcap", &bytes[..ends[middle] - 1])?;
    let mut damaged = bytes.clone();
    // The captured length of a record in the middle becomes more than any frame has.
    damaged[ends[middle] + 8..ends[middle] + 12].fill(0xFF);
    let damaged = write("damaged.pcap", &damaged)?;

    for (path, packets, is_failure) in [
        (&capture.path, ends.len(), false),
        (&cut, middle, false),
        (&damaged, middle + 1, true),
        (&missing, 0, true),
        (&empty, 0, true),
        (&garbage, 0, true),
    ] {
        let output = program::decode(&program, [path])?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(i32::from(is_failure)), "{}: {said}", path.display());
        let is_named = said.contains(&*path.to_string_lossy());
        assert_eq!(is_named, path != &capture.path, "{}: {said}", path.display());
        let totals: Value = said
            .lines()
            .find(|line| line.starts_with('{'))
            .map(serde_json::from_str)
            .context("the totals on standard error")??;
        assert_eq!(totals["packets"], packets, "{}: {said}", path.display());
        assert_eq!(totals["failed_files"], u64::from(is_failure), "{}: {said}", path.display());
        assert_eq!(totals["truncated_files"], u64::from(path == &cut), "{}: {said}", path.display());
        let lines = String::from_utf8(output.stdout)?
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Value>, _>>()?;
        assert_eq!(totals["facts"], lines.len(), "{}: {said}", path.display());
        assert_eq!(packets > 0, !lines.is_empty());
        assert!(!said.contains("panicked"), "{said}");
    }

    // One bad file takes nothing from a good one.
    let alone = program::decode(&program, [&capture.path])?.stdout;
    let together = program::decode(&program, [&missing, &capture.path, &garbage])?;
    assert_eq!(together.status.code(), Some(1));
    assert!(together.stdout == alone, "other facts than without the bad files");
    Ok(())
}

/// Cuts the file at a byte and reads what is left: `records` and `blocks` are where those end, `before` what was in it.
fn cut_off(
    bytes: &[u8],
    cut: usize,
    records: &[usize],
    blocks: &[usize],
    before: &[Framed],
    path: &Path,
) -> Result<()> {
    fs::write(path, &bytes[..cut])?;
    let whole = records.iter().filter(|end| **end <= cut).count();
    match read(path) {
        Opened::Not(error) => {
            anyhow::ensure!(whole == 0, "cut at {cut}: {error}");
            names(&error, path)?;
        }
        Opened::Read { frames, statistics, error } => {
            anyhow::ensure!(error.is_none(), "cut at {cut}: {error:?}");
            anyhow::ensure!(
                before.get(..whole) == Some(&frames),
                "cut at {cut}: not the {whole} frames before"
            );
            let is_between = cut == PCAP_HEADER && !is_pcapng(bytes) || blocks.contains(&cut);
            anyhow::ensure!(statistics.truncated == u64::from(!is_between), "cut at {cut}: {statistics:?}");
            digest(&frames)?;
        }
    }
    fs::remove_file(path)?;
    Ok(())
}

/// Large files cost time and hold nothing of another kind.
fn is_small(capture: &Capture) -> bool {
    fs::metadata(&capture.path).is_ok_and(|about| about.len() < 2 << 20)
}

enum Opened {
    Not(CaptureError),
    Read { frames: Vec<Framed>, statistics: Statistics, error: Option<CaptureError> },
}

/// Reads a file until it ends or fails.
fn read(path: &Path) -> Opened {
    let mut source = match CaptureFile::open(path, Pace::Full) {
        Ok(source) => source,
        Err(error) => return Opened::Not(error),
    };
    let mut frames = Vec::new();
    let error = loop {
        match source.next() {
            Ok(Step::Frames(some)) => frames.extend(some.into_iter().map(Framed::from)),
            Ok(Step::Idle) => {}
            Ok(Step::End) => break None,
            Err(error) => break Some(error),
        }
    };
    Opened::Read { frames, statistics: source.statistics(), error }
}

/// An error says which file it is about.
fn names(error: &CaptureError, path: &Path) -> Result<()> {
    let text = error.to_string();
    anyhow::ensure!(text.contains(&*path.to_string_lossy()), "{text} does not name {}", path.display());
    Ok(())
}

/// A worker takes every frame, counts it, and states nothing outside the grammars.
fn digest(frames: &[Framed]) -> Result<()> {
    let (facts, totals) = stated::of_frames(frames);
    anyhow::ensure!(totals.packets == frames.len() as u64, "{} frames: {totals:?}", frames.len());
    let stated = stated::observations(&facts).count() as u64;
    anyhow::ensure!(totals.observations == stated, "{stated} observations: {totals:?}");
    anyhow::ensure!(totals.flow_records + stated == facts.len() as u64, "{} facts: {totals:?}", facts.len());
    for observation in stated::observations(&facts) {
        let accepted = attribute::accept(observation.attribute(), &observation.value);
        anyhow::ensure!(accepted.as_deref() == Some(&observation.value), "{observation:?}");
    }
    anyhow::ensure!(facts.iter().all(|fact| fact.encoded_len() < 4096), "a fact of more than 4 KiB");
    let counted: u64 =
        stated::flows(&facts)?.iter().flat_map(|flow| flow.frames).map(|sent| sent.packets).sum();
    let malformed: u64 = totals.malformed.values().sum();
    anyhow::ensure!(counted == totals.packets_in_flows, "{counted} packets in flows: {totals:?}");
    let elsewhere =
        totals.packets_not_ip + malformed + totals.fragments_lost + totals.fragments_held + totals.duplicates;
    anyhow::ensure!(
        counted + elsewhere == totals.packets + totals.packets_in_tunnels,
        "the sum does not close: {totals:?}"
    );
    Ok(())
}

/// Where the records that hold a frame end, in bytes from the start of the file.
fn record_ends(bytes: &[u8]) -> Result<Vec<usize>> {
    if is_pcapng(bytes) {
        // Simple, obsolete and enhanced packet blocks hold frames.
        return Ok(blocks(bytes)?
            .into_iter()
            .filter(|(kind, _)| [2, 3, 6].contains(kind))
            .map(|(_, end)| end)
            .collect());
    }
    block_ends(bytes)
}

/// Where records or blocks of any kind end.
fn block_ends(bytes: &[u8]) -> Result<Vec<usize>> {
    if is_pcapng(bytes) {
        return Ok(blocks(bytes)?.into_iter().map(|(_, end)| end).collect());
    }
    // draft-ietf-opsawg-pcap: a header of 24 bytes, then records with a header of 16, of which bytes 8 to 11 say how
    // many follow.
    let is_little = matches!(bytes.first(), Some(0xD4 | 0x4D));
    let (mut at, mut ends) = (PCAP_HEADER, Vec::new());
    while at < bytes.len() {
        at += 16 + number(bytes, at + 8, is_little)?;
        ends.push(at);
    }
    Ok(ends)
}

fn is_pcapng(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x0A, 0x0D, 0x0D, 0x0A])
}

/// draft-ietf-opsawg-pcapng: blocks with type and length in front; a section header says the byte order.
fn blocks(bytes: &[u8]) -> Result<Vec<(usize, usize)>> {
    let (mut at, mut is_little, mut blocks) = (0, true, Vec::new());
    while at < bytes.len() {
        if is_pcapng(&bytes[at..]) {
            is_little = bytes.get(at + 8) == Some(&0x4D);
        }
        let kind = number(bytes, at, is_little)?;
        at += number(bytes, at + 4, is_little)?;
        blocks.push((kind, at));
    }
    Ok(blocks)
}

fn number(bytes: &[u8], at: usize, is_little: bool) -> Result<usize> {
    let word =
        bytes.get(at..).and_then(<[u8]>::first_chunk::<4>).context("a number at the end of the file")?;
    Ok(if is_little { u32::from_le_bytes(*word) } else { u32::from_be_bytes(*word) } as usize)
}
