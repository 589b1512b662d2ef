//! Numbers and words that are assigned to one maker, so that a device which says them is of this maker: vendor
//! identifiers of industrial protocols, private enterprise numbers, roles that only one maker's devices have, how its
//! order numbers and models begin, and protocols in which only its devices say what model they are.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::caseless;
use crate::condition::{named, possible};
use crate::error::KnowledgeError;
use crate::evidence::Field;
use crate::manufacturer::Manufacturers;
use crate::pack::{Entry, Place};

/// Under which SNMP names products, by the number of their maker (RFC 3418, sysObjectID; RFC 2578, enterprises).
const ENTERPRISES: &str = "1.3.6.1.4.1.";

/// By attribute as a pack spells it: the maker of each value.
pub(crate) type RawAssigned = BTreeMap<String, BTreeMap<String, String>>;

/// The maker of each value of each attribute.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assigned {
    makers: BTreeMap<Attribute, HashMap<String, String>>,
    /// How values begin, and the maker of each.
    prefixes: BTreeMap<Attribute, Vec<(String, String)>>,
    protocols: BTreeMap<Protocol, String>,
}

impl Assigned {
    pub(crate) fn add(
        &mut self,
        entry: Entry<RawAssigned>,
        manufacturers: &Manufacturers,
    ) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        each(raw, &place, manufacturers, |attribute, key, value, maker| {
            possible(Field::Stated(attribute), &value, &place, key)?;
            self.makers.entry(attribute).or_default().insert(value, maker);
            Ok(())
        })
    }

    pub(crate) fn add_prefixes(
        &mut self,
        entry: Entry<RawAssigned>,
        manufacturers: &Manufacturers,
    ) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        each(raw, &place, manufacturers, |attribute, key, prefix, maker| {
            if prefix.is_empty() {
                return Err(place.wrong(key, "must not be empty: every value begins so"));
            }
            let prefixes = self.prefixes.entry(attribute).or_default();
            prefixes.retain(|(known, _)| *known != prefix);
            prefixes.push((prefix, maker));
            Ok(())
        })?;
        for prefixes in self.prefixes.values_mut() {
            // The longest is tried first.
            prefixes.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        }
        Ok(())
    }

    pub(crate) fn add_protocols(
        &mut self,
        entry: Entry<BTreeMap<String, String>>,
        manufacturers: &Manufacturers,
    ) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        for (word, maker) in raw {
            if !manufacturers.is_known(&maker) {
                return Err(place.wrong(&word, format!("no manufacturer is called {maker:?}")));
            }
            for protocol in named::<Protocol>(std::slice::from_ref(&word), &place, &word)? {
                self.protocols.insert(protocol, maker.clone());
            }
        }
        Ok(())
    }

    /// The maker whose devices alone say what model they are in this protocol.
    pub(crate) fn maker_in(&self, protocol: Protocol) -> Option<&str> {
        self.protocols.get(&protocol).map(String::as_str)
    }

    /// The maker that a value is assigned to, or what it begins with. The case of letters does not matter in what it
    /// begins with.
    pub(crate) fn maker(&self, attribute: Attribute, value: &str) -> Option<&str> {
        if attribute == Attribute::SysObjectId {
            let number = value.strip_prefix(ENTERPRISES)?.split('.').next()?;
            return self.maker(Attribute::EnterpriseNumber, number);
        }
        let whole = self.makers.get(&attribute).and_then(|makers| makers.get(value));
        let begins = |prefix: &str| caseless::begins(value, prefix);
        let by_prefix = || self.prefixes.get(&attribute)?.iter().find(|(prefix, _)| begins(prefix));
        whole.or_else(|| by_prefix().map(|(_, maker)| maker)).map(String::as_str)
    }
}

/// Takes in each value with its maker, who must be known; `take` has the attribute, the key for errors, the value, the maker.
fn each(
    raw: RawAssigned,
    place: &Place,
    manufacturers: &Manufacturers,
    mut take: impl FnMut(Attribute, &str, String, String) -> Result<(), KnowledgeError>,
) -> Result<(), KnowledgeError> {
    for (word, values) in raw {
        for attribute in named::<Attribute>(std::slice::from_ref(&word), place, &word)? {
            for (value, maker) in &values {
                let key = format!("{word}.{value}");
                if !manufacturers.is_known(maker) {
                    return Err(place.wrong(key, format!("no manufacturer is called {maker:?}")));
                }
                take(attribute, &key, value.clone(), maker.clone())?;
            }
        }
    }
    Ok(())
}
