//! Equipment instances (HL7 v2.6, 7.4.2.18 OBX-18; IHE PCD TF-2, B.10.4): an entity identifier whose components each
//! vendor fills in its own way, so that only what proves itself is taken for anything.

use wardwatch_proto::v1::Attribute;

use super::header::is_eui64;
use super::segment::Field;
use crate::Facts;
use crate::medical::address::eui64;

/// One device as an entity identifier names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Instance {
    /// The unit's number; empty where only an EUI-64 stands for it.
    pub(super) unit: String,
    pub(super) eui64: Option<String>,
    /// What else the identifier tells.
    pub(super) values: Vec<(Attribute, String)>,
    /// A laboratory's instrument, which may be the sender itself: only the whole of what a sender tells shows that.
    pub(super) is_analyser: bool,
}

impl Instance {
    /// From one repetition. The forms that are met: `P77^^<EUI-64>^EUI-64`, `42^Model 7^<EUI-64>^EUI-64`,
    /// `42^Model 7^Maker^DNS`, `<EUI-64>^...`, `42^Namespace`. A namespace is a model only beside an identifier with a
    /// type and with a digit in it; then the unit's number is a serial number.
    pub(super) fn read(field: &Field<'_>) -> Option<Self> {
        let [entity, namespace, universal, kind] = [1, 2, 3, 4].map(|number| field.component(number));
        let mut instance = Self { eui64: eui64(&entity), ..Self::default() };
        if instance.eui64.is_none() {
            instance.unit = entity;
            instance.eui64 = is_eui64(&kind).then(|| eui64(&universal)).flatten();
        }
        let is_named = ["DNS", "ISO", "URI"].contains(&kind.as_str());
        let is_model =
            namespace.contains(|c: char| c.is_ascii_digit()) && namespace.contains(char::is_alphabetic);
        if (is_named || is_eui64(&kind)) && is_model && !instance.unit.is_empty() {
            instance.values.push((Attribute::SerialNumber, instance.unit.clone()));
            instance.values.push((Attribute::Model, namespace));
            // A domain or an object identifier says nothing about the maker that could be shown.
            if is_named && universal.contains(char::is_alphabetic) && !universal.contains(['.', '/', ':']) {
                instance.values.push((Attribute::Manufacturer, universal));
            }
        }
        (!instance.unit.is_empty() || instance.eui64.is_some()).then_some(instance)
    }

    /// From two repetitions of a laboratory's analyser, `c5800^Maker~c5800.2709^Maker`: the second is the first, a dot
    /// and the serial number.
    pub(super) fn of_analyser(model: &Field<'_>, unit: &Field<'_>) -> Option<Self> {
        let (name, maker) = (model.component(1), model.component(2));
        let whole = unit.component(1);
        let serial = whole.strip_prefix(&name)?.strip_prefix('.')?;
        if name.is_empty() || maker.is_empty() || maker != unit.component(2) {
            return None;
        }
        let values = vec![
            (Attribute::SerialNumber, serial.to_owned()),
            (Attribute::Model, name),
            (Attribute::Manufacturer, maker),
        ];
        Some(Self { unit: whole, eui64: None, values, is_analyser: true })
    }

    /// A key for it as a third device, of a kind of its own for a laboratory's instrument. A unit that has a number outside the grammar has none: its EUI-64 may be that of
    /// the product, shared by every unit.
    pub(super) fn key(&self) -> String {
        let eui64 = (Attribute::Eui64, self.eui64.as_deref().unwrap_or_default());
        let unit = (Attribute::EquipmentId, self.unit.as_str());
        if self.is_analyser {
            return Facts::third_key("analyser", &[unit]);
        }
        if self.unit.is_empty() {
            Facts::third_key("hl7", &[eui64])
        } else if Facts::third_key("hl7", &[unit]).is_empty() {
            String::new()
        } else {
            Facts::third_key("hl7", &[unit, eui64])
        }
    }
}
