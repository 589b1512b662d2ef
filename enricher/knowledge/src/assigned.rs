//! Numbers and words that are assigned to one maker, so that a device which says them is of this maker: vendor
//! identifiers of industrial protocols, private enterprise numbers, and roles that only one maker's devices have.

use std::collections::{BTreeMap, HashMap};

use wardwatch_proto::v1::Attribute;

use crate::condition::{named, possible};
use crate::error::KnowledgeError;
use crate::evidence::Field;
use crate::manufacturer::Manufacturers;
use crate::pack::Entry;

/// Under which SNMP names products, by the number of their maker (RFC 3418, sysObjectID; RFC 2578, enterprises).
const ENTERPRISES: &str = "1.3.6.1.4.1.";

/// By attribute as a pack spells it: the maker of each value.
pub(crate) type RawAssigned = BTreeMap<String, BTreeMap<String, String>>;

/// The maker of each value of each attribute.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assigned {
    makers: BTreeMap<Attribute, HashMap<String, String>>,
}

impl Assigned {
    pub(crate) fn add(
        &mut self,
        entry: Entry<RawAssigned>,
        manufacturers: &Manufacturers,
    ) -> Result<(), KnowledgeError> {
        let Entry { place, value: raw } = entry;
        for (word, values) in raw {
            for attribute in named::<Attribute>(std::slice::from_ref(&word), &place, &word)? {
                let makers = self.makers.entry(attribute).or_default();
                for (value, maker) in &values {
                    let key = format!("{word}.{value}");
                    possible(Field::Stated(attribute), value, &place, &key)?;
                    if !manufacturers.is_known(maker) {
                        return Err(place.wrong(key, format!("no manufacturer is called {maker:?}")));
                    }
                    makers.insert(value.clone(), maker.clone());
                }
            }
        }
        Ok(())
    }

    /// The maker that a value is assigned to.
    pub(crate) fn maker(&self, attribute: Attribute, value: &str) -> Option<&str> {
        if attribute == Attribute::SysObjectId {
            let number = value.strip_prefix(ENTERPRISES)?.split('.').next()?;
            return self.maker(Attribute::EnterpriseNumber, number);
        }
        self.makers.get(&attribute)?.get(value).map(String::as_str)
    }
}
