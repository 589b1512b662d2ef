//! The built-in pack, and what is refused in a hospital's own.

use std::fs;

use wardwatch_knowledge::{DicomRoot, Evidence, Field, Knowledge, KnowledgeError, Said, Source, Spoken};
use wardwatch_proto::name::protocols;
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

fn builtin() -> Knowledge {
    Knowledge::builtin().expect("the built-in pack is checked by this test")
}

/// The built-in pack with one file laid over it.
fn with(text: &str) -> Result<Knowledge, KnowledgeError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("ours.toml"), text).expect("a writable folder");
    Knowledge::with(folder.path())
}

fn refusal(text: &str) -> String {
    with(text).expect_err("a pack with a mistake").to_string()
}

fn said(attribute: Attribute, value: &str, protocol: Protocol) -> Said<'_> {
    Said { field: Field::Stated(attribute), value, protocol, told_by: Role::Sender, last_seen: 0 }
}

#[test]
fn every_rule_and_factor_of_the_built_in_pack_holds_its_example() {
    // Loading checks them; a rule that does not is an error that names it.
    assert!(builtin().version().starts_with("20"));
}

#[test]
fn a_maker_has_one_name_however_it_is_spelled() {
    let knowledge = builtin();
    for (spelling, protocol, name) in [
        ("GE MEDICAL SYSTEMS", Protocol::Dicom, "GE HealthCare"),
        ("G.E. Medical Systems", Protocol::Dicom, "GE HealthCare"),
        ("Phillips Medical", Protocol::Hl7, "Philips"),
        ("Philips Medical Systems, Inc.", Protocol::Dicom, "Philips"),
        ("Draeger", Protocol::Hl7, "Dräger"),
        ("SIEMENS", Protocol::Dicom, "Siemens Healthineers"),
        ("Siemens", Protocol::Bacnet, "Siemens"),
    ] {
        assert_eq!(knowledge.manufacturer(spelling, protocol), Some(name), "{spelling}");
    }
    assert_eq!(knowledge.manufacturer("Acme", Protocol::Dicom), None);
}

#[test]
fn mac_prefixes_are_matched_at_24_28_and_36_bits() {
    let knowledge = builtin();
    let maker = |mac| knowledge.registered(mac).map(|registered| registered.manufacturer.as_str());
    assert_eq!(maker([0x00, 0x09, 0xfb, 1, 2, 3]), Some("Philips"));
    assert_eq!(maker([0x50, 0xa0, 0x30, 0x8f, 0, 1]), Some("GE HealthCare"));
    assert_eq!(maker([0x50, 0xa0, 0x30, 0x7f, 0, 1]), None, "another assignee of the same 24 bits");
    assert_eq!(maker([0x70, 0xb3, 0xd5, 0x20, 0xc0, 1]), Some("Siemens Healthineers"));
    assert_eq!(maker([0x70, 0xb3, 0xd5, 0x20, 0xd0, 1]), None);
    assert_eq!(maker([0x02, 0x09, 0xfb, 1, 2, 3]), None, "locally administered");
}

#[test]
fn dicom_roots_match_whole_arcs_and_tell_software_from_maker() {
    let knowledge = builtin();
    assert_eq!(
        knowledge.dicom_root("1.2.840.113619.6.1"),
        Some(&DicomRoot::Manufacturer("GE HealthCare".into()))
    );
    assert_eq!(knowledge.dicom_root("1.2.840.1136190.6"), None);
    assert_eq!(
        knowledge.dicom_root("1.2.276.0.7230010.3.0.3.6.7"),
        Some(&DicomRoot::Software("DCMTK".into()))
    );
}

#[test]
fn a_clinical_protocol_beats_a_banner_and_that_beats_a_mac_prefix() {
    let knowledge = builtin();
    let trust = |source, role| knowledge.trust(Attribute::Manufacturer, source, role);
    let dicom = trust(Source::Protocol(Protocol::Dicom), Role::Sender);
    let told = trust(Source::Protocol(Protocol::Dicom), Role::Third);
    let banner = trust(Source::Protocol(Protocol::Http), Role::Sender);
    let prefix = trust(Source::MacPrefix, Role::Sender);
    assert!(dicom.rank < told.rank && told.rank < banner.rank && banner.rank < prefix.rank);
    assert!(dicom.confidence > told.confidence && banner.confidence > prefix.confidence);
    assert!(prefix.confidence < 30, "a guess is labelled as one");
}

#[test]
fn every_protocol_of_the_contract_has_its_place_and_beats_a_mac_prefix() {
    let knowledge = builtin();
    for protocol in protocols() {
        let trust = |attribute| knowledge.trust(attribute, Source::Protocol(protocol), Role::Sender);
        let guess = knowledge.trust(Attribute::Manufacturer, Source::MacPrefix, Role::Sender);
        assert!(
            trust(Attribute::Manufacturer).rank < guess.rank,
            "{protocol:?} is believed less than a guess"
        );
        assert!(trust(Attribute::Manufacturer).confidence > guess.confidence, "{protocol:?}");
        assert!(
            trust(Attribute::Model).rank < 1000,
            "{protocol:?} has no place in the order of everything else"
        );
    }
}

#[test]
fn a_devices_own_trade_beats_its_management_and_that_beats_a_banner() {
    let knowledge = builtin();
    let rank = |protocol| knowledge.trust(Attribute::Model, Source::Protocol(protocol), Role::Sender).rank;
    for own in [Protocol::Intellivue, Protocol::Bcc, Protocol::EthernetIp, Protocol::KnxnetIp] {
        for managed in [Protocol::Snmp, Protocol::Lldp, Protocol::Upnp] {
            for banner in [Protocol::Http, Protocol::Ftp, Protocol::Telnet] {
                assert!(rank(own) < rank(managed) && rank(managed) < rank(banner));
            }
        }
    }
    // What binds an address to the hardware that has it, and what may come from another interface or a router.
    assert!(
        [Protocol::Arp, Protocol::Dhcp, Protocol::Icmpv6, Protocol::ProfinetDcp].map(|p| knowledge.binds(p))
            == [true; 4]
    );
    assert!([Protocol::Dhcpv6, Protocol::Lldp, Protocol::Radius].map(|p| knowledge.binds(p)) == [false; 3]);
}

#[test]
fn what_is_assigned_to_one_maker_names_it() {
    let knowledge = builtin();
    for (attribute, value, maker) in [
        (Attribute::Role, "intellivue-monitor", Some("Philips")),
        (Attribute::Role, "intellivue-client", None),
        (Attribute::CipVendorId, "1", Some("Rockwell Automation")),
        (Attribute::EnterpriseNumber, "9", Some("Cisco")),
        (Attribute::EnterpriseNumber, "311", None),
        (Attribute::SysObjectId, "1.3.6.1.4.1.9.1.516", Some("Cisco")),
        (Attribute::SysObjectId, "1.3.6.1.4.1.90.1", None),
        (Attribute::SysObjectId, "1.3.6.1.2.1.9", None),
        (Attribute::Model, "9", None),
        // By what it begins with, whatever the case.
        (Attribute::OrderNumber, "6es7 315-2EH14-0AB0", Some("Siemens")),
        (Attribute::OrderNumber, "750-881", None),
        (Attribute::Model, "iMac11,3", Some("Apple")),
        (Attribute::OperatingSystem, "Cisco IOS Software", Some("Cisco")),
        (Attribute::OperatingSystem, "Cis\u{e9}o", None),
    ] {
        assert_eq!(knowledge.assigned(attribute, value), maker, "{attribute:?} {value}");
    }
    assert_eq!(knowledge.assigned_protocol(Protocol::Ubiquiti), Some("Ubiquiti"));
    assert_eq!(knowledge.assigned_protocol(Protocol::Snmp), None);
    let assigned = knowledge.trust(Attribute::Manufacturer, Source::Assigned, Role::Sender);
    let said =
        |protocol| knowledge.trust(Attribute::Manufacturer, Source::Protocol(protocol), Role::Sender).rank;
    assert!(said(Protocol::Dicom) < assigned.rank && assigned.rank < said(Protocol::Http));
}

#[test]
fn roles_of_many_kinds_of_devices_are_told_apart() {
    let knowledge = builtin();
    let kind = |facts: &[(Attribute, &'static str, Protocol)]| {
        let said =
            facts.iter().map(|(attribute, value, protocol)| said(*attribute, value, *protocol)).collect();
        knowledge.classify(&Evidence::new(said, vec![], 0)).device_type
    };
    let role = |value, protocol| (Attribute::Role, value, protocol);
    // An IP telephone has a switch in it, and a layer 3 switch routes.
    assert_eq!(kind(&[role("bridge", Protocol::Lldp), role("telephone", Protocol::Lldp)]), "telephone");
    assert_eq!(kind(&[role("bridge", Protocol::Stp), role("root-bridge", Protocol::Stp)]), "switch");
    assert_eq!(kind(&[role("bridge", Protocol::Stp), role("router", Protocol::Icmpv6)]), "router");
    // Two controllers that talk to each other are no management stations.
    assert_eq!(
        kind(&[role("s7-server", Protocol::S7comm), role("s7-client", Protocol::S7comm)]),
        "industrial controller"
    );
    assert_eq!(kind(&[role("poct1-device", Protocol::Poct1)]), "point-of-care analyser");
    // A monitor that runs on Windows is a monitor.
    assert_eq!(
        kind(&[
            role("intellivue-monitor", Protocol::Intellivue),
            role("rdp-server", Protocol::Rdp),
            (Attribute::OperatingSystem, "Windows", Protocol::Rdp),
        ]),
        "patient monitor"
    );
    assert_eq!(kind(&[(Attribute::UpnpType, "upnp:rootdevice", Protocol::Ssdp)]), "");
}

#[test]
fn narrow_evidence_narrows_the_type_and_every_reason_is_given() {
    let knowledge = builtin();
    let evidence = Evidence::new(
        vec![
            said(Attribute::DicomSopClass, "1.2.840.10008.5.1.4.31", Protocol::Dicom),
            said(Attribute::DicomModality, "CT", Protocol::Dicom),
        ],
        vec![],
        0,
    );
    let found = knowledge.classify(&evidence);
    assert_eq!(
        (found.category.as_str(), found.subcategory.as_str(), found.device_type.as_str()),
        ("medical", "imaging", "CT scanner")
    );
    assert!(found.confidence >= 80, "what speaks for the broader type does not speak against it");
    assert!(found.reasons.iter().any(|reason| {
        reason.because == "proposes the modality worklist, so it is an imaging modality"
            && reason.evidence == "dicom_sop_class 1.2.840.10008.5.1.4.31 (dicom)"
    }));

    let unopposed =
        Evidence::new(vec![said(Attribute::HttpServer, "Microsoft-IIS/10.0", Protocol::Http)], vec![], 0);
    assert_eq!(knowledge.classify(&unopposed).device_type, "server", "nothing speaks for any other computer");

    let broad = Evidence::new(
        vec![said(Attribute::DicomSopClass, "1.2.840.10008.5.1.4.31", Protocol::Dicom)],
        vec![],
        0,
    );
    assert_eq!(knowledge.classify(&broad).device_type, "imaging modality");
    assert_eq!(knowledge.classify(&Evidence::default()), wardwatch_knowledge::Classification::default());
}

#[test]
fn a_certificate_is_judged_against_the_day_it_was_seen() {
    const DAY: u64 = 86_400 * 1_000_000_000;
    let knowledge = builtin();
    let certificate = |day: u64| Said {
        last_seen: day * DAY,
        ..said(Attribute::CertificateNotAfter, "2020-01-01", Protocol::Tls)
    };
    // 2020-01-01 is day 18262.
    assert!(!knowledge.is_finding(&certificate(18262)));
    assert!(knowledge.is_finding(&certificate(18263)));
}

#[test]
fn every_weak_protocol_is_a_finding_and_counts_once() {
    use wardwatch_proto::attribute::{TLS_VERSIONS, WEAK_PROTOCOLS};
    let knowledge = builtin();
    for value in WEAK_PROTOCOLS {
        let weak = said(Attribute::WeakProtocol, value, Protocol::Smb);
        // A version of TLS is stated as such, and is a finding as such.
        let is_tls = TLS_VERSIONS.contains(value) && !value.starts_with("dtls");
        assert_eq!(knowledge.is_finding(&weak), !is_tls, "{value}");
        let version = said(Attribute::TlsVersion, value, Protocol::Tls);
        assert!(!is_tls || knowledge.is_finding(&version), "{value}");
    }
    for (attribute, value) in [
        (Attribute::DefaultCredential, "telnet"),
        (Attribute::ExecutableTransfer, "elf"),
        (Attribute::CovertChannel, "dns-records"),
        (Attribute::Amplifier, "ntp-control"),
        (Attribute::NetworkSweep, "tcp-hosts"),
        (Attribute::AddressConflict, "10.0.0.1"),
    ] {
        assert!(knowledge.is_finding(&said(attribute, value, Protocol::Dns)), "{value}");
    }
    // One refusal is a slip of the finger.
    assert!(!knowledge.is_finding(&said(Attribute::FailedLogin, "ssh", Protocol::Ssh)));
}

#[test]
fn old_evidence_no_longer_counts_for_the_score() {
    const DAY: u64 = 86_400 * 1_000_000_000;
    let knowledge = builtin();
    let names = |newest: u64| -> Vec<String> {
        let spoken =
            Spoken { protocol: Protocol::Hl7, initiated: true, internet: false, last_seen: 100 * DAY };
        let mut evidence = Evidence::new(
            vec![Said {
                last_seen: 100 * DAY,
                ..said(Attribute::CleartextCredential, "http-basic", Protocol::Http)
            }],
            vec![spoken],
            newest,
        );
        evidence.add(Said {
            field: Field::Category,
            value: "medical",
            protocol: Protocol::Unspecified,
            told_by: Role::Sender,
            last_seen: newest,
        });
        knowledge.judge(&evidence).into_iter().map(|held| held.factor.name.clone()).collect()
    };
    assert_eq!(names(101 * DAY), ["Clear-text credential", "Clinical protocol without encryption"]);
    assert!(names(200 * DAY).is_empty());
}

#[test]
fn a_hospital_lays_its_own_pack_over_the_built_in_one() {
    let knowledge = with(
        r#"
        version = "north-3"
        [[manufacturer]]
        name = "Acme"
        makes = "medical"
        spellings = ["Acme Pumps"]
        [mac_prefixes]
        "00:09:fb" = "Acme"
        [[rule]]
        id = "modality-ct"
        category = "it"
        confidence = 10
        because = "we know better"
        when = [{ attribute = "dicom_modality", exact = "CT" }]
        example = [{ attribute = "dicom_modality", protocol = "dicom", value = "CT" }]
        "#,
    )
    .expect("a sound pack");
    assert!(knowledge.version().ends_with("+north-3"));
    assert_eq!(knowledge.registered([0, 9, 0xfb, 0, 0, 1]).map(|r| r.makes.as_str()), Some("medical"));
    assert_eq!(knowledge.manufacturer("ACME PUMPS GmbH", Protocol::Dicom), Some("Acme"));
    let evidence = Evidence::new(vec![said(Attribute::DicomModality, "CT", Protocol::Dicom)], vec![], 0);
    assert_eq!(knowledge.classify(&evidence).category, "it");
}

#[test]
fn mistakes_are_refused_with_file_entry_and_key() {
    let rule = |line: &str| {
        format!(
            "[[rule]]\nid = \"ours\"\ncategory = \"medical\"\nconfidence = 50\nbecause = \"b\"\n\
             example = [{{ attribute = \"model\", value = \"X1\" }}]\n{line}"
        )
    };
    for (text, parts) in [
        ("[[rulez]]", vec!["ours.toml", "rulez", "unknown"]),
        ("rule = 3", vec!["ours.toml", "[[rule]]"]),
        ("x = ", vec!["ours.toml", "not valid TOML"]),
        (&rule("when = [{ attribute = \"modell\" }]"), vec!["rule \"ours\"", "when[0].attribute", "modell"]),
        (
            &rule("when = [{ attribute = \"model\", exakt = \"X\" }]"),
            vec!["rule \"ours\"", "when[0]", "exakt"],
        ),
        (&rule("when = [{ attribute = \"model\", regex = \"(\" }]"), vec!["when[0].regex"]),
        (
            &rule("when = [{ attribute = \"model\", exact = \"X1\", prefix = \"X\" }]"),
            vec!["when[0].prefix", "cannot stand beside exact"],
        ),
        (
            &rule("when = [{ attribute = \"role\", exact = \"toaster\" }]"),
            vec!["when[0].exact", "never be a value of role"],
        ),
        (&rule("when = [{ attribute = \"model\", past = true }]"), vec!["when[0].past", "no date"]),
        (
            &rule("when = [{ attribute = \"model\", exact = \"Y2\" }]"),
            vec!["rule \"ours\"", "example", "does not match"],
        ),
        (
            &rule(
                "when = [{ attribute = \"model\" }]\ncounterexample = [{ attribute = \"model\", value = \"Z\" }]",
            ),
            vec!["counterexample", "matches the rule"],
        ),
        (&rule("when = []"), vec!["rule \"ours\"", "when"]),
        (
            "[[third_key]]\nkind = \"x\"\nparts = [\"model\"]\nneeds = 1\nsame_by = [\"serial_number\"]",
            vec!["third_key \"x\"", "same_by"],
        ),
        ("[[teller]]\nkind = \"Unit 1\"", vec!["teller \"Unit 1\"", "kind"]),
        ("[[teller]]\nkind = \"x\"\nnever_for = [\"toaster\"]", vec!["teller \"x\"", "never_for", "toaster"]),
        (
            "[[teller]]\nkind = \"x\"\nagrees = [{ own = \"colour\", told = \"model\" }]",
            vec!["teller \"x\"", "agrees.own", "colour"],
        ),
        ("[mac_prefixes]\n\"00:09\" = \"Philips\"", vec!["mac_prefixes", "00:09"]),
        ("[mac_prefixes]\n\"00:09:fb\" = \"Nobody\"", vec!["00:09:fb", "Nobody"]),
        ("[assigned.cip_vendor_id]\n1 = \"Nobody\"", vec!["cip_vendor_id.1", "Nobody"]),
        ("[assigned.role]\ntoaster = \"Philips\"", vec!["role.toaster", "never be a value of role"]),
        ("[bacnet_vendors]\nx = \"Trane\"", vec!["bacnet_vendors", "number"]),
        ("[[dicom_root]]\nroot = \"1.2\"", vec!["dicom_root \"1.2\"", "manufacturer"]),
        ("[[type]]\nname = \"a\"\nis = \"b\"", vec!["type \"a\"", "is", "\"b\""]),
        ("[[type]]\nname = \"imaging modality\"\nis = \"CT scanner\"", vec!["leads back"]),
    ] {
        let message = refusal(text);
        for part in parts {
            assert!(message.contains(part), "{message:?} does not say {part:?}");
        }
    }
}

#[test]
fn a_complete_serial_number_means_the_same_device_whoever_tells_of_it() {
    let knowledge = builtin();
    assert_eq!(
        knowledge.same_by("serial=Acme|X1|42"),
        Some(vec![(Attribute::Model, "X1"), (Attribute::SerialNumber, "42")])
    );
    assert_eq!(knowledge.same_by("ae=CT1"), Some(vec![(Attribute::DicomAeTitle, "CT1")]));
    assert_eq!(
        knowledge.same_by("udi=00844588003288|42|"),
        Some(vec![(Attribute::UdiDi, "00844588003288"), (Attribute::SerialNumber, "42")])
    );
    assert_eq!(knowledge.same_by("serial=||42"), None, "two makers may both count to 42");
    assert_eq!(knowledge.same_by("udi=00844588003288||"), None, "a product is not a unit");
    assert_eq!(knowledge.same_by("duid=00010001"), Some(vec![(Attribute::DhcpDuid, "00010001")]));
    assert_eq!(
        knowledge.same_by("bcc=42"),
        Some(vec![]),
        "told by two servers, one pump; no other maker's device"
    );
    for behind in ["slot=3", "modbus=3", "cip=0102", "hart=a1b2c3d4e5", "serial-port=7|Evita 2"] {
        assert_eq!(knowledge.same_by(behind), None, "{behind}");
    }
    assert_eq!(knowledge.same_by("nonsense"), None);
}

#[test]
fn a_device_may_be_what_it_tells_of_under_some_kinds_of_keys() {
    let knowledge = builtin();
    assert_eq!(knowledge.teller("modbus=1").map(|teller| teller.agrees.len()), Some(0));
    let analyser = knowledge.teller("analyser=XN-1000.11803").expect("an entry of the pack");
    assert!(analyser.agrees.contains(&(Attribute::EquipmentId, Attribute::SerialNumber)));
    assert_eq!(analyser.never_for, ["gateway"]);
    for other in ["hl7=P77|", "serial=Acme|X1|42", "modbus", "nonsense=1"] {
        assert_eq!(knowledge.teller(other), None, "{other}");
    }
    for bearing in
        [Attribute::EquipmentId, Attribute::Hl7Application, Attribute::Role, Attribute::SerialNumber]
    {
        assert!(knowledge.bears_on_tellers(bearing), "{bearing:?}");
    }
    assert!(!knowledge.bears_on_tellers(Attribute::HostName));
}

#[test]
fn a_missing_folder_is_named() {
    let message = Knowledge::with("/nonexistent/pack".as_ref()).expect_err("nothing to read").to_string();
    assert!(message.contains("/nonexistent/pack"), "{message}");
}
