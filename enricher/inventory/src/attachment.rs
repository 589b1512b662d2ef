//! How a device hangs on the network: by cable or by radio, how it came to its addresses, and whether it talks to the
//! internet.
//!
//! What is not said and cannot be concluded stays unknown. A guess says so, and stands below 30 percent.

use std::collections::BTreeMap;
use std::net::IpAddr;

use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::belief::said;
use crate::conclusion::Why;
use crate::device::Device;
use crate::hour::hour;
use crate::identity::{DeviceKey, is_made_from};
use crate::network::is_link_local;
use crate::profile::Sketch;
use crate::register::Register;
use crate::statement::Statement;

const DAY: u64 = 86_400 * 1_000_000_000;
/// Conversations with the internet count for this long, as in the score.
const INTERNET_COUNTS: u64 = 30 * DAY;
/// Who does not talk to the internet for this long, does not.
const OFFLINE_AFTER: u64 = DAY;
/// Leases seldom last longer. Who has had an address for this long and never asked for one was given it by hand (a guess).
const LEASE_IS_OVER: u64 = 7 * DAY;

/// Fields of the cell that let a device in, what whoever let it in says of them, and what tables do. Of the former the one that
/// was said last is shown, to the nanosecond: a device roams from cell to cell within minutes.
pub(crate) const CELLS: [(&str, Attribute, Attribute); 2] =
    [("ssid", Attribute::WlanName, Attribute::Ssid), ("bssid", Attribute::WlanBssid, Attribute::Bssid)];

impl Sketch<'_> {
    /// Fills in how the device hangs on the network.
    pub(crate) fn attachment(&mut self, device: &Device, register: &Register) {
        self.connection(device, register);
        self.wireless();
        self.address_assignment(device);
        self.internet();
    }

    fn connection(&mut self, device: &Device, register: &Register) {
        let mut reasons = Vec::new();
        let mut reason = |value: &str, statement: &str, evidence: String, confidence: u32| {
            reasons.push(Why {
                field: "connection_type".to_owned(),
                value: value.to_owned(),
                statement: statement.to_owned(),
                evidence,
                confidence,
            });
        };
        if !self.record.parent.is_empty() {
            reason("behind a gateway", "another device speaks for it", self.record.parent.clone(), 90);
        }
        for statement in self.of_access(Attribute::NasPortType) {
            let value = match &*statement.key.value {
                "wireless-802.11" | "wireless-other" => "wireless",
                "ethernet" | "cable" => "wired",
                "virtual" => "virtual",
                _ => continue,
            };
            reason(value, "whoever let it in says so", evidence(statement), 90);
        }
        let neighbours = self.about(Attribute::LinkPort).filter(|s| is_own(s));
        if let Some(statement) = neighbours.min_by_key(|statement| &statement.key) {
            reason("wired", "names its port to its neighbour on a cable", evidence(statement), 80);
        }
        let on_cable = ["poe-device", "profinet-io-device", "bridge"];
        let roles = self.about(Attribute::Role).filter(|s| is_own(s));
        if let Some(statement) = roles.filter(|s| on_cable.contains(&&*s.key.value)).min_by_key(|s| &s.key) {
            reason("wired", "does what only devices on a cable do", evidence(statement), 80);
        }
        if let DeviceKey::Mac(mac) = device.key
            && let Some(registered) =
                self.knowledge.registered(mac).filter(|registered| registered.is_virtual)
        {
            let evidence = format!("mac of {}", registered.manufacturer);
            reason("virtual", "its MAC address is one of virtual machines", evidence, 80);
        }
        // Of equal standing, what the network itself was heard to say comes first.
        reasons.extend(self.attached_by_tables(register));
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.confidence));
        self.conclude("connection_type", reasons);
    }

    /// The wireless network and the cell that let it in.
    fn wireless(&mut self) {
        for (field, attribute, of_tables) in CELLS {
            let mut told: Vec<&Statement> = self.of_access(attribute);
            told.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then_with(|| a.key.cmp(&b.key)));
            if told.is_empty() {
                // What tables say is filled in with the rest of the profile.
                continue;
            }
            let reasons = told.into_iter().map(|statement| Why {
                field: field.to_owned(),
                value: statement.key.value.to_string(),
                statement: "whoever let it in says so".to_owned(),
                evidence: evidence(statement),
                confidence: 90,
            });
            let by_tables = self.candidates(of_tables).ranked().into_iter();
            let by_tables = by_tables.map(|candidate| candidate.why(field));
            let reasons = reasons.chain(by_tables).collect();
            self.conclude(field, reasons);
        }
    }

    /// What RADIUS accounting says of it as of one who was let in. Of an access point or a switch the same attributes say
    /// whom it lets in; only clients are told of with their address.
    fn of_access(&self, attribute: Attribute) -> Vec<&Statement> {
        let is_radius = |statement: &&Statement| statement.key.protocol == i32::from(Protocol::Radius);
        let is_client = self.about(Attribute::IpAddress).any(|statement| is_radius(&statement));
        let told = |statement: &&Statement| is_radius(statement) && !is_own(statement);
        if is_client { self.about(attribute).filter(told).collect() } else { Vec::new() }
    }

    fn address_assignment(&mut self, device: &Device) {
        let mut ways: BTreeMap<&str, Why> = BTreeMap::new();
        let mut way = |value: &'static str, statement: &str, evidence: String, confidence: u32| {
            ways.entry(value).or_insert_with(|| Why {
                field: "ip_assignment".to_owned(),
                value: value.to_owned(),
                statement: statement.to_owned(),
                evidence,
                confidence,
            });
        };
        let by_dhcp = |statement: &&Statement| {
            [Protocol::Dhcp, Protocol::Dhcpv6].map(i32::from).contains(&statement.key.protocol)
        };
        let leased = self.about(Attribute::IpAddress).filter(by_dhcp).min_by_key(|s| &s.key);
        let asked = self.about(Attribute::Role).filter(by_dhcp).find(|s| &*s.key.value == "dhcp-client");
        if let Some(statement) = leased.or(asked) {
            way("dhcp", "asked for an address, or was given one", evidence(statement), 85);
        }
        let ips: Vec<IpAddr> = self.record.ips.iter().filter_map(|ip| ip.parse().ok()).collect();
        let is_configured = |ip: &&IpAddr| matches!(device.key, DeviceKey::Mac(mac) if !is_link_local(**ip) && is_made_from(**ip, mac));
        if let Some(ip) = ips.iter().find(is_configured) {
            way("slaac", "its address holds its MAC address (RFC 4291, appendix A)", format!("ip {ip}"), 85);
        }
        match ips.first() {
            Some(ip) if ips.iter().all(|ip| is_link_local(*ip)) => {
                way("link-local", "has no other address", format!("ip {ip}"), 85);
            }
            _ => {}
        }
        if ways.is_empty() {
            let is_old = |s: &&Statement| s.last_hour().saturating_sub(s.first_seen) >= LEASE_IS_OVER;
            let is_arp = |s: &&Statement| is_own(s) && s.key.protocol == i32::from(Protocol::Arp);
            let is_used = |s: &&Statement| self.record.ips.iter().any(|ip| **ip == *s.key.value);
            let bound = self.about(Attribute::IpAddress).filter(is_arp).filter(is_old);
            if let Some(statement) = bound.filter(is_used).min_by_key(|s| &s.key) {
                let why = "has had its address for a week and was never heard asking for one (a guess)";
                ways.insert(
                    "static",
                    Why {
                        field: "ip_assignment".to_owned(),
                        value: "static".to_owned(),
                        statement: why.to_owned(),
                        evidence: evidence(statement),
                        confidence: 25,
                    },
                );
            }
        }
        let joined = ways.keys().copied().collect::<Vec<_>>().join(", ");
        self.record.why.extend(ways.into_values());
        self.detail("ip_assignment", joined);
    }

    fn internet(&mut self) {
        let conversations = || self.dossiers.iter().flat_map(|dossier| &dossier.conversations);
        let now = hour(self.record.last_seen);
        let is_current = |last: u64| hour(last).saturating_add(INTERNET_COUNTS) >= now;
        let outside = conversations().filter(|c| c.internet && is_current(c.last_seen)).min();
        let span = now.saturating_sub(self.record.first_seen);
        let (value, statement, evidence, confidence) = match outside {
            Some(conversation) => {
                let protocol = Protocol::try_from(conversation.protocol).unwrap_or_default().name();
                let what = if protocol.is_empty() { "a conversation" } else { protocol };
                let direction = if conversation.initiated { "to" } else { "from" };
                let evidence = format!("{what} {direction} an address outside the site");
                ("yes", "talks to addresses outside the site", evidence, 90)
            }
            None if span > OFFLINE_AFTER && conversations().next().is_some() => {
                let why = "none of its conversations that sensors see leaves the site";
                ("no", why, "seen for more than a day".to_owned(), 60)
            }
            None => return,
        };
        let reason = Why {
            field: "internet".to_owned(),
            value: value.to_owned(),
            statement: statement.to_owned(),
            evidence,
            confidence,
        };
        self.conclude("internet", vec![reason]);
    }
}

fn evidence(statement: &Statement) -> String {
    said(statement).words()
}

/// Whether the device itself said it.
fn is_own(statement: &Statement) -> bool {
    statement.role == i32::from(Role::Sender)
}
