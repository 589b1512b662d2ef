//! Risk: what is found, what adds to the score.

use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Fact, Protocol};

use crate::ward::{DAY, NEW_YEAR, SECOND, Site, events, flow, observation, says};

fn password(at: u64) -> Fact {
    observation(
        at,
        Role::Sender,
        "a1@10.0.0.1",
        "",
        Attribute::CleartextCredential,
        "http-basic",
        Protocol::Http,
    )
}

#[test]
fn a_finding_is_told_with_its_peer_once_and_again_after_a_day() {
    let mut site = Site::new();
    let told = site.hears([flow("a1@10.0.0.1", "a2@10.0.0.2", Protocol::Http), password(NEW_YEAR)]);
    assert_eq!(
        events(&told),
        ["appeared 10.0.0.1", "appeared 10.0.0.2", "finding 10.0.0.1 http-basic 10.0.0.2"]
    );
    let indices: Vec<u32> =
        told.events.iter().filter_map(|event| event.source.map(|source| source.index)).collect();
    assert_eq!(indices, [0, 1, 2]);
    let again = |at| [flow("a1@10.0.0.1", "a2@10.0.0.2", Protocol::Http), password(at)];
    assert!(site.hears(again(NEW_YEAR + SECOND)).events.is_empty());
    assert_eq!(events(&site.hears(again(NEW_YEAR + DAY))), ["finding 10.0.0.1 http-basic 10.0.0.2"]);
}

#[test]
fn another_peer_is_another_finding() {
    let mut site = Site::new();
    site.hears([flow("a1@10.0.0.1", "a2@10.0.0.2", Protocol::Http), password(NEW_YEAR)]);
    let told = site.hears([flow("a1@10.0.0.1", "fe@203.0.113.9", Protocol::Http), password(NEW_YEAR)]);
    assert!(
        events(&told).contains(&"finding 10.0.0.1 http-basic 203.0.113.9".to_owned()),
        "{:?}",
        events(&told)
    );
}

#[test]
fn the_score_is_the_sum_of_named_factors_with_their_evidence() {
    let mut site = Site::new();
    site.hears([
        flow("a1@10.0.0.1", "a2@10.0.0.2", Protocol::Dicom),
        flow("a1@10.0.0.1", "fe@203.0.113.9", Protocol::Tls),
        says("a1@10.0.0.1", Attribute::CleartextPatientData, "dicom-object", Protocol::Dicom),
        says("a1@10.0.0.1", Attribute::TlsVersion, "tls1.0", Protocol::Tls),
        says("a1@10.0.0.1", Attribute::TlsVersion, "tls1.3", Protocol::Tls),
    ]);
    let record = site.device("a1");
    let factors: Vec<_> = record
        .factors
        .iter()
        .map(|factor| (factor.name.as_str(), factor.points, factor.evidence.as_str()))
        .collect();
    assert_eq!(
        factors,
        [
            ("Patient data in clear", 25, "cleartext_patient_data dicom-object (dicom)"),
            (
                "Medical device talks to the internet",
                20,
                "category medical; tls to an address outside the site"
            ),
            ("Clinical protocol without encryption", 15, "category medical; dicom to a device of the site"),
            ("Deprecated TLS version", 10, "tls_version tls1.0 (tls)"),
        ]
    );
    assert_eq!(record.score, 70);
    assert!(record.factors.iter().all(|factor| !factor.remedy.is_empty() && !factor.explanation.is_empty()));
}

#[test]
fn an_expired_certificate_is_judged_by_the_time_on_the_wire() {
    let shown = |at| {
        let mut site = Site::new();
        let certificate = observation(
            at,
            Role::Sender,
            "a1@10.0.0.1",
            "",
            Attribute::CertificateNotAfter,
            "2025-01-10",
            Protocol::Tls,
        );
        let told = site.hears([certificate]);
        (site.device("a1").score, told.events.len())
    };
    assert_eq!(shown(NEW_YEAR), (0, 1));
    assert_eq!(shown(NEW_YEAR + 10 * DAY), (10, 2));
}

#[test]
fn a_factor_goes_when_its_evidence_is_old() {
    let mut site = Site::new();
    site.hears([password(NEW_YEAR)]);
    assert_eq!(site.device("a1").score, 25);
    let later = observation(
        NEW_YEAR + 40 * DAY,
        Role::Sender,
        "a1@10.0.0.1",
        "",
        Attribute::Model,
        "X1",
        Protocol::Dicom,
    );
    let told = site.hears([later]);
    assert_eq!(site.device("a1").score, 0);
    assert!(events(&told).contains(&"changed X1 score: 25 > 0".to_owned()), "{:?}", events(&told));
}
