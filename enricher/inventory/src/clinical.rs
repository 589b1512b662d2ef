//! What a device is to a patient: what its type and model say of all such devices, and whether it handles data of patients.

use wardwatch_knowledge::{ClinicalFacts, PatientData};

use crate::belief::MOST_REASONS;
use crate::conclusion::Why;
use crate::profile::Sketch;

/// How far what fits a type is believed to fit one device, in percent, however sure the type is: the FDA classes products.
const BY_TYPE: u32 = 70;

impl Sketch<'_> {
    /// Fills in what follows from the device's type and model, and from what it was seen to do.
    pub(crate) fn clinical(&mut self) {
        let knowledge = self.knowledge;
        let device_type = self.record.device_type.clone();
        let facts = knowledge.clinical_facts(&device_type).cloned().unwrap_or_default();
        if let Some(broadest) = knowledge.type_family(&device_type) {
            self.by_type("type_family", broadest, "its type is a kind of this", self.record.confidence);
        } else {
            self.conclude("type_family", Vec::new());
        }
        self.model_family();
        self.product(&facts);
        let sure = self.record.confidence.min(BY_TYPE);
        let stated = [
            (
                "criticality",
                facts.criticality.map(|criticality| criticality.name().to_owned()),
                "devices of its type are",
            ),
            (
                "consequence_of_failure",
                facts.consequence.clone(),
                "this follows when a device of its type fails",
            ),
            (
                "mobility",
                facts.mobility.map(|mobility| mobility.name().to_owned()),
                "devices of its type are",
            ),
        ];
        for (field, value, statement) in stated {
            match value {
                Some(value) => self.by_type(field, &value, statement, sure),
                None => self.conclude(field, Vec::new()),
            }
        }
        self.patient_data(&facts);
    }

    fn model_family(&mut self) {
        let family = self.knowledge.model_family(&self.record.manufacturer, &self.record.model);
        let reason = family.map(|family| Why {
            field: "model_family".to_owned(),
            value: family.family.clone(),
            statement: "its maker calls this family so".to_owned(),
            evidence: format!("its model is {} {}", self.record.manufacturer, self.record.model),
            confidence: 90,
        });
        self.conclude("model_family", reason.into_iter().collect());
    }

    fn product(&mut self, facts: &ClinicalFacts) {
        let family = self.knowledge.model_family(&self.record.manufacturer, &self.record.model);
        let of_family = family.and_then(|family| Some((family.product.clone()?, &family.family)));
        let (product, evidence) = match of_family {
            Some((product, family)) => (Some(product), format!("its model is of the family {family}")),
            None => (facts.product.clone(), self.evidence_of_type()),
        };
        let sure = self.record.confidence.min(BY_TYPE);
        let reason = |field: &str, value: &str, statement: &str| Why {
            field: field.to_owned(),
            value: value.to_owned(),
            statement: statement.to_owned(),
            evidence: evidence.clone(),
            confidence: sure,
        };
        let fitting = product
            .as_ref()
            .map(|(code, _)| reason("product_code", code, "the FDA's product code that fits"));
        let given = self.decision("product_code").map(|decision| decision.value.as_str());
        let class = match (given, &product) {
            // What fits its type says nothing of another code that a person gave it.
            (Some(given), product) if product.as_ref().is_none_or(|(code, _)| code != given) => {
                self.class_by_table(given).map(|why| Why { confidence: 100, ..why })
            }
            (_, Some((code, class))) => {
                let by_table = self.class_by_table(code);
                let by_table = by_table.map(|why| Why { confidence: sure, ..why });
                let stated =
                    || reason("fda_class", class.name(), &format!("the class of product code {code}"));
                Some(by_table.unwrap_or_else(stated))
            }
            (_, None) => None,
        };
        self.conclude("product_code", fitting.into_iter().collect());
        self.conclude("fda_class", class.into_iter().collect());
    }

    /// What the FDA's table says, where a pack has it.
    fn class_by_table(&self, code: &str) -> Option<Why> {
        let product = self.knowledge.fda_product(code)?;
        let regulation = match product.regulation.as_str() {
            "" => String::new(),
            section => format!(" (21 CFR {section})"),
        };
        Some(Why {
            field: "fda_class".to_owned(),
            value: product.class.name().to_owned(),
            statement: format!("the FDA's table says so of product code {code}"),
            evidence: format!("{}{regulation}", product.name),
            confidence: 0,
        })
    }

    fn patient_data(&mut self, facts: &ClinicalFacts) {
        let signs = std::mem::take(&mut self.signs);
        for (field, wanted) in
            [("phi_transmits", PatientData::Transmits), ("phi_stores", PatientData::Stores)]
        {
            let held = signs.iter().filter(|sign| sign.does.contains(&wanted));
            let mut reasons: Vec<Why> = held
                .map(|sign| Why {
                    field: field.to_owned(),
                    value: "yes".to_owned(),
                    statement: sign.because.to_owned(),
                    evidence: sign.evidence.clone(),
                    confidence: sign.confidence,
                })
                .collect();
            if let Some(stores) = facts.stores_patient_data.filter(|_| wanted == PatientData::Stores) {
                // What a device was seen to do stands before what others of its type do.
                let (value, statement) = if stores {
                    ("yes", "devices of its type keep data of patients")
                } else {
                    ("no", "devices of its type keep no data of patients")
                };
                reasons.push(Why {
                    field: field.to_owned(),
                    value: value.to_owned(),
                    statement: statement.to_owned(),
                    evidence: self.evidence_of_type(),
                    confidence: self.record.confidence.min(BY_TYPE),
                });
            }
            self.conclude(field, reasons);
        }
    }

    fn by_type(&mut self, field: &str, value: &str, statement: &str, confidence: u32) {
        let reason = Why {
            field: field.to_owned(),
            value: value.to_owned(),
            statement: statement.to_owned(),
            evidence: self.evidence_of_type(),
            confidence,
        };
        self.conclude(field, vec![reason]);
    }

    fn evidence_of_type(&self) -> String {
        format!("its type is {}", self.record.device_type)
    }

    /// Sets a field to what a person decided, else to what the first of the reasons speaks for; all go on record.
    pub(crate) fn conclude(&mut self, field: &str, reasons: Vec<Why>) {
        let decided = self.decided(field);
        let first = reasons.first().map(|reason| reason.value.clone());
        self.record.why.extend(reasons.into_iter().take(MOST_REASONS));
        self.detail(field, decided.or(first).unwrap_or_default());
    }
}
