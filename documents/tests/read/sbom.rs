//! Bills of materials of one product in every format say the same, and what is wrong in them is told with its place.

use wardwatch_documents::Error;
use wardwatch_documents::sbom::{Component, DEEPEST, MOST_COMPONENTS, Sbom, read};

const CYCLONEDX_JSON: &str = include_str!("fixtures/monitor.cdx.json");
const CYCLONEDX_XML: &str = include_str!("fixtures/monitor.cdx.xml");
const SPDX_JSON: &str = include_str!("fixtures/monitor.spdx.json");
const SPDX_TAG_VALUE: &str = include_str!("fixtures/monitor.spdx");

fn sbom(text: &str) -> Sbom {
    read(text.as_bytes()).expect("a document that can be read")
}

fn names(sbom: &Sbom) -> Vec<String> {
    let line = |of: &Component| format!("{} {} {} {}", of.depth, of.kind, of.name, of.version);
    sbom.components.iter().map(line).collect()
}

fn losses(sbom: &Sbom) -> Vec<String> {
    sbom.losses.listed.iter().map(|loss| format!("{}: {}", loss.place, loss.reason)).collect()
}

#[test]
fn cyclonedx_in_json_is_read_and_its_broken_parts_are_told() {
    let sbom = sbom(CYCLONEDX_JSON);
    assert_eq!((sbom.format.as_str(), sbom.made.as_str()), ("CycloneDX 1.5", "2025-03-01T08:00:00Z"));
    let subject = [&sbom.subject.supplier, &sbom.subject.name, &sbom.subject.version];
    assert_eq!(subject, ["Larkfield Monitors", "LM-200", "4.2.1"]);
    assert_eq!(
        names(&sbom),
        [
            "0 device LM-200 4.2.1",
            "1 operating-system debian 11",
            "2 library org.openssl/openssl 1.1.1k",
            "1 firmware wireless module 7.0",
            "1 device WL-18 radio ",
        ]
    );
    let openssl = &sbom.components[2];
    assert_eq!(openssl.parent, Some(1));
    assert_eq!(openssl.purl, "pkg:deb/debian/openssl@1.1.1k");
    assert_eq!(openssl.licence, "OpenSSL AND Apache-2.0 OR MIT");
    assert_eq!(openssl.hashes, ["SHA-256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"]);
    assert_eq!(sbom.components[1].cpe, "cpe:2.3:o:debian:debian_linux:11:*:*:*:*:*:*:*");
    assert_eq!(sbom.components[4].supplier, "Example Radios");
    assert_eq!(
        losses(&sbom),
        [
            "components[0].components[0].hashes[1]: it is no digest, or one of too many",
            "components[3]: it has no name",
            "components[4]: it is no object",
            "components[5]: it holds control characters",
        ]
    );
}

#[test]
fn cyclonedx_in_xml_says_what_it_says_in_json() {
    let (xml, json) = (sbom(CYCLONEDX_XML), sbom(CYCLONEDX_JSON));
    assert_eq!(xml.format, "CycloneDX 1.6");
    assert_eq!(xml.components, json.components);
    assert_eq!((xml.subject, xml.made), (json.subject, json.made));
    assert_eq!(xml.losses.count, 0);
}

#[test]
fn a_prefixed_name_space_is_one() {
    let text = r#"<b:bom xmlns:b="http://cyclonedx.org/schema/bom/1.4"><b:components><b:component type="library">
        <b:name>a&amp;b &#x41;<![CDATA[<c>]]></b:name></b:component></b:components></b:bom>"#;
    let sbom = sbom(text);
    assert_eq!(sbom.format, "CycloneDX 1.4");
    assert_eq!(names(&sbom), ["0 library a&b A<c> "]);
}

#[test]
fn spdx_is_read_in_both_forms() {
    let (json, tags) = (sbom(SPDX_JSON), sbom(SPDX_TAG_VALUE));
    assert_eq!((json.format.as_str(), tags.format.as_str()), ("SPDX 2.3", "SPDX 2.2"));
    assert_eq!(
        names(&json),
        ["0 device LM-200 4.2.1", "1 operating-system debian 11", "2 library openssl 1.1.1k"]
    );
    // SPDX 2.2 knows no purposes.
    assert_eq!(names(&tags), ["0  LM-200 4.2.1", "1  debian 11", "2  openssl 1.1.1k"]);
    assert_eq!(json.subject, tags.subject);
    assert_eq!(json.subject.supplier, "Larkfield Monitors");
    for sbom in [&json, &tags] {
        let openssl = &sbom.components[2];
        assert_eq!((openssl.supplier.as_str(), openssl.licence.as_str()), ("OpenSSL", "OpenSSL"));
        assert_eq!(openssl.cpe, "cpe:2.3:a:openssl:openssl:1.1.1k:*:*:*:*:*:*:*");
        assert_eq!(openssl.purl, "pkg:deb/debian/openssl@1.1.1k");
        assert_eq!(openssl.hashes.len(), 1);
        assert!(openssl.hashes[0].starts_with("SHA-256:2c26"), "{:?}", openssl.hashes);
    }
    assert_eq!(losses(&json), ["packages[3]: it has no name"]);
    assert_eq!(losses(&tags), ["line 29: it is no external reference", "line 33: it is no tag with a value"]);
}

/// Both were written by spdx-tools 0.8 (of the SPDX project) from one invented product, and validated by it.
#[test]
fn what_another_program_wrote_is_read() {
    let [tags, json] =
        [include_str!("fixtures/spdx-tools.spdx"), include_str!("fixtures/spdx-tools.spdx.json")].map(sbom);
    assert_eq!(tags, json);
    assert_eq!(
        names(&json),
        ["0 device LM-200 4.2.1", "1 operating-system debian 11", "2 library openssl 1.1.1k"]
    );
    assert_eq!(json.subject.supplier, "Larkfield");
    assert_eq!(json.components[2].licence, "MIT AND Apache-2.0");
    assert_eq!(json.components[2].hashes.len(), 2);
    assert_eq!(json.losses.count, 0);
}

#[test]
fn packages_in_a_ring_are_all_listed_once() {
    let text = "SPDXVersion: SPDX-2.3\nPackageName: a\nSPDXID: SPDXRef-a\nPackageName: b\nSPDXID: SPDXRef-b\n\
        Relationship: SPDXRef-a CONTAINS SPDXRef-b\nRelationship: SPDXRef-b CONTAINS SPDXRef-a\n";
    assert_eq!(names(&sbom(text)), ["0  a ", "1  b "]);
}

#[test]
fn what_cannot_be_read_says_what_and_where() {
    let cases: [(&str, &str); 10] = [
        ("", "none of the formats"),
        ("{\"a\": 1}", "none of the formats"),
        ("{\n\"bomFormat\": ", "line 2"),
        (r#"{"bomFormat": "CycloneDX", "specVersion": "1.2"}"#, "these can: 1.4, 1.5, 1.6"),
        (r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": 7}"#, "components: it is no list"),
        (r#"{"bomFormat": "CycloneDX", "specVersion": "1.5"}"#, "no component that can be used"),
        (r#"{"spdxVersion": "SPDX-3.0"}"#, "these can: SPDX-2.2, SPDX-2.3"),
        ("<html/>", "no `bom` of CycloneDX"),
        ("<!DOCTYPE bom [<!ENTITY a 'aaaa'>]><bom>&a;</bom>", "document type is not allowed"),
        ("SPDXVersion: SPDX-2.3\nPackageComment: <text>never ends", "line 2: its <text> does not end"),
    ];
    for (text, expected) in cases {
        let error = read(text.as_bytes()).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let cut = CYCLONEDX_XML.split_once("wireless").expect("a part").0;
    assert!(read(cut.as_bytes()).expect_err("cut").to_string().starts_with("line 2"));
    assert!(matches!(read(&[b'{', 0xff]), Err(Error::Malformed { .. })));
}

#[test]
fn too_much_of_anything_is_refused_or_left_out() {
    let part = r#"{"name":"a"},"#;
    let many = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}{{"name":"z"}}]}}"#,
        part.repeat(MOST_COMPONENTS)
    );
    assert_eq!(read(many.as_bytes()), Err(Error::TooMany { what: "components", most: MOST_COMPONENTS }));
    let nested = |levels: usize| {
        let open = r#"{"name":"a","components":["#.repeat(levels);
        format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{open}{}]}}"#,
            "]}".repeat(levels)
        )
    };
    let deep = sbom(&nested(30));
    assert_eq!(deep.components.len(), DEEPEST as usize + 1);
    assert_eq!(deep.losses.listed[0].reason, "components are contained too deep");
    assert!(matches!(read(nested(10_000).as_bytes()), Err(Error::Malformed { .. })));
    let deep = format!("<bom xmlns='http://cyclonedx.org/schema/bom/1.5'>{}", "<a>".repeat(10_000));
    assert!(matches!(read(deep.as_bytes()), Err(Error::Malformed { .. })));
    let huge = vec![b' '; wardwatch_documents::LARGEST_FILE + 1];
    assert_eq!(read(&huge), Err(Error::TooLarge(huge.len())));
}
