//! What a device tells of as of another, and is itself.
//!
//! Some protocols name the device that answers in the same way as those behind a gateway: a unit's number at a Modbus
//! address, the instrument that made a result. The knowledge pack says of which kinds of keys that holds
//! ([`wardwatch_knowledge::Teller`]), and what must agree. The only one that a device ever told of under a key of such a kind
//! is the device; with a second one all are devices behind it. That follows from the evidence alone: whenever something is
//! said that decides it, by the teller of itself or of what it tells of, these are placed again.

use wardwatch_proto::v1::Attribute;
use wardwatch_proto::v1::subject::Role;

use crate::dossier::Dossier;
use crate::identity::EndpointId;
use crate::register::Register;

/// How many of one kind must be known: whether there are several.
const ENOUGH: usize = 3;

impl Register {
    /// Whether what is told of behind a device under this key is that device.
    pub(crate) fn is_teller_itself(&self, told: u32, teller: u32, key: &str) -> bool {
        let Some(rule) = self.knowledge.teller(key) else { return false };
        if self.told_alike(teller, key).len() > 1 {
            return false;
        }
        let (Some(own), Some(told)) = (self.dossier(teller), self.dossier(told)) else { return false };
        let speaks_for_others = || rule.never_for.iter().any(|role| own.says(Attribute::Role, role));
        let agree = |(of_itself, of_the_other): &(Attribute, Attribute)| {
            let mut own = own.own_values(*of_itself);
            own.any(|(value, _)| told.told_values(*of_the_other).any(|(told, _)| told == value))
        };
        (rule.agrees.is_empty() || rule.agrees.iter().any(agree))
            && !speaks_for_others()
            && !self.contradict(own, told)
    }

    /// Whether both say different things in one protocol of what a device has but one of.
    fn contradict(&self, own: &Dossier, told: &Dossier) -> bool {
        self.knowledge.same_device().filter(|same| same.contradicts).any(|same| {
            let attribute = same.attribute;
            let is_comparable = own
                .own_values(attribute)
                .any(|(_, ours)| told.told_values(attribute).any(|(_, their)| ours == their));
            let is_shared = || {
                own.own_values(attribute)
                    .any(|(ours, _)| told.told_values(attribute).any(|(their, _)| ours == their))
            };
            is_comparable && !is_shared()
        })
    }

    /// What a device tells of under keys of the same kind, as far as it must be known whether there are several.
    pub(crate) fn told_alike(&self, teller: u32, key: &str) -> Vec<u32> {
        fn kind(key: &str) -> Option<&str> {
            key.split_once('=').map(|(kind, _)| kind)
        }
        let wanted = kind(key);
        let is_alike = |child: &u32| match self.dossier(*child).map(|dossier| &dossier.id) {
            Some(EndpointId::Third(Some(_), key)) => kind(key) == wanted,
            _ => false,
        };
        self.children_of(teller).iter().copied().filter(is_alike).take(ENOUGH).collect()
    }

    /// A device tells of another for the first time: what was the only one was the teller itself until now.
    pub(crate) fn judge_tellers_of(&mut self, teller: u32, key: &str) {
        if self.knowledge.teller(key).is_none() {
            return;
        }
        let alike = self.told_alike(teller, key);
        if alike.len() == 2 {
            for told in alike {
                self.place(told);
            }
        }
    }

    /// Something was said, or is said no longer, that may decide whether a device is what it tells of.
    pub(crate) fn judge_teller(&mut self, at: u32, attribute: Attribute) {
        if !self.knowledge.bears_on_tellers(attribute) {
            return;
        }
        match self.dossier(at).map(|dossier| &dossier.id) {
            Some(EndpointId::Third(Some(_), key)) if self.knowledge.teller(key).is_some() => self.place(at),
            Some(EndpointId::Interface(_) | EndpointId::Address(..)) => {
                let children = self.children_of(at).to_vec();
                for child in children {
                    let decides = |dossier: &Dossier| match &dossier.id {
                        EndpointId::Third(Some(_), key) => self.knowledge.teller(key).is_some(),
                        _ => false,
                    };
                    if self.dossier(child).is_some_and(decides) {
                        self.place(child);
                    }
                }
            }
            _ => {}
        }
    }
}

impl Dossier {
    /// What the endpoint says of itself, and in which protocol.
    fn own_values(&self, attribute: Attribute) -> impl Iterator<Item = (&str, i32)> {
        self.values_by(attribute, |role| role == i32::from(Role::Sender))
    }

    /// What is told of it, and in which protocol.
    fn told_values(&self, attribute: Attribute) -> impl Iterator<Item = (&str, i32)> {
        self.values_by(attribute, |_| true)
    }

    fn values_by(&self, attribute: Attribute, by: impl Fn(i32) -> bool) -> impl Iterator<Item = (&str, i32)> {
        let statements = self.statements.of(attribute.into()).filter(move |statement| by(statement.role));
        statements.map(|statement| (&*statement.key.value, statement.key.protocol))
    }
}
