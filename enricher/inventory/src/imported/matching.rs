//! Which device a row is about.
//!
//! The answer is a function of the evidence: of the row, and of what devices say of themselves or gateways say of them. The
//! order in which row and device came does not matter; whenever an input changes, the rows concerned are placed again.
//!
//! 1. The device whose interface has the MAC address.
//! 2. The only device that says the serial number of itself, or of which a gateway says it, and neither maker nor model of
//!    which is another than the row's.
//! 3. The only device that says the asset tag.
//! 4. A guess, if there is one candidate only: the device that has the host name, the IP address, or the model at the
//!    location. What the row says does not become the device's then.
//!
//! Serial numbers, tags and names are compared without case, blanks and punctuation.

use std::collections::BTreeSet;

use wardwatch_proto::address;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::dossier::Dossier;
use crate::identity::EndpointId;
use crate::register::Register;
use crate::sameness::Identity;
use crate::scope::Scope;
use crate::statement::Statement;

/// Endpoints that may say the same; beyond, it means nothing.
const MOST_CLAIMANTS: usize = 64;
/// Rows that may look for the same; beyond, it is no mark of one device.
const MOST_SEEKERS: usize = 64;

/// What rows look for and dossiers say.
const CLAIMED: &[Attribute] =
    &[Attribute::SerialNumber, Attribute::AssetTag, Attribute::HostName, Attribute::Location];

/// What came of looking for the device of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// Surely this device, by this.
    Device { device: u32, by: Attribute },
    /// It may be this device, by this.
    Guess { device: u32, by: Attribute },
    /// Several devices say the same.
    Ambiguous { by: Attribute },
    /// No device says so.
    NotSeen,
}

impl Match {
    /// How sure it is, in percent.
    pub(crate) fn confidence(self) -> u32 {
        match self {
            Self::Device { by: Attribute::MacAddress, .. } => 95,
            Self::Device { by: Attribute::SerialNumber, .. } => 90,
            Self::Device { .. } => 85,
            Self::Guess { by: Attribute::HostName, .. } => 25,
            Self::Guess { by: Attribute::IpAddress, .. } => 20,
            Self::Guess { .. } => 15,
            Self::Ambiguous { .. } | Self::NotSeen => 0,
        }
    }
}

/// Of several candidates: one, none, or too many.
enum Candidates {
    None,
    One(u32),
    Many,
}

impl Candidates {
    fn of(found: &BTreeSet<u32>) -> Self {
        match (found.first(), found.len()) {
            (Some(only), 1) => Self::One(*only),
            (None, _) => Self::None,
            _ => Self::Many,
        }
    }
}

/// What is compared of a value.
pub(crate) fn folded(attribute: Attribute, value: &str) -> Box<str> {
    let value = match attribute {
        // The name without its domain.
        Attribute::HostName => value.split('.').next().unwrap_or_default(),
        Attribute::MacAddress | Attribute::IpAddress => return value.into(),
        _ => value,
    };
    value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>().into()
}

impl Register {
    /// The device of a row.
    pub(crate) fn match_of(&self, row: u32) -> Match {
        let Some(row) = self.dossier(row) else { return Match::NotSeen };
        let mut ambiguous = None;
        let sure = [Attribute::MacAddress, Attribute::SerialNumber, Attribute::AssetTag];
        for by in sure {
            match self.candidates_by(row, by) {
                Candidates::One(device) => return Match::Device { device, by },
                Candidates::Many => ambiguous = ambiguous.or(Some(by)),
                Candidates::None => {}
            }
        }
        if let Some(by) = ambiguous {
            return Match::Ambiguous { by };
        }
        for by in [Attribute::HostName, Attribute::IpAddress, Attribute::Location] {
            match self.candidates_by(row, by) {
                Candidates::One(device) => return Match::Guess { device, by },
                Candidates::Many => ambiguous = ambiguous.or(Some(by)),
                Candidates::None => {}
            }
        }
        ambiguous.map_or(Match::NotSeen, |by| Match::Ambiguous { by })
    }

    /// The devices that have what the row says of this attribute.
    fn candidates_by(&self, row: &Dossier, by: Attribute) -> Candidates {
        let mut found = BTreeSet::new();
        for statement in of(row, by) {
            let value = &*statement.key.value;
            let seekers = self.seekers.get(&(by, folded(by, value)));
            if seekers.is_some_and(|seekers| seekers.len() > MOST_SEEKERS) {
                return Candidates::Many;
            }
            match by {
                Attribute::MacAddress => found.extend(self.at_interface(value)),
                Attribute::IpAddress => found.extend(self.at_address(value)),
                _ => found.extend(self.claiming(row, by, value)),
            }
        }
        Candidates::of(&found)
    }

    fn at_interface(&self, value: &str) -> Option<u32> {
        let at = self.find(&EndpointId::Interface(address::mac_from_text(value)?))?;
        self.dossier(at).filter(|dossier| dossier.exists)?;
        self.links.get(at as usize)?.device
    }

    fn at_address(&self, value: &str) -> Option<u32> {
        self.device_at(None, Some(Scope::default().at(value.parse().ok()?)), u64::MAX, true)
    }

    fn claiming<'a>(
        &'a self,
        row: &'a Dossier,
        by: Attribute,
        value: &str,
    ) -> impl Iterator<Item = u32> + 'a {
        let sought = (by, folded(by, value));
        let claimants = self.row_claims.of(by, &sought.1);
        let claimants = if claimants.len() > MOST_CLAIMANTS { &[] } else { claimants };
        claimants.iter().filter_map(move |at| {
            let dossier = self.dossier(*at)?;
            let agrees = match by {
                Attribute::SerialNumber => {
                    self.agrees(row, dossier, Attribute::Manufacturer)
                        && self.agrees(row, dossier, Attribute::Model)
                }
                Attribute::Location => {
                    of(row, Attribute::Model).next().is_some()
                        && of(dossier, Attribute::Model).next().is_some()
                        && self.agrees(row, dossier, Attribute::Model)
                }
                _ => true,
            };
            let device = self.links.get(*at as usize)?.device?;
            let is_real = self.devices.get(device as usize).is_some_and(|device| self.is_real(device));
            (agrees && is_real && claims_of(dossier).contains(&sought)).then_some(device)
        })
    }

    /// Whether both say the same of an attribute, or one says nothing.
    fn agrees(&self, row: &Dossier, dossier: &Dossier, attribute: Attribute) -> bool {
        let says = |dossier: &Dossier| -> Vec<Box<str>> {
            of(dossier, attribute).map(|statement| self.compared(attribute, statement)).collect()
        };
        let (ours, theirs) = (says(row), says(dossier));
        ours.is_empty()
            || theirs.is_empty()
            || ours.iter().any(|our| theirs.iter().any(|their| is_same(our, their)))
    }

    /// What is compared of a statement: of a maker its canonical name.
    pub(crate) fn compared(&self, attribute: Attribute, statement: &Statement) -> Box<str> {
        let value = &*statement.key.value;
        if attribute != Attribute::Manufacturer {
            return folded(attribute, value);
        }
        let protocol = Protocol::try_from(statement.key.protocol).unwrap_or_default();
        folded(attribute, self.knowledge.manufacturer(value, protocol).unwrap_or(value))
    }

    /// A dossier says something new, by which rows may find it.
    pub(crate) fn row_claims(&mut self, at: u32, attribute: Attribute, value: &str) {
        let identity: Identity = (attribute, folded(attribute, value));
        if CLAIMED.contains(&attribute) && !identity.1.is_empty() {
            if self.row_claims.add(attribute, &identity.1, at) <= MOST_CLAIMANTS + 1 {
                self.place_rows(&identity);
            }
        } else if matches!(attribute, Attribute::Manufacturer | Attribute::Model) {
            self.place_rows_of(at);
        }
    }

    /// A dossier's statement was given up for another.
    pub(crate) fn row_claims_no_longer(&mut self, at: u32, attribute: Attribute, value: &str) {
        if !CLAIMED.contains(&attribute) {
            self.place_rows_of(at);
            return;
        }
        let identity: Identity = (attribute, folded(attribute, value));
        if self.dossier(at).is_some_and(|dossier| claims_of(dossier).contains(&identity)) {
            return;
        }
        self.row_claims.remove(attribute, &identity.1, at);
        self.place_rows(&identity);
    }

    /// Enters what the dossiers say that rows may find them by.
    pub(crate) fn enter_row_claims(&mut self) {
        self.row_claims.clear();
        for (at, dossier) in (0_u32..).zip(&self.dossiers) {
            for (attribute, value) in claims_of(dossier) {
                self.row_claims.add(attribute, &value, at);
            }
        }
    }

    /// A dossier is another device's, or begins to exist: the rows that look for it are placed again.
    pub(crate) fn place_rows_of(&mut self, at: u32) {
        if self.imports.dossiers == 0 {
            return;
        }
        let Some(dossier) = self.dossier(at) else { return };
        let mut identities = claims_of(dossier);
        match &dossier.id {
            EndpointId::Interface(mac) => {
                identities.insert((Attribute::MacAddress, address::mac_text(mac).into()));
            }
            EndpointId::Address(_, ip) => {
                identities.insert((Attribute::IpAddress, ip.to_string().into()));
            }
            EndpointId::Third(..) | EndpointId::Row(..) => {}
        }
        for identity in identities {
            self.place_rows(&identity);
        }
    }

    /// Places the rows again that look for this.
    pub(crate) fn place_rows(&mut self, identity: &Identity) {
        if self.seekers.get(identity).is_some_and(|seekers| seekers.len() <= MOST_SEEKERS) {
            self.place_seekers(identity);
        }
    }

    /// The same, however many they are.
    pub(crate) fn place_seekers(&mut self, identity: &Identity) {
        for row in self.seekers.get(identity).cloned().unwrap_or_default() {
            // A guess is told of, though nothing is placed by it.
            self.touch(row, false);
            self.place(row);
        }
    }

    /// Places every row again.
    pub(crate) fn place_all_rows(&mut self) {
        let rows: BTreeSet<u32> = self.seekers.values().flatten().copied().collect();
        for row in rows {
            self.touch(row, false);
            self.place(row);
        }
    }

    /// Enters a row under what it looks for.
    pub(crate) fn seek(&mut self, row: u32) {
        for identity in self.sought_by(row) {
            self.seekers.entry(identity).or_default().insert(row);
        }
    }

    /// Strikes a row from what it looks for.
    pub(crate) fn seek_no_longer(&mut self, row: u32) {
        for identity in self.sought_by(row) {
            if let Some(seekers) = self.seekers.get_mut(&identity) {
                seekers.remove(&row);
                if seekers.is_empty() {
                    self.seekers.remove(&identity);
                }
            }
        }
    }

    pub(super) fn sought_by(&self, row: u32) -> BTreeSet<Identity> {
        let Some(row) = self.dossier(row) else { return BTreeSet::new() };
        let sought = [Attribute::MacAddress, Attribute::IpAddress].iter().chain(CLAIMED);
        let identities = sought.flat_map(|attribute| {
            of(row, *attribute).map(|statement| (*attribute, folded(*attribute, &statement.key.value)))
        });
        identities.filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// Whether two folded values are the same, or one is the other with more words: `X1` and `Acme X1`.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    short == long || short.len() >= 3 && (long.starts_with(short) || long.ends_with(short))
}

fn of(dossier: &Dossier, attribute: Attribute) -> impl Iterator<Item = &Statement> {
    dossier.statements.of(attribute.into())
}

/// What rows may find a dossier by: what the endpoint says of itself, and what is said of a third device.
fn claims_of(dossier: &Dossier) -> BTreeSet<Identity> {
    let is_third = match dossier.id {
        EndpointId::Row(..) => return BTreeSet::new(),
        EndpointId::Third(..) => true,
        _ => false,
    };
    let claimed = CLAIMED.iter().flat_map(|attribute| {
        let said = of(dossier, *attribute);
        let own = said.filter(move |statement| is_third || statement.role == i32::from(Role::Sender));
        own.map(|statement| (*attribute, folded(*attribute, &statement.key.value)))
    });
    claimed.filter(|(_, value)| !value.is_empty()).collect()
}
