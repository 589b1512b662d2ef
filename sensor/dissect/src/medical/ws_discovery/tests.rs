//! Announcements, searches and answers, of both versions.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::UDP;
use crate::test_flow::TestFlow;

const UUID: &str = "urn:uuid:72313cab-7352-51c9-8373-8b4031a66ec7";

/// An envelope with this body; prefixes are those of one stack, and tell nothing.
fn envelope(body: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?>\n<s12:Envelope xmlns:s12=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:wsd=\"{}\" xmlns:wsa=\"{}\"><s12:Header><wsa:To>urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01</wsa:To>\
         <wsa:ReplyTo><wsa:Address>urn:uuid:00000000-0000-0000-0000-000000000001</wsa:Address></wsa:ReplyTo>\
         <wsa:MessageID>urn:uuid:00000000-0000-0000-0000-000000000002</wsa:MessageID></s12:Header>\
         <s12:Body>{body}</s12:Body></s12:Envelope>",
        message::NAMESPACES[0],
        "http://www.w3.org/2005/08/addressing"
    )
}

fn hello(addresses: &str) -> String {
    envelope(&format!("<wsd:Hello>{}</wsd:Hello>", target(addresses)))
}

fn target(addresses: &str) -> String {
    format!(
        "<wsa:EndpointReference><wsa:Address>{UUID}</wsa:Address></wsa:EndpointReference>\
         <wsd:Types xmlns:ns0=\"http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01\" \
         xmlns:ns1=\"http://standards.ieee.org/downloads/11073/11073-20702-2016\">ns0:Device ns1:MedicalDevice</wsd:Types>\
         <wsd:Scopes>sdc.ctxt.loc:/sdc.ctxt.loc.detail/HOSP%2F%2F%2FICU2%2F%2FB7?fac=HOSP&amp;poc=ICU2&amp;bed=B7 \
         sdc.ctxt.pat:/1.2.3/4711</wsd:Scopes><wsd:XAddrs>{addresses}</wsd:XAddrs><wsd:MetadataVersion>1</wsd:MetadataVersion>"
    )
}

/// What is said of a medical device, about this subject.
fn device(whom: &str) -> Vec<String> {
    [
        "role ws-discovery-target",
        "role sdc-provider",
        "endpoint_uuid 72313cab-7352-51c9-8373-8b4031a66ec7",
        "ws_discovery_type Device",
        "ws_discovery_type MedicalDevice",
        "institution HOSP",
        "department ICU2",
        "location HOSP/ICU2/B7",
    ]
    .map(|line| format!("{whom} {line}"))
    .to_vec()
}

#[test]
fn a_medical_device_announces_itself() {
    let flow = TestFlow::new(UDP).datagram(FromInitiator, hello("https://192.0.2.1:6464/x").as_bytes());
    assert_eq!(flow.conversation.protocol(), Protocol::WsDiscovery);
    assert_eq!(flow.said(), device("sender 192.0.2.1"));
    // Without an address it is whoever sends.
    let flow = TestFlow::new(UDP).datagram(FromInitiator, hello("").as_bytes());
    assert_eq!(flow.said(), device("sender 192.0.2.1"));
}

#[test]
fn who_answers_for_others_says_it_of_them() {
    let flow = TestFlow::new(UDP)
        .datagram(FromInitiator, hello("http://[2001:db8::7]:80/ http://host-7/").as_bytes());
    let mut expected = device("third 2001:db8::7");
    expected.insert(5, "third 2001:db8::7 host_name host-7".to_owned());
    assert_eq!(flow.said(), expected);
    // Two in one answer, and neither says where it is.
    let matches = format!("<wsd:ProbeMatch>{}</wsd:ProbeMatch>", target("")).repeat(2);
    let answer = envelope(&format!("<wsd:ProbeMatches>{matches}</wsd:ProbeMatches>"));
    let flow = TestFlow::new(UDP).datagram(FromResponder, answer.as_bytes());
    let named = device("third 192.0.2.2 endpoint=72313cab-7352-51c9-8373-8b4031a66ec7");
    assert_eq!(flow.said(), [named.clone(), named].concat());
}

#[test]
fn who_searches_is_a_client_and_what_it_searches_for_is_nothing() {
    let probe = envelope(
        "<wsd:Probe><wsd:Types xmlns:m=\"http://standards.ieee.org/downloads/11073/11073-20702-2016\">m:MedicalDevice</wsd:Types></wsd:Probe>",
    );
    let flow = TestFlow::new(UDP).datagram(FromInitiator, probe.as_bytes());
    assert_eq!(
        flow.said(),
        ["sender 192.0.2.1 role ws-discovery-client", "sender 192.0.2.1 role sdc-consumer"]
    );
    let resolve = envelope(&format!(
        "<wsd:Resolve><wsa:EndpointReference><wsa:Address>{UUID}</wsa:Address></wsa:EndpointReference></wsd:Resolve>"
    ));
    let flow = TestFlow::new(UDP).datagram(FromInitiator, resolve.as_bytes());
    assert_eq!(flow.said(), ["sender 192.0.2.1 role ws-discovery-client"]);
}

#[test]
fn a_type_of_the_same_name_elsewhere_is_no_medical_device() {
    let other = hello("").replace("11073-20702-2016", "of-somebody-else");
    let flow = TestFlow::new(UDP).datagram(FromInitiator, other.as_bytes());
    assert_eq!(flow.values(Attribute::Role), ["ws-discovery-target"]);
}

#[test]
fn cameras_speak_the_draft() {
    let camera = "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
        xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\"><e:Header/>\
        <e:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:0A1B2C3D-0000-1000-8000-4419B6000001</a:Address>\
        </a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/hardware/IPC-122</d:Scopes>\
        <d:XAddrs>http://192.0.2.2/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>";
    let flow = TestFlow::new(UDP).datagram(FromResponder, camera.as_bytes());
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.2 role ws-discovery-target",
            "sender 192.0.2.2 endpoint_uuid 0a1b2c3d-0000-1000-8000-4419b6000001",
            "sender 192.0.2.2 ws_discovery_type NetworkVideoTransmitter",
            "sender 192.0.2.2 model IPC-122",
        ]
    );
}

#[test]
fn other_documents_and_text_are_not_for_us() {
    for other in [
        "<Envelope/>",
        "NOTIFY * HTTP/1.1\r\n\r\n",
        "<x>http://schemas.xmlsoap.org/ws/2005/04/discovery</x>",
        "",
    ] {
        let flow = TestFlow::new(UDP).datagram(FromInitiator, other.as_bytes());
        assert_ne!(flow.conversation.protocol(), Protocol::WsDiscovery, "{other}");
    }
}

#[test]
fn declared_entities_and_endless_depth_say_nothing() {
    let entity = hello("").replacen('\n', "<!DOCTYPE x [<!ENTITY a \"bb\">]>", 1);
    assert!(TestFlow::new(UDP).datagram(FromInitiator, entity.as_bytes()).said().is_empty());
    let deep = envelope(&format!("{}{}", "<a>".repeat(5000), target("")));
    assert!(TestFlow::new(UDP).datagram(FromInitiator, deep.as_bytes()).said().is_empty());
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), at in 0_usize..1500, byte in any::<u8>()) {
        TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, &bytes);
        let mut hello = hello("http://192.0.2.1/x").into_bytes();
        if let Some(place) = hello.get_mut(at) {
            *place = byte;
        }
        let flow = TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, &hello);
        prop_assert!(!flow.said().iter().any(|line| line.contains("4711")));
        let cut = hello.get(..at).unwrap_or_default();
        TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, cut);
    }
}
