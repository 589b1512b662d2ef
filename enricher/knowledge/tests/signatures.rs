//! Signatures: what they say, what is refused, and what they never do.

use proptest::prelude::*;
use wardwatch_knowledge::{Derived, Evidence, Field, Knowledge, Said};
use wardwatch_proto::v1::subject::Role;
use wardwatch_proto::v1::{Attribute, Protocol};

fn builtin() -> Knowledge {
    Knowledge::builtin().expect("the built-in pack")
}

fn said(attribute: Attribute, value: &str, protocol: Protocol) -> Said<'_> {
    Said { field: Field::Stated(attribute), value, protocol, told_by: Role::Sender, last_seen: 0 }
}

fn ours(text: &str) -> Knowledge {
    builtin().over("ours", &format!("version = \"1\"\n{text}")).expect("a pack that can be used")
}

fn refusal(text: &str) -> String {
    let refused = builtin().over("ours", &format!("version = \"1\"\n{text}"));
    refused.expect_err("a pack with a mistake").to_string()
}

/// What the signature of this id says of the device that said this.
fn derived<'a>(knowledge: &'a Knowledge, said: &Said<'_>, id: &str) -> Option<Derived<'a>> {
    knowledge.derive(said).into_iter().find(|derived| derived.signature == id)
}

const REALM: &str = r#"
[[signature]]
id = "acme"
when = { attribute = "http_realm", protocol = "http", regex = '^ACME ([A-Z]+-[0-9]+)(?: v([0-9.]+))?(?: (.+))?$' }
says = { manufacturer = "GE MEDICAL SYSTEMS", model = "Pump $1", firmware_version = "${2}", serial_number = "$3", type = "infusion pump" }
confidence = 60
example = { attribute = "http_realm", protocol = "http", value = "ACME X-1 v7.2" }
counterexample = { attribute = "http_realm", protocol = "http", value = "ACME" }
expect = { manufacturer = "GE MEDICAL SYSTEMS", model = "Pump X-1", firmware_version = "7.2", type = "infusion pump" }
"#;

#[test]
fn groups_stand_in_values_and_makers_go_by_one_name() {
    let knowledge = ours(REALM);
    let values = |value: &str| {
        let said = said(Attribute::HttpRealm, value, Protocol::Http);
        derived(&knowledge, &said, "acme").map(|derived| derived.values)
    };
    let maker = (Attribute::Manufacturer, "GE HealthCare".to_owned());
    assert_eq!(
        values("ACME X-1 v7.2"),
        Some(vec![
            (Attribute::FirmwareVersion, "7.2".to_owned()),
            maker.clone(),
            (Attribute::Model, "Pump X-1".to_owned())
        ])
    );
    // A group that found nothing leaves its value out.
    let model = (Attribute::Model, "Pump X-2".to_owned());
    assert_eq!(values("ACME X-2"), Some(vec![maker.clone(), model.clone()]));
    // So does a value that no sensor could send: what a capture has came from outside.
    assert_eq!(values("ACME X-2 Doe^Jane"), Some(vec![maker, model]));
    assert_eq!(values("acme X-1"), None);
    let elsewhere = said(Attribute::HttpRealm, "ACME X-1", Protocol::Sip);
    assert_eq!(derived(&knowledge, &elsewhere, "acme"), None);
}

#[test]
fn what_a_signature_says_of_the_kind_joins_the_rules() {
    let knowledge = ours(REALM);
    let kind = |facts: &[(Attribute, &'static str, Protocol, Role)]| {
        let said = facts.iter().map(|(attribute, value, protocol, told_by)| Said {
            told_by: *told_by,
            ..said(*attribute, value, *protocol)
        });
        knowledge.classify(&Evidence::new(said.collect(), vec![], 0))
    };
    let one = kind(&[(Attribute::HttpRealm, "ACME X-1", Protocol::Http, Role::Sender)]);
    assert_eq!(
        (one.category.as_str(), one.device_type.as_str(), one.confidence),
        ("medical", "infusion pump", 60)
    );
    assert_eq!(one.reasons[0].evidence, "http_realm ACME X-1 (http), by signature acme");
    // A signature counts once, however many values it reads.
    let two = kind(&[
        (Attribute::HttpRealm, "ACME X-1", Protocol::Http, Role::Sender),
        (Attribute::HttpRealm, "ACME X-2", Protocol::Http, Role::Sender),
    ]);
    assert_eq!((two.confidence, two.reasons.len()), (60, 1));
    // What another says counts for less.
    let told = kind(&[(Attribute::HttpRealm, "ACME X-1", Protocol::Http, Role::Third)]);
    assert_eq!(told.confidence, 42);
}

#[test]
fn signatures_that_read_the_same_value_are_one_reason() {
    let again = REALM.replace("\"acme\"", "\"acme-2\"").replace("confidence = 60", "confidence = 50");
    let knowledge = ours(&format!("{REALM}{again}"));
    let said = said(Attribute::HttpRealm, "ACME X-1", Protocol::Http);
    let found = knowledge.classify(&Evidence::new(vec![said], vec![], 0));
    assert_eq!((found.confidence, found.reasons.len()), (60, 1), "{:?}", found.reasons);
}

#[test]
fn of_a_series_only_the_first_that_matches_speaks() {
    let knowledge = ours(
        r#"
[[signature]]
id = "narrow"
series = "s"
when = { attribute = "http_server", prefix = "Acme/2" }
says = { model = "Two" }
confidence = 60
example = { attribute = "http_server", value = "Acme/2.1" }
[[signature]]
id = "says-nothing"
series = "s"
when = { attribute = "http_server", exact = "Acme/3" }
confidence = 60
example = { attribute = "http_server", value = "Acme/3" }
[[signature]]
id = "wide"
series = "s"
when = { attribute = "http_server", contains = "ACME" }
says = { model = "Any" }
confidence = 60
example = { attribute = "http_server", value = "Acme/1" }
[[signature]]
id = "of-none"
when = { attribute = "http_server", regex = "^Acme" }
says = { software_name = "Acme" }
confidence = 60
example = { attribute = "http_server", value = "Acme" }
"#,
    );
    let ids = |value: &str| -> Vec<String> {
        let derived = knowledge.derive(&said(Attribute::HttpServer, value, Protocol::Http));
        derived.iter().map(|derived| derived.signature.to_owned()).collect()
    };
    assert_eq!(ids("Acme/2.1"), ["narrow", "of-none"]);
    assert_eq!(ids("Acme/1"), ["wide", "of-none"]);
    assert_eq!(ids("Acme/3"), ["of-none"]);
    assert_eq!(ids("The acmé ACME"), ["wide"], "letters beyond ASCII are no hindrance");
}

#[test]
fn a_signature_of_the_same_id_replaces_the_earlier_one_wherever_it_looked() {
    let knowledge = ours(REALM);
    let moved =
        REALM.replace("http_realm", "http_server").replace("protocol = \"http\"", "protocol = \"rtsp\"");
    let knowledge =
        knowledge.over("more", &format!("version = \"2\"\n{moved}")).expect("a pack that can be used");
    assert_eq!(knowledge.signatures(), builtin().signatures() + 1);
    let realm = said(Attribute::HttpRealm, "ACME X-1", Protocol::Http);
    assert_eq!(derived(&knowledge, &realm, "acme"), None);
    let server = said(Attribute::HttpServer, "ACME X-1", Protocol::Rtsp);
    assert!(derived(&knowledge, &server, "acme").is_some());
}

#[test]
fn mistakes_are_refused_with_file_entry_and_key() {
    let with = |from: &str, to: &str| {
        assert!(REALM.contains(from), "{from}");
        refusal(&REALM.replace(from, to))
    };
    let at = "ours: signature \"acme\": ";
    let long = format!("'^ACME ({})'", "[^a]{1,1000}".repeat(400));
    for (refused, key) in [
        (with("'^ACME (", "'^ACME (("), "when.regex: "),
        (with("'^ACME ([A-Z]+-[0-9]+)(?: v([0-9.]+))?(?: (.+))?$'", &long), "when.regex: "),
        (with("id = \"acme\"", "id = \"acme\"\ncolour = \"red\""), "colour: unknown field"),
        (with("says = {", "says = { colour = \"red\","), "says.colour: unknown; known are type, category, "),
        (with("says = {", "says = { host_name = \"a\","), "says.host_name: unknown; known are"),
        (with("when = {", "when = { colour = \"red\","), "when.colour: unknown field"),
        (
            with("http_realm\", protocol = \"http\", regex", "realm\", protocol = \"http\", regex"),
            "when.attribute: ",
        ),
        (
            with("http_realm\", protocol = \"http\", regex", "maker\", protocol = \"http\", regex"),
            "when.attribute: ",
        ),
        (with("protocol = \"http\", regex", "protocol = \"hatp\", regex"), "when.protocol: "),
        (with("regex = ", "at_least = 2, regex = "), "when.at_least: "),
        (with("Pump $1", "Pump $4"), "says.model: the pattern has no group \"4\""),
        (with("Pump $1", "Pump ${name}"), "says.model: the pattern has no group \"name\""),
        (with("Pump $1", "Pump ${1"), "says.model: a brace is not closed"),
        (with("Pump $1", "Pump $"), "says.model: a group has a number or a name"),
        (with("\"infusion pump\" }\nc", "\"infusion device\" }\nc"), "says.type: no type is called"),
        (
            with("GE MEDICAL SYSTEMS\", model", "Doe^Jane\", model"),
            "says.manufacturer: \"Doe^Jane\" can never be",
        ),
        (with("confidence = 60", "confidence = 100"), "confidence: "),
        (with("ACME X-1 v7.2\" }", "ACME\" }"), "example: does not match"),
        (with("ACME X-1 v7.2\" }", "A|B\" }"), "example.value: "),
        (with("value = \"ACME\" }", "value = \"ACME X-1\" }"), "counterexample: matches"),
        (with("Pump X-1\"", "Pump X-2\""), "expect.model: the example gives \"Pump X-1\", not \"Pump X-2\""),
        (
            with("expect = {", "expect = { software_name = \"a\","),
            "expect.software_name: the example gives no such value",
        ),
        (with(", firmware_version = \"7.2\"", ""), "expect.firmware_version: must say what"),
        (refusal(&format!("{REALM}{REALM}")), "id: another signature of this file has it"),
        (with("regex = '^ACME ([A-Z]+-[0-9]+)(?: v([0-9.]+))?(?: (.+))?$'", "prefix = \"ACME\""), "says."),
    ] {
        assert!(refused.starts_with(&format!("{at}{key}")), "{refused}\nshould be at {key}");
    }
    assert!(refusal("[[signature]]\nid = \"empty\"").starts_with("ours: signature \"empty\": "));
    assert!(refusal("signature = 1").contains("must be written as [[signature]]"));
    let says_nothing = REALM.lines().filter(|line| !line.starts_with("says") && !line.starts_with("expect"));
    let refused = refusal(&says_nothing.collect::<Vec<_>>().join("\n"));
    assert!(refused.contains("says: must hold something"), "{refused}");
}

#[test]
fn what_hospitals_have_is_known() {
    let knowledge = builtin();
    assert!(knowledge.signatures() >= 80);
    for (attribute, protocol, value, wanted, of) in [
        (Attribute::HttpRealm, Protocol::Http, "AXIS_00408CBF0A12", Attribute::Manufacturer, "Axis"),
        (Attribute::DhcpVendorClass, Protocol::Dhcp, "udhcp 1.21.1", Attribute::OperatingSystem, "Linux"),
        (Attribute::DhcpVendorClass, Protocol::Dhcp, "Cisco AP c2700", Attribute::Model, "c2700"),
        (Attribute::HttpServer, Protocol::Http, "Microsoft-IIS/10.0", Attribute::OperatingSystem, "Windows"),
        (
            Attribute::SysObjectId,
            Protocol::Snmp,
            "1.3.6.1.4.1.8072.3.2.10",
            Attribute::OperatingSystem,
            "Linux",
        ),
        (Attribute::SoftwareName, Protocol::Ssh, "ROSSSH", Attribute::OperatingSystem, "RouterOS"),
        (Attribute::CertificateSubject, Protocol::Tls, "idrac-4XK7A2B", Attribute::SerialNumber, "4XK7A2B"),
        (Attribute::HostName, Protocol::Dns, "npi4a5b6c", Attribute::Manufacturer, "HP"),
    ] {
        let derived = knowledge.derive(&said(attribute, value, protocol));
        let found = derived
            .iter()
            .flat_map(|derived| &derived.values)
            .any(|(known, value)| *known == wanted && value == of);
        assert!(found, "{value}: {derived:?}");
    }
    // What anybody may have says nothing.
    for (attribute, value) in [
        (Attribute::HttpServer, "Acme-Pump-Web"),
        (Attribute::HttpRealm, "Restricted"),
        (Attribute::HostName, "ward7-pc3"),
        (Attribute::SystemDescription, "Acme gateway"),
    ] {
        assert_eq!(knowledge.derive(&said(attribute, value, Protocol::Http)), []);
    }
}

/// Pieces that packs are made of, so that what is put together comes close to one.
fn pack_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[[signature]]\n".to_owned()),
        Just("id = \"a\"\n".to_owned()),
        Just("version = \"1\"\n".to_owned()),
        Just("series = \"s\"\n".to_owned()),
        Just("when = { attribute = \"http_realm\", regex = '(a)(b)?' }\n".to_owned()),
        Just("confidence = 5\n".to_owned()),
        Just("example = { attribute = \"http_realm\", value = \"ab\" }\n".to_owned()),
        Just("expect = { model = \"a\" }\n".to_owned()),
        "says = \\{ (model|type|serial_number) = \"[a$1-3{}]{0,6}\" \\}\n",
        "when = \\{ attribute = \"http_realm\", (regex|exact|prefix|contains) = '[a-c()\\[\\]|*+?{}0-9^$\\\\]{0,12}' \\}\n",
        "[a-z_]{1,9} = (1|true|\"x\"|\\[\\]|\\{\\})\n",
        "[ -~\n]{0,8}",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever a pack is, it is used or refused; and what is used can be asked.
    #[test]
    fn no_pack_is_too_strange(text in prop_oneof![pack_like(), ".{0,200}"], value in "[ -~é]{0,40}") {
        thread_local!(static BUILTIN: Knowledge = builtin());
        BUILTIN.with(|builtin| {
            let _ = Knowledge::version_of("ours", &text);
            if let Ok(knowledge) = builtin.over("ours", &text) {
                let said = said(Attribute::HttpRealm, &value, Protocol::Http);
                let _ = knowledge.derive(&said);
                let _ = knowledge.classify(&Evidence::new(vec![said], vec![], 0));
            }
        });
    }
}
