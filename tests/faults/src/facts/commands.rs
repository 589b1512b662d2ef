//! What people decide, in the same log as the facts.
//!
//! At the site whose devices change there are commands of every kind: about alerts, fields and knowledge here, which devices
//! are one and notes in [`sameness`], tables of other systems in [`tables`], documents in [`documents`]. Of each kind some are
//! refused, some are taken back, and some are sent again.

mod documents;
mod sameness;
mod tables;

use anyhow::Result;
use wardwatch_proto::command::digest;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{AcknowledgeAlert, Command, LoadKnowledgePack, OverrideAttribute, ReopenAlert};

use super::generated::Told;

/// When people decide, in nanoseconds since the Unix epoch: 2026-11-22 23:45 UTC.
const BEGIN: u64 = 1_795_391_100_000_000_000;

/// A device that no site has.
const NOBODY: &str = "3f0c6a4e-8f8b-5f0e-9a53-2d1c7f1b0a99";

/// A pack that spells the invented devices' manufacturer otherwise.
const PACK: &str = r#"version = "1"
[[manufacturer]]
name = "Northern"
spellings = ["Philips"]
"#;

/// What people decide about a site: commands, each with the number of batches that it comes after.
pub(super) type Decided = Vec<(usize, Command)>;

/// Commands of every kind about what is known of a site of 40 devices and 5 rounds.
pub(super) fn about(site: &str, told: &Told) -> Result<Decided> {
    let mut hand = Hand::new(site, 0);
    for (number, alert) in told.alerts.iter().enumerate() {
        let note = |what: &str| format!("{what} on round {number}");
        let acknowledge = AcknowledgeAlert { alert: alert.clone(), note: note("seen") };
        hand.decides(100 + 3 * number, Action::AcknowledgeAlert(acknowledge));
        if number % 3 == 0 {
            let reopen = ReopenAlert { alert: alert.clone(), note: note("not done") };
            hand.decides(130 + 3 * number, Action::ReopenAlert(reopen));
        }
    }
    for (number, device) in told.devices.iter().enumerate().take(24) {
        let of = |value: String| {
            let field = if number % 2 == 0 { "location" } else { "model" };
            override_attribute(device, field, &value)
        };
        hand.decides(60 + 2 * number, of(format!("Ward {number}")));
        if number % 4 == 0 {
            // The evidence decides again.
            hand.decides(140 + 2 * number, of(String::new()));
        }
    }
    hand.decides(80, load("spellings", PACK));
    hand.decides(90, load("broken", "version = 4"));
    hand.decides(170, load("spellings", ""));
    sameness::decide(&mut hand, told)?;
    tables::decide(&mut hand);
    documents::decide(&mut hand)?;
    Ok(hand.commands)
}

/// Commands about a site of 10 devices and 3 rounds, which is known by a table before any sensor says something of it.
pub(super) fn about_the_small_one(site: &str) -> Decided {
    let mut hand = Hand::new(site, 1);
    tables::come_first(&mut hand);
    hand.commands
}

/// What is decided for all sites, each with the third of the log that it comes after; it lies in each partition under the same
/// id.
pub(super) fn for_all_sites() -> Result<Decided> {
    let mut hand = Hand::new("", 0x1111_1111);
    hand.author = "head office";
    hand.decides(1, load("everywhere", &PACK.replace("Northern", "Everywhere")));
    documents::for_all_sites(&mut hand)?;
    Ok(hand.commands)
}

struct Hand<'a> {
    site: &'a str,
    author: &'static str,
    /// Tells its commands from those of others.
    family: u32,
    commands: Decided,
}

impl<'a> Hand<'a> {
    fn new(site: &'a str, family: u32) -> Self {
        Self { site, author: "night shift", family, commands: Vec::new() }
    }

    fn decides(&mut self, after: usize, action: Action) {
        let number = self.commands.len() as u64;
        let command = Command {
            id: format!("{:08x}-0000-4000-8000-{number:012}", self.family),
            site: self.site.to_owned(),
            author: self.author.to_owned(),
            at: BEGIN + number,
            action: Some(action),
        };
        self.commands.push((after, command.clone()));
        if number.is_multiple_of(7) && !self.site.is_empty() {
            // Sent again by someone who had no answer.
            self.commands.push((after + 5, command));
        }
    }
}

/// No value withdraws what was stated.
fn override_attribute(device: &str, field: &str, value: &str) -> Action {
    Action::OverrideAttribute(OverrideAttribute {
        device: device.to_owned(),
        field: field.to_owned(),
        value: value.to_owned(),
        note: String::new(),
    })
}

fn load(name: &str, content: &str) -> Action {
    Action::LoadKnowledgePack(LoadKnowledgePack {
        name: name.to_owned(),
        version: "1".to_owned(),
        sha256: digest(content.as_bytes()),
        content: content.as_bytes().to_vec(),
        note: String::new(),
    })
}
