//! What kind of device it is and how risky, by the rules of the knowledge pack and by what people decided.

use wardwatch_knowledge::{Classification, Evidence, Field, Said, Spoken};
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::belief::{MOST_REASONS, said};
use crate::conclusion::{Factor, Why};
use crate::device::Device;
use crate::hour::hour;
use crate::identity::DeviceKey;
use crate::profile::Sketch;

impl Sketch<'_> {
    /// Concludes category, type, score and signs of patient data.
    pub(crate) fn classify(&mut self, device: &Device, is_router: bool) {
        let knowledge = self.knowledge;
        let newest = hour(self.record.last_seen);
        let maker_is_guessed = !self.record.why.iter().any(|why| {
            why.field == "manufacturer" && why.value == self.record.manufacturer && why.confidence >= 30
        });
        let maker = if maker_is_guessed { String::new() } else { self.record.manufacturer.clone() };
        let registered = match device.key {
            DeviceKey::Mac(mac) => knowledge.registered(mac),
            _ => None,
        };
        let concluded = |field, value| Said {
            field,
            value,
            protocol: Protocol::Unspecified,
            told_by: Role::Sender,
            last_seen: newest,
        };
        let mut facts: Vec<Said<'_>> = self.statements.iter().map(|statement| said(statement)).collect();
        facts.push(concluded(Field::Maker, maker.as_str()));
        facts.push(concluded(Field::MakerMakes, knowledge.makes(&maker)));
        if let Some(registered) = registered {
            facts.push(concluded(Field::MacMaker, registered.manufacturer.as_str()));
            facts.push(concluded(Field::MacMakes, registered.makes.as_str()));
        }
        if is_router {
            facts.push(concluded(Field::Stated(Attribute::Role), "router"));
        }
        facts.retain(|said| !said.value.is_empty());
        let spoken =
            self.dossiers.iter().flat_map(|dossier| &dossier.conversations).map(|conversation| Spoken {
                protocol: Protocol::try_from(conversation.protocol).unwrap_or_default(),
                initiated: conversation.initiated,
                internet: conversation.internet,
                last_seen: hour(conversation.last_seen),
            });
        let mut evidence = Evidence::new(facts, spoken.collect(), newest);
        let found = self.decided_kind(knowledge.classify_read(&evidence, &self.derived.readings()));
        if !found.category.is_empty() {
            evidence.add(concluded(Field::Category, &found.category));
        }
        self.signs = knowledge.patient_data(&evidence);
        let held = knowledge.judge(&evidence);
        self.record.score = held.iter().map(|held| held.factor.points).sum::<u32>().min(100);
        self.record.factors = held
            .into_iter()
            .map(|held| Factor {
                name: held.factor.name.clone(),
                points: held.factor.points,
                evidence: held.evidence,
                explanation: held.factor.explanation.clone(),
                remedy: held.factor.remedy.clone(),
            })
            .collect();
        let reasons = found.reasons.into_iter().take(2 * MOST_REASONS).map(|reason| {
            let speaks_for_type = !reason.device_type.is_empty();
            Why {
                field: if speaks_for_type { "device_type" } else { "category" }.to_owned(),
                value: if speaks_for_type { reason.device_type } else { reason.category },
                statement: reason.because,
                evidence: reason.evidence,
                confidence: reason.confidence,
            }
        });
        let reasons: Vec<Why> = reasons.collect();
        self.record.why.extend(reasons);
        self.record.category = found.category;
        self.record.subcategory = found.subcategory;
        self.record.device_type = found.device_type;
        self.record.confidence = found.confidence;
    }

    /// The classification with what people decided of it. A type brings its category along; a category that is not the
    /// type's leaves no type.
    fn decided_kind(&mut self, found: Classification) -> Classification {
        let mut kind = found;
        let device_type = self.decided("device_type");
        let category = self.decided("category");
        let subcategory = self.decided("subcategory");
        if device_type.is_some() || category.is_some() {
            kind.confidence = 100;
        }
        if let Some(device_type) = device_type {
            if let Some((category, subcategory)) = self.knowledge.kind_of(&device_type) {
                (kind.category, kind.subcategory) = (category.to_owned(), subcategory.to_owned());
            }
            kind.device_type = device_type;
            if let Some(category) = category {
                kind.category = category;
            }
        } else if let Some(category) = category.filter(|category| *category != kind.category) {
            kind = Classification {
                category,
                confidence: 100,
                reasons: kind.reasons,
                ..Classification::default()
            };
        }
        if let Some(subcategory) = subcategory {
            kind.subcategory = subcategory;
        }
        kind
    }
}
