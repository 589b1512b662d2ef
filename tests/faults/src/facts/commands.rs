//! What people decide, in the same log as the facts.

use wardwatch_proto::command::digest;
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{AcknowledgeAlert, Command, LoadKnowledgePack, OverrideAttribute, ReopenAlert};

use super::generated::Told;

/// When people decide, in nanoseconds since the Unix epoch: 2026-11-22 23:45 UTC.
const BEGIN: u64 = 1_795_391_100_000_000_000;

/// A pack that spells the invented devices' manufacturer otherwise.
const PACK: &str = r#"version = "1"
[[manufacturer]]
name = "Northern"
spellings = ["Philips"]
"#;

/// Commands about what is known of a site, each with the number of batches that it comes after.
pub(super) fn about(site: &str, told: &Told) -> Vec<(usize, Command)> {
    let mut hand = Hand { site, commands: Vec::new() };
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
            Action::OverrideAttribute(OverrideAttribute {
                device: device.clone(),
                field: if number % 2 == 0 { "location" } else { "model" }.to_owned(),
                value,
                note: String::new(),
            })
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
    hand.commands
}

/// A pack for all sites, which lies in each partition under the same id.
pub(super) fn for_all_sites() -> Command {
    Command {
        id: "11111111-0000-4000-8000-000000000001".to_owned(),
        site: String::new(),
        author: "head office".to_owned(),
        at: BEGIN,
        action: Some(load("everywhere", &PACK.replace("Northern", "Everywhere"))),
    }
}

struct Hand<'a> {
    site: &'a str,
    commands: Vec<(usize, Command)>,
}

impl Hand<'_> {
    fn decides(&mut self, after: usize, action: Action) {
        let number = self.commands.len() as u64;
        let command = Command {
            id: format!("00000000-0000-4000-8000-{number:012}"),
            site: self.site.to_owned(),
            author: "night shift".to_owned(),
            at: BEGIN + number,
            action: Some(action),
        };
        self.commands.push((after, command.clone()));
        if number.is_multiple_of(7) {
            // Sent again by someone who had no answer.
            self.commands.push((after + 5, command));
        }
    }
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
