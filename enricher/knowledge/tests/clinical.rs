//! What types say of the clinical weight of a device, families of models, and signs of patient data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use wardwatch_knowledge::{
    Criticality, Evidence, FdaClass, Field, Knowledge, KnowledgeError, Mobility, PatientData, Said,
};
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

fn builtin() -> Knowledge {
    Knowledge::builtin().expect("the built-in pack is sound")
}

fn over(text: &str) -> Result<Knowledge, KnowledgeError> {
    builtin().over("ours", &format!("version = \"1\"\n{text}"))
}

fn said(field: Field, value: &str) -> Said<'_> {
    Said { field, value, protocol: Protocol::Dicom, told_by: Role::Sender, last_seen: 0 }
}

#[test]
fn a_narrow_type_has_what_the_broader_states_unless_it_states_otherwise() {
    let knowledge = builtin();
    let facts = |name| knowledge.clinical_facts(name).cloned().unwrap_or_default();
    let (broad, narrow) = (facts("imaging modality"), facts("CT scanner"));
    assert_eq!(broad.product, None, "no code fits all modalities");
    assert_eq!(narrow.product, Some(("JAK".to_owned(), FdaClass::Two)));
    assert_eq!((narrow.criticality, narrow.stores_patient_data), (Some(Criticality::Diagnostic), Some(true)));
    assert_ne!(narrow.consequence, broad.consequence);
    assert_eq!(facts("MR scanner").consequence, broad.consequence);
    assert_eq!(facts("insulin pump").mobility, Some(Mobility::Worn));
    assert_eq!(facts("syringe pump"), facts("infusion pump"));
    assert_eq!(knowledge.clinical_facts("toaster"), None);
}

#[test]
fn a_family_of_types_is_the_broadest() {
    let knowledge = builtin();
    assert_eq!(knowledge.type_family("mobile X-ray system"), Some("imaging modality"));
    assert_eq!(knowledge.type_family("domain controller"), Some("computer"));
    assert_eq!(knowledge.type_family("ventilator"), Some("ventilator"));
    assert_eq!(knowledge.type_family("toaster"), None);
}

#[test]
fn every_medical_type_says_what_happens_when_it_fails() {
    let knowledge = builtin();
    let medical = |name: &str| knowledge.kind_of(name).is_some_and(|(category, _)| category == "medical");
    for (name, facts) in knowledge.types().into_iter().filter(|(name, _)| medical(name)) {
        assert!(facts.criticality.is_some() && facts.consequence.is_some(), "{name}");
    }
}

#[test]
fn what_supports_life_is_told_from_what_examines() {
    let knowledge = builtin();
    let of = |name| knowledge.clinical_facts(name).and_then(|facts| facts.criticality);
    for name in ["ventilator", "anaesthesia workstation", "heart-lung machine", "incubator", "defibrillator"]
    {
        assert_eq!(of(name), Some(Criticality::LifeSupporting), "{name}");
    }
    for name in ["infusion pump", "dialysis machine", "radiotherapy system", "surgical robot"] {
        assert_eq!(of(name), Some(Criticality::Therapeutic), "{name}");
    }
    assert_eq!(of("computer"), None);
}

#[test]
fn a_model_belongs_to_the_family_of_its_maker() {
    let knowledge = builtin();
    let family = |maker, model| knowledge.model_family(maker, model).map(|found| found.family.as_str());
    for (maker, model, expected) in [
        ("Philips", "IntelliVue MX800", Some("IntelliVue")),
        ("Siemens Healthineers", "SOMATOM Definition AS+", Some("SOMATOM Definition")),
        ("Siemens Healthineers", "Definition Flash", Some("SOMATOM Definition")),
        ("GE HealthCare", "LOGIQ E9", Some("LOGIQ")),
        ("GE HealthCare", "Logiqe9", Some("LOGIQ")),
        ("Philips", "MX800", Some("IntelliVue")),
        ("Philips", "MX8000", None),
        ("Philips", "LOGIQ E9", None),
        ("GE HealthCare", "X1", None),
    ] {
        assert_eq!(family(maker, model), expected, "{maker} {model}");
    }
}

#[test]
fn a_makers_name_for_a_model_says_what_it_is() {
    let knowledge = builtin();
    let model = Field::Stated(Attribute::Model);
    let kind = |maker, value| {
        let evidence = Evidence::new(vec![said(Field::Maker, maker), said(model, value)], vec![], 0);
        knowledge.classify(&evidence).device_type
    };
    assert_eq!(kind("B. Braun", "Perfusor Space"), "syringe pump");
    assert_eq!(kind("GE HealthCare", "Aisys CS2"), "anaesthesia workstation");
    assert_eq!(kind("BD", "Alaris PC 8015"), "", "of several types");
    assert_eq!(
        kind("Philips", "IntelliVue Information Center iX"),
        "central monitoring station",
        "the first"
    );
}

#[test]
fn patient_data_is_told_by_what_a_device_does() {
    let knowledge = builtin();
    let signs = |attribute, value| -> Vec<PatientData> {
        let evidence = Evidence::new(vec![said(Field::Stated(attribute), value)], vec![], 0);
        knowledge.patient_data(&evidence).into_iter().flat_map(|sign| sign.does.to_vec()).collect()
    };
    let archive = signs(Attribute::Role, "dicom-storage-scp");
    assert!(
        archive.contains(&PatientData::Transmits) && archive.contains(&PatientData::Stores),
        "{archive:?}"
    );
    assert_eq!(signs(Attribute::Role, "dicom-storage-scu"), [PatientData::Transmits]);
    assert_eq!(signs(Attribute::CleartextPatientData, "dicom-object"), [PatientData::Transmits]);
    assert_eq!(signs(Attribute::Role, "dicom-scu"), []);
    assert_eq!(signs(Attribute::Role, "router"), []);
}

#[test]
fn device_type_codes_and_modalities_tell_many_kinds() {
    let knowledge = builtin();
    let kind = |attribute, value| {
        let evidence = Evidence::new(vec![said(Field::Stated(attribute), value)], vec![], 0);
        knowledge.classify(&evidence).device_type
    };
    for (code, expected) in [
        ("70041", "anaesthesia workstation"),
        ("70001", "ventilator"),
        ("69797", "electrocardiograph"),
        ("528388", "pulse oximeter"),
        ("528401", "glucose meter"),
        ("528403", "insulin pump"),
    ] {
        assert_eq!(kind(Attribute::DeviceTypeCode, code), expected, "{code}");
    }
    for (modality, expected) in [
        ("RF", "fluoroscopy system"),
        ("DX", "X-ray system"),
        ("PX", "dental X-ray system"),
        ("ES", "endoscopy system"),
        ("BMD", "bone densitometer"),
        ("SM", "slide scanner"),
        ("PT", "PET scanner"),
        ("HD", "haemodynamic recording system"),
    ] {
        assert_eq!(kind(Attribute::DicomModality, modality), expected, "{modality}");
    }
}

#[test]
fn a_hospital_states_its_own() {
    let knowledge = over(
        r#"
        [[type]]
        name = "hyperbaric chamber"
        category = "medical"
        subcategory = "respiration"
        criticality = "life-supporting"
        consequence = "Patients cannot be brought out."
        mobility = "fixed"
        [[model]]
        family = "IntelliVue MX"
        manufacturer = "Philips"
        starts_with = ["IntelliVue MX"]
        example = "IntelliVue MX800"
        [[model]]
        family = "IntelliVue"
        manufacturer = "Philips"
        starts_with = ["IntelliVue MP"]
        example = "IntelliVue MP70"
        "#,
    )
    .expect("a sound pack");
    assert_eq!(
        knowledge.clinical_facts("hyperbaric chamber").and_then(|facts| facts.criticality),
        Some(Criticality::LifeSupporting)
    );
    let family = |model| knowledge.model_family("Philips", model).map(|found| found.family.as_str());
    assert_eq!(
        (family("IntelliVue MX800"), family("IntelliVue MP70")),
        (Some("IntelliVue MX"), Some("IntelliVue"))
    );
}

#[test]
fn mistakes_are_refused_with_entry_and_key() {
    let new = |line: &str| format!("[[type]]\nname = \"t\"\ncategory = \"medical\"\n{line}");
    let model = |line: &str| format!("[[model]]\nfamily = \"F\"\nmanufacturer = \"Philips\"\n{line}");
    for (text, parts) in [
        (new("product_code = \"JAK\""), ["type \"t\"", "fda_class", "with `product_code`"]),
        (new("fda_class = \"2\""), ["type \"t\"", "product_code", "with `fda_class`"]),
        (new("product_code = \"jak\"\nfda_class = \"2\""), ["type \"t\"", "product_code", "capital"]),
        (new("product_code = \"JAK\"\nfda_class = \"4\""), ["type \"t\"", "fda_class", "unclassified"]),
        (new("criticality = \"grave\""), ["type \"t\"", "criticality", "life-supporting"]),
        (new("mobility = \"flying\""), ["type \"t\"", "mobility", "portable"]),
        (new("consequence = \"\""), ["type \"t\"", "consequence", "octets"]),
        (model("starts_with = [\"F\"]\nexample = \"G\""), ["model \"F\"", "example", "does not match"]),
        (model("example = \"F\""), ["model \"F\"", "starts_with", "must be given"]),
        (
            model("starts_with = [\"IntelliVue\"]\nexample = \"IntelliVue MX800\""),
            ["model \"F\"", "example", "taken for \"IntelliVue\""],
        ),
        (
            model("starts_with = [\"F\"]\nexample = \"F1\"\ncounterexample = \"F2\""),
            ["model \"F\"", "counterexample", "matches"],
        ),
        (
            model("starts_with = [\"F\"]\nexample = \"F\"\ntype = \"toaster\""),
            ["model \"F\"", "type", "toaster"],
        ),
        (
            "[[patient_data]]\nid = \"p\"\ndoes = []\nconfidence = 50\nbecause = \"b\"\n\
             when = [{ attribute = \"model\" }]\nexample = [{ attribute = \"model\", value = \"X\" }]"
                .to_owned(),
            ["patient_data \"p\"", "does", "at least one"],
        ),
    ] {
        let message = over(&text).expect_err("a pack with a mistake").to_string();
        for part in parts {
            assert!(message.contains(part), "{message:?} does not say {part:?}");
        }
    }
}

/// The FDA's classification: code, class and name of each product.
fn classification() -> Option<BTreeMap<String, (String, String)>> {
    let data = env::var_os("WARDWATCH_TEST_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let bytes = fs::read(data.join("feeds/fda/foiclass.txt")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let product = |line: &str| {
        let mut fields = line.split('|').skip(2).map(str::to_owned);
        let (code, name, class) = (fields.next()?, fields.next()?, fields.next()?);
        Some((code, (class, name)))
    };
    Some(text.lines().skip(1).filter_map(product).collect())
}

#[test]
#[expect(clippy::print_stdout, reason = "whether a product's name fits its type is for people to see")]
fn product_codes_are_the_fdas_and_so_are_their_classes() {
    let Some(known) = classification() else {
        let reason = "needs feeds/fda/foiclass.txt in WARDWATCH_TEST_DATA";
        return wardwatch_skip::skip!("product_codes_are_the_fdas_and_so_are_their_classes", reason);
    };
    assert!(known.len() > 6000, "{} products", known.len());
    let knowledge = builtin();
    let of_types =
        knowledge.types().into_iter().filter_map(|(name, facts)| Some((name, facts.product.as_ref()?)));
    let of_models = knowledge
        .model_families()
        .iter()
        .filter_map(|family| Some((family.family.as_str(), family.product.as_ref()?)));
    for (name, (code, class)) in of_types.chain(of_models) {
        let Some((letter, product)) = known.get(code) else { panic!("{name}: no product code {code}") };
        let stated = match class {
            FdaClass::Unclassified => "U",
            class => class.name(),
        };
        println!("{name}: {code} class {letter}, {product}");
        assert_eq!(stated, letter, "{name}: {code}");
    }
}
