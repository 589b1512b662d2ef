//! Who made a device: by what it says, by numbers and roots that are assigned to makers, by signatures, and last by its MAC
//! address.

use wardwatch_knowledge::{DicomRoot, Source};
use wardwatch_proto::v1::Attribute;
use wardwatch_proto::v1::subject::Role;

use crate::choice::{Candidate, Candidates, words};
use crate::device::Device;
use crate::hour::hour;
use crate::identity::DeviceKey;
use crate::profile::Sketch;
use crate::reason::{Basis, Because};

impl<'a> Sketch<'a> {
    /// Believes one maker; the rivals go on record.
    pub(crate) fn manufacturer(&mut self, device: &Device) {
        let knowledge = self.knowledge;
        let mut makers = Candidates::default();
        for statement in self.about(Attribute::Manufacturer) {
            let (_, protocol, _) = words(statement);
            let spelled = &statement.key.value;
            let canonical = knowledge.manufacturer(spelled, protocol).unwrap_or(spelled);
            makers.add(self.candidate(statement, canonical, None));
        }
        let mut by_table = |attribute, source, because, lookup: &dyn Fn(&str) -> Option<&'a str>| {
            for statement in self.about(attribute) {
                if let Some(maker) = lookup(&statement.key.value) {
                    let by = (Attribute::Manufacturer, source, Because::Words(because));
                    makers.add(self.candidate(statement, maker, Some(by)));
                }
            }
        };
        by_table(
            Attribute::BacnetVendorId,
            Source::BacnetVendor,
            "its BACnet vendor identifier is this maker's",
            &|id| knowledge.bacnet_vendor(id.parse().ok()?),
        );
        by_table(
            Attribute::Hl7Application,
            Source::Hl7Application,
            "its HL7 application is this maker's",
            &|application| knowledge.hl7_application(application),
        );
        by_table(
            Attribute::DicomImplementationUid,
            Source::DicomRoot,
            "its DICOM implementation is under this maker's root",
            &|uid| match knowledge.dicom_root(uid) {
                Some(DicomRoot::Manufacturer(maker)) => Some(maker.as_str()),
                _ => None,
            },
        );
        for statement in &self.statements {
            let (attribute, _, _) = words(statement);
            if let Some(maker) = knowledge.assigned(attribute, &statement.key.value) {
                let by = (Attribute::Manufacturer, Source::Assigned, Because::Assigned(attribute));
                makers.add(self.candidate(statement, maker, Some(by)));
            }
        }
        self.derived.candidates(Attribute::Manufacturer).for_each(|maker| makers.add(maker));
        for statement in self.about(Attribute::Model) {
            let (_, protocol, _) = words(statement);
            if let Some(maker) = knowledge.assigned_protocol(protocol) {
                let by = (Attribute::Manufacturer, Source::Assigned, Because::OneMaker(protocol));
                makers.add(self.candidate(statement, maker, Some(by)));
            }
        }
        if let DeviceKey::Mac(mac) = device.key
            && let Some(registered) = knowledge.registered(mac)
        {
            self.record.mac_manufacturer.clone_from(&registered.manufacturer);
            if !registered.is_virtual {
                makers.add(Candidate {
                    value: registered.manufacturer.as_str().into(),
                    trust: knowledge.trust(Attribute::Manufacturer, Source::MacPrefix, Role::Sender),
                    first_seen: self.record.first_seen,
                    last_seen: hour(self.record.last_seen),
                    because: Because::Words("its MAC address is registered to this maker, which is a guess"),
                    evidence: Basis::Mac(mac),
                });
            }
        }
        self.record.manufacturer = self.believe("manufacturer", makers);
    }
}
