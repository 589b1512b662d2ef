//! The knowledge names the makers that the registries name: BACnet vendors (ASHRAE), CIP vendors (ODVA), enterprise numbers
//! (IANA) and MAC prefixes (IEEE).
//!
//! The tables are written by hand, as a selection, with makers under their present names. So a registry's name must be a
//! spelling of the maker, share a word with it, or stand below as bought or renamed.

#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::v1::{Attribute, Protocol};
use wardwatch_tests::skip;

/// What a registry still calls what belongs to another maker now, or is known under another name: a piece of the
/// registry's name, and the maker.
const RENAMED: &[(&str, &str)] = &[
    ("McQuay", "Daikin"),
    ("TAC", "Schneider Electric"),
    ("Square D", "Schneider Electric"),
    ("Telemecanique", "Schneider Electric"),
    ("Modicon", "Schneider Electric"),
    ("York", "Johnson Controls"),
    ("Simplex", "Johnson Controls"),
    ("JCI", "Johnson Controls"),
    ("Automated Logic", "Carrier"),
    ("Phoenix Controls", "Honeywell"),
    ("Notifier", "Honeywell"),
    ("Novar", "Honeywell"),
    ("Measurex", "Honeywell"),
    ("Liebert", "Vertiv"),
    ("Matsushita", "Panasonic"),
    ("Yamatake", "Azbil"),
    ("Watt Stopper", "WattStopper"),
    ("DRI-STEEM", "DriSteem"),
    ("AC Technology", "Lenze"),
    ("Compaq", "Hewlett Packard Enterprise"),
    ("H3C", "Hewlett Packard Enterprise"),
    ("Network Appliance", "NetApp"),
    ("NetScreen", "Juniper Networks"),
    ("CacheFlow", "Symantec"),
    ("Airespace", "Cisco"),
    ("American Power Conversion", "APC"),
    ("ALE International", "Alcatel-Lucent Enterprise"),
    ("Routerboard", "MikroTik"),
    ("ICP Electronics", "QNAP"),
    ("Rosemount", "Emerson"),
    ("Marquette", "GE HealthCare"),
    ("Datex", "GE HealthCare"),
    ("GENERAL ELECTRIC", "GE HealthCare"),
    ("GE Healthcare", "GE HealthCare"),
    ("CareFusion", "BD"),
    ("Alaris", "BD"),
    ("Hill-Rom", "Baxter"),
    ("Welch", "Baxter"),
    ("Mortara", "Baxter"),
    ("Hospira", "ICU Medical"),
    ("Smiths", "ICU Medical"),
    ("Maquet", "Getinge"),
    ("SonoSite", "Fujifilm"),
    ("PCS Systemtechnik", "VirtualBox"),
    ("Xensource", "Xen"),
    ("Hewlett Packard", "HP"),
];

#[test]
fn makers_are_those_of_the_registries() -> Result<()> {
    let test = "knowledge_agrees_with_registries::makers_are_those_of_the_registries";
    let Some(data) = skip::unless_test_data(test) else { return Ok(()) };
    let knowledge = Knowledge::builtin()?;
    let mut compared = [0; 4];
    let mut wrong = Vec::new();
    let mut hold = |registry: usize, key: &str, maker: Option<&str>, name: &str| {
        let Some(maker) = maker else { return };
        compared[registry] += 1;
        if !is_same(&knowledge, maker, name) {
            wrong.push(format!("{key}: {maker}, and the registry says {name}"));
        }
    };
    for line in read(&data, "feeds/bacnet/bacnet_vendor_ids.tsv")?.lines() {
        if let Some((id, name)) = line.split_once('\t')
            && let Ok(number) = id.parse()
        {
            hold(0, &format!("BACnet vendor {id}"), knowledge.bacnet_vendor(number), name);
        }
    }
    for line in read(&data, "feeds/enip_cip_vendor_ids.tsv")?.lines() {
        if let Some((id, name)) = line.split_once('\t') {
            hold(1, &format!("CIP vendor {id}"), knowledge.assigned(Attribute::CipVendorId, id), name);
        }
    }
    for line in read(&data, "feeds/iana/enterprises.tsv")?.lines().filter(|line| !line.starts_with('#')) {
        if let Some((id, name)) = line.split_once(char::is_whitespace) {
            let maker = knowledge.assigned(Attribute::EnterpriseNumber, id);
            hold(2, &format!("enterprise {id}"), maker, name.trim());
        }
    }
    // Registry, prefix, name and address, of which the name may stand in quotes.
    for line in read(&data, "feeds/oui/oui.csv")?.lines() {
        let mut cells = line.splitn(3, ',');
        let (_, Some(prefix), Some(name)) = (cells.next(), cells.next(), cells.next()) else { continue };
        let Ok(bits) = u32::from_str_radix(prefix, 16) else { continue };
        let [_, a, b, c] = bits.to_be_bytes();
        let end = if name.starts_with('"') { '"' } else { ',' };
        let name = name.trim_start_matches('"').split(end).next().unwrap_or_default();
        let maker = knowledge.registered([a, b, c, 0xFF, 0xFF, 0xFF]);
        hold(3, prefix, maker.map(|maker| maker.manufacturer.as_str()), name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let least = [150, 20, 60, 200];
    assert!(compared.iter().zip(least).all(|(compared, least)| *compared >= least), "{compared:?}");
    Ok(())
}

fn read(data: &Path, name: &str) -> Result<String> {
    let path = data.join(name);
    fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
}

/// Whether a registry's name means a maker.
fn is_same(knowledge: &Knowledge, maker: &str, name: &str) -> bool {
    let lower = name.to_lowercase();
    let is_renamed =
        || RENAMED.iter().any(|(part, owner)| *owner == maker && lower.contains(&part.to_lowercase()));
    let letters =
        |text: &str| text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let first = maker.split_whitespace().next().unwrap_or(maker);
    knowledge.manufacturer(name, Protocol::Unspecified) == Some(maker)
        || letters(name).contains(&letters(first))
        || is_renamed()
}
