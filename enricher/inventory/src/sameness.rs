//! A third device that is a device of the site after all: an archive forwards a scanner's image, and the scanner itself
//! is on the network too.
//!
//! It is the same when a device says of itself what the key holds (model and serial number, the application entity's
//! title), and no other device says so. The knowledge pack names what must agree for each kind of key. What others say
//! of a third device then stands on that device's record as hearsay.

use wardwatch_knowledge::Knowledge;
use wardwatch_proto::v1::Attribute;
use wardwatch_proto::v1::subject::Role;

use crate::dossier::Dossier;
use crate::identity::EndpointId;
use crate::register::Register;
use crate::statement::StatementKey;

/// Endpoints that may claim one identity; beyond, it means nothing.
const MOST_CLAIMANTS: usize = 64;

/// An attribute's value that identifies.
pub(crate) type Identity = (Attribute, Box<str>);

impl Register {
    /// A dossier says something new of itself.
    pub(crate) fn claims(&mut self, at: u32, attribute: Attribute, value: &str) {
        if is_claim(&self.knowledge, attribute) {
            let identity: Identity = (attribute, value.into());
            if self.claimants.add(attribute, value, at) <= MOST_CLAIMANTS + 1 {
                self.place_thirds(&identity);
            }
            self.suspect(at, attribute, value);
        } else if self.knowledge.tells_devices_apart(attribute) || attribute == Attribute::Manufacturer {
            self.suspect_itself(at);
        }
        if self.knowledge.distinguishes(attribute) {
            self.place_thirds_of(at);
        }
    }

    /// A dossier's statement was given up for another.
    pub(crate) fn claims_no_longer(&mut self, at: u32, key: &StatementKey) {
        let attribute = Attribute::try_from(key.attribute).unwrap_or_default();
        if is_claim(&self.knowledge, attribute)
            && !self.dossier(at).is_some_and(|dossier| dossier.says(attribute, &key.value))
        {
            let identity: Identity = (attribute, key.value.clone());
            self.claimants.remove(attribute, &key.value, at);
            self.place_thirds(&identity);
            self.suspect(at, attribute, &key.value);
        } else {
            self.suspect_itself(at);
        }
        if self.knowledge.distinguishes(attribute) {
            self.place_thirds_of(at);
        }
    }

    /// A dossier belongs to another device, and with it the third devices that it is.
    pub(crate) fn place_thirds_of(&mut self, at: u32) {
        if self.thirds.is_empty() {
            return;
        }
        let said: Vec<Identity> =
            self.identities_of(at).map(|(attribute, value)| (attribute, value.into())).collect();
        for identity in said {
            self.place_thirds(&identity);
        }
    }

    /// Enters a third device in the books under what would make it another.
    pub(crate) fn enter_third(&mut self, at: u32, key: &str) {
        let identity = self.knowledge.same_by(key).and_then(|parts| parts.last().copied());
        if let Some((attribute, value)) = identity {
            self.thirds.entry((attribute, value.into())).or_default().push(at);
        }
    }

    /// Enters what the restored dossiers say of themselves.
    pub(crate) fn enter_claims(&mut self) {
        let Self { dossiers, knowledge, claimants, .. } = self;
        for (at, dossier) in (0_u32..).zip(&*dossiers) {
            for (attribute, value) in dossier.identities(knowledge) {
                claimants.add(attribute, value, at);
            }
        }
    }

    /// The one device that says of itself what a third device's key holds.
    pub(crate) fn same_as(&self, key: &str) -> Option<u32> {
        let parts = self.knowledge.same_by(key)?;
        let (attribute, value) = parts.last()?;
        let claimants = self.claimants.of(*attribute, value);
        if claimants.len() > MOST_CLAIMANTS {
            return None;
        }
        let mut same = None;
        for at in claimants {
            let Some(dossier) = self.dossier(*at) else { continue };
            if !parts.iter().all(|(attribute, value)| dossier.says(*attribute, value)) {
                continue;
            }
            let device = self.links.get(*at as usize).and_then(|link| link.device);
            match (same, device) {
                (_, None) => {}
                (None, Some(_)) => same = device,
                (Some(known), Some(device)) if known == device => {}
                _ => return None,
            }
        }
        same
    }

    fn place_thirds(&mut self, identity: &Identity) {
        for third in self.thirds.get(identity).cloned().unwrap_or_default() {
            self.place(third);
        }
    }

    /// What a dossier says of itself that identifies.
    pub(crate) fn identities_of(&self, at: u32) -> impl Iterator<Item = (Attribute, &str)> {
        self.dossier(at).into_iter().flat_map(|dossier| dossier.identities(&self.knowledge))
    }
}

/// Whether endpoints are found by what they say of it.
fn is_claim(knowledge: &Knowledge, attribute: Attribute) -> bool {
    knowledge.identifies(attribute) || knowledge.joins(attribute)
}

impl Dossier {
    /// What the endpoint says of itself that identifies. Of third devices and rows of tables others tell.
    pub(crate) fn identities(&self, knowledge: &Knowledge) -> impl Iterator<Item = (Attribute, &str)> {
        let is_told = matches!(self.id, EndpointId::Third(..) | EndpointId::Row(..));
        let own = self
            .statements
            .iter()
            .filter(move |statement| !is_told && statement.role == i32::from(Role::Sender));
        own.filter_map(move |statement| {
            let attribute = Attribute::try_from(statement.key.attribute).ok()?;
            is_claim(knowledge, attribute).then_some((attribute, &*statement.key.value))
        })
    }

    /// Whether the endpoint said this of itself.
    pub(crate) fn says(&self, attribute: Attribute, value: &str) -> bool {
        self.statements
            .about(attribute.into(), value)
            .any(|statement| statement.role == i32::from(Role::Sender))
    }
}
