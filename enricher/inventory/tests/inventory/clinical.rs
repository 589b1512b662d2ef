//! What a device is to a patient: by its type, its model, and what it was seen to do.

use wardwatch_inventory::{DeviceRecord, Why};
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::ward::{Site, arp, says};

fn reasons<'a>(record: &'a DeviceRecord, field: &str) -> Vec<&'a Why> {
    record.why.iter().filter(|why| why.field == field).collect()
}

fn scanner() -> Site {
    let mut site = Site::new();
    site.hears([
        arp("a1", "10.0.0.7"),
        says("a1@10.0.0.7", Attribute::DicomModality, "CT", Protocol::Dicom),
        says("a1@10.0.0.7", Attribute::Role, "dicom-storage-scu", Protocol::Dicom),
        says("a1@10.0.0.7", Attribute::Manufacturer, "SIEMENS", Protocol::Dicom),
        says("a1@10.0.0.7", Attribute::Model, "SOMATOM Definition AS+", Protocol::Dicom),
    ]);
    site
}

#[test]
fn a_type_brings_its_clinical_facts_along_each_with_a_reason() {
    let record = scanner().device("10.0.0.7");
    assert_eq!(record.device_type, "CT scanner");
    for (field, value) in [
        ("type_family", "imaging modality"),
        ("model_family", "SOMATOM Definition"),
        ("product_code", "JAK"),
        ("fda_class", "2"),
        ("criticality", "diagnostic"),
        ("mobility", "fixed"),
    ] {
        assert_eq!(record.detail(field), value, "{field}");
        let why = reasons(&record, field);
        assert!(why.iter().any(|why| why.value == value && why.confidence >= 30), "{field}: {why:?}");
    }
    assert!(record.detail("consequence_of_failure").contains("Strokes"));
    assert_eq!(reasons(&record, "criticality")[0].evidence, "its type is CT scanner");
}

#[test]
fn a_device_of_no_known_type_has_none() {
    let mut site = Site::new();
    site.hears([arp("a1", "10.0.0.7"), says("a1@10.0.0.7", Attribute::Model, "X1", Protocol::Dicom)]);
    let record = site.device("10.0.0.7");
    for field in ["type_family", "model_family", "product_code", "criticality", "mobility", "phi_stores"] {
        assert_eq!(record.detail(field), "", "{field}");
        assert!(record.gaps.iter().any(|gap| *gap.field == *field), "{field}");
    }
}

#[test]
fn a_person_knows_better_and_can_take_it_back() {
    let mut site = scanner();
    let device = site.device("10.0.0.7");
    site.decides(&device, "criticality", "supportive").expect("a field that can be overridden");
    site.decides(&device, "phi_stores", "no").expect("a field that can be overridden");
    let record = site.device("10.0.0.7");
    assert_eq!((record.detail("criticality"), record.detail("phi_stores")), ("supportive", "no"));
    assert_eq!(reasons(&record, "criticality")[0].statement, "a person decided so");
    assert!(reasons(&record, "criticality").iter().any(|why| why.value == "diagnostic"), "rivals are shown");
    assert_eq!(record.details.iter().filter(|detail| detail.field == "criticality").count(), 1);
    site.decides(&device, "criticality", "").expect("an override that stands");
    assert_eq!(site.device("10.0.0.7").detail("criticality"), "diagnostic");
}

#[test]
fn a_type_that_a_person_states_brings_its_facts_along() {
    let mut site = Site::new();
    site.hears([arp("a1", "10.0.0.7")]);
    site.decides(&site.device("10.0.0.7"), "type", "ventilator").expect("a field that can be overridden");
    let record = site.device("10.0.0.7");
    assert_eq!((record.detail("criticality"), record.detail("product_code")), ("life-supporting", "CBK"));
}

#[test]
fn a_class_is_its_codes_and_the_fdas_table_renews_it() {
    let mut site = scanner();
    let device = site.device("10.0.0.7");
    let class = |site: &Site| site.device("10.0.0.7").detail("fda_class").to_owned();
    site.decides(&device, "product_code", "QZX").expect("a field that can be overridden");
    assert_eq!(class(&site), "", "what fits a CT scanner is not the class of another code");
    site.learns(
        r#"
        version = "2025-11"
        [fda_products]
        JAK = ["3", "892.1750", "System, X-Ray, Tomography, Computed"]
        QZX = ["1", "", "Valve"]
        "#,
    );
    assert_eq!(class(&site), "1");
    let record = site.device("10.0.0.7");
    let why = reasons(&record, "fda_class")[0];
    assert_eq!((why.evidence.as_str(), why.confidence), ("Valve", 100), "the code is a person's");
    site.decides(&device, "product_code", "").expect("an override that stands");
    let record = site.device("10.0.0.7");
    let why = reasons(&record, "fda_class")[0];
    assert_eq!((record.detail("product_code"), why.value.as_str()), ("JAK", "3"));
    assert_eq!(why.evidence, "System, X-Ray, Tomography, Computed (21 CFR 892.1750)");
    assert_eq!(why.statement, "the FDA's table says so of product code JAK");
    assert!(why.confidence < 100, "that the code fits is no more sure than before");
}

#[test]
fn who_sends_images_transmits_patient_data_and_who_takes_them_keeps_it() {
    let record = scanner().device("10.0.0.7");
    assert_eq!((record.detail("phi_transmits"), record.detail("phi_stores")), ("yes", "yes"));
    assert!(reasons(&record, "phi_transmits")[0].evidence.contains("dicom-storage-scu"), "{record:#?}");
    assert_eq!(reasons(&record, "phi_stores")[0].evidence, "its type is CT scanner");

    let mut site = Site::new();
    site.hears([says("a2@10.0.0.8", Attribute::Role, "dicom-query-scp", Protocol::Dicom)]);
    let archive = site.device("10.0.0.8");
    let stores = reasons(&archive, "phi_stores");
    assert!(stores[0].evidence.contains("dicom-query-scp") && stores.len() == 2, "{stores:?}");
}

#[test]
fn patient_data_in_clear_is_the_surest_sign() {
    let mut site = scanner();
    site.hears([says("a1@10.0.0.7", Attribute::CleartextPatientData, "dicom-object", Protocol::Dicom)]);
    let record = site.device("10.0.0.7");
    let why = reasons(&record, "phi_transmits");
    assert_eq!(
        (why[0].confidence, why[0].evidence.as_str()),
        (99, "cleartext_patient_data dicom-object (dicom)")
    );
}

#[test]
fn what_keeps_no_patient_data_says_no_and_what_is_not_known_says_nothing() {
    let mut site = Site::new();
    site.hears([
        says("a1@10.0.0.7", Attribute::BacnetInstance, "1234", Protocol::Bacnet),
        says("a2@10.0.0.8", Attribute::Role, "bcc-pump", Protocol::Bcc),
    ]);
    let (controller, pump) = (site.device("10.0.0.7"), site.device("10.0.0.8"));
    assert_eq!((controller.detail("phi_stores"), controller.detail("phi_transmits")), ("no", ""));
    assert_eq!(pump.device_type, "infusion pump");
    assert_eq!(pump.detail("phi_stores"), "", "it depends on the model");
}
