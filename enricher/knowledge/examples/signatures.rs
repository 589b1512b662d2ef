//! What signatures cost: to load them, to keep them, and to hold a value against them.
//!
//! `cargo run --release -p wardwatch-knowledge --example signatures -- [FOLDER]`, a folder with Recog's databases, which
//! are turned into packs and laid over what is built in.

#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use wardwatch_knowledge::recog::Database;
use wardwatch_knowledge::{Evidence, Field, Knowledge, Said};
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

/// How often all packs are laid, as what one takes may have been there already.
const COPIES: u32 = 8;

/// How often each value is held against the signatures.
const ROUNDS: u32 = 10_000;

const VALUES: &[(Attribute, Protocol, &str)] = &[
    (Attribute::HttpServer, Protocol::Http, "Apache/2.4.57 (Debian)"),
    (Attribute::HttpServer, Protocol::Http, "Acme-Pump-Web/7.1"),
    (Attribute::HttpServer, Protocol::Http, "Virata-EmWeb/R6_2_1"),
    (Attribute::HttpRealm, Protocol::Http, "AXIS_00408CBF0A12"),
    (
        Attribute::SystemDescription,
        Protocol::Snmp,
        "Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 12.2(55)SE5, RELEASE SOFTWARE (fc1)",
    ),
    (
        Attribute::SystemDescription,
        Protocol::Snmp,
        "Linux ward7 4.19.0-21-amd64 #1 SMP Debian 4.19.249-2 x86_64",
    ),
    (Attribute::SystemDescription, Protocol::Snmp, "Acme infusion gateway, software 4.1"),
    (Attribute::DhcpVendorClass, Protocol::Dhcp, "MSFT 5.0"),
    (Attribute::SysObjectId, Protocol::Snmp, "1.3.6.1.4.1.9.1.516"),
    (Attribute::Model, Protocol::Mdns, "MacBookPro18,1"),
    (Attribute::HostName, Protocol::Dhcp, "ward7-pc3"),
    (Attribute::SerialNumber, Protocol::Dicom, "12345-678"),
];

fn main() -> anyhow::Result<()> {
    let (builtin, took) = timed(Knowledge::builtin);
    let mut knowledge = builtin?;
    println!("built in: {} signatures, loaded in {took:?}", knowledge.signatures());
    let mut packs = Vec::new();
    if let Some(folder) = std::env::args().nth(1) {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|item| item.map(|item| item.path())).collect::<Result<_, _>>()?;
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "xml"));
        paths.sort();
        let (mut read, mut converted) = (Duration::ZERO, Duration::ZERO);
        for path in &paths {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(path)?;
            let (database, took) = timed(|| Database::parse(&name, &text));
            read += took;
            let database = database?;
            let (made, took) = timed(|| database.convert(&name, "1", &knowledge));
            converted += took;
            packs.extend(made.packs);
        }
        println!("Recog: {} packs; read in {read:?}, converted in {converted:?}", packs.len());
    }
    let lay = || packs.iter().try_fold(knowledge.clone(), |laid, (name, text)| laid.over(name, text));
    let (laid, took) = timed(lay);
    let before = resident();
    let copies = (0..COPIES).map(|_| lay()).collect::<Result<Vec<_>, _>>()?;
    let grown = resident().saturating_sub(before) / u64::from(COPIES);
    drop(copies);
    knowledge = laid?;
    println!("laid over: {} signatures in {took:?}; {grown} KiB", knowledge.signatures());
    let mut all = Duration::ZERO;
    for (attribute, protocol, value) in VALUES {
        let said = Said {
            field: Field::Stated(*attribute),
            value,
            protocol: *protocol,
            told_by: Role::Sender,
            last_seen: 0,
        };
        let found = knowledge.derive(&said);
        let ((), took) = timed(|| {
            for _ in 0..ROUNDS {
                std::hint::black_box(knowledge.derive(std::hint::black_box(&said)));
            }
        });
        all += took;
        let ids: Vec<_> = found.iter().map(|derived| derived.signature).collect();
        println!("{:>9.2?} {} {value}: {ids:?}", took / ROUNDS, attribute.as_str_name());
    }
    let count = u32::try_from(VALUES.len())?;
    println!("{:>9.2?} per value", all / (ROUNDS * count));
    let said = VALUES.iter().map(|(attribute, protocol, value)| Said {
        field: Field::Stated(*attribute),
        value,
        protocol: *protocol,
        told_by: Role::Sender,
        last_seen: 0,
    });
    let evidence = Evidence::new(said.collect(), Vec::new(), 0);
    let ((), took) =
        timed(|| (0..1000).for_each(|_| drop(std::hint::black_box(knowledge.classify(&evidence)))));
    println!("{:>9.2?} to classify a device of {count} values", took / 1000);
    println!("{} KiB resident at the end", resident());
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let done = work();
    (done, begin.elapsed())
}

/// Resident memory in KiB; 0 where the system does not say.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}
