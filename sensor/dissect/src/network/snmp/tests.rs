//! Managers and agents, in messages written by the standards.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::TestFlow;

const CANDIDATES: &[Candidate] = &[CANDIDATE];

const GET: u8 = 0xA0;
const RESPONSE: u8 = 0xA2;
const TRAP_V1: u8 = 0xA4;
const INFORM: u8 = 0xA6;
const TRAP: u8 = 0xA7;
const REPORT: u8 = 0xA8;

fn flow() -> TestFlow {
    TestFlow::new(CANDIDATES)
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = (contents.len() as u16).to_be_bytes();
    [&[tag, 0x82][..], &length, &contents].concat()
}

fn text(text: &str) -> Vec<u8> {
    tlv(ber::OCTET_STRING, &[text.as_bytes()])
}

fn number(number: u8) -> Vec<u8> {
    tlv(ber::INTEGER, &[&[number]])
}

/// A name behind MIB-2, and a value.
fn binding(name: &[u8], value: &[u8]) -> Vec<u8> {
    bound(&[&[0x2B, 6, 1, 2, 1], name].concat(), value)
}

fn bound(name: &[u8], value: &[u8]) -> Vec<u8> {
    tlv(ber::SEQUENCE, &[&tlv(ber::OBJECT_IDENTIFIER, &[name]), value])
}

fn pdu(kind: u8, bindings: &[Vec<u8>]) -> Vec<u8> {
    let bindings = tlv(ber::SEQUENCE, &[&bindings.concat()]);
    tlv(kind, &[&number(7), &number(0), &number(0), &bindings])
}

fn message(version: u8, community: &str, pdu: &[u8]) -> Vec<u8> {
    tlv(ber::SEQUENCE, &[&number(version), &text(community), pdu])
}

fn v2c(kind: u8, bindings: &[Vec<u8>]) -> Vec<u8> {
    message(1, "secret", &pdu(kind, bindings))
}

/// RFC 3412, 6: `data` is a scoped PDU or what became of it.
fn v3(flags: u8, engine: &[u8], data: &[u8]) -> Vec<u8> {
    let header =
        tlv(ber::SEQUENCE, &[&number(1), &number(100), &tlv(ber::OCTET_STRING, &[&[flags]]), &number(3)]);
    let engine = tlv(ber::OCTET_STRING, &[engine]);
    let user = tlv(ber::SEQUENCE, &[&engine, &number(0), &number(0), &text("jdoe"), &text(""), &text("")]);
    tlv(ber::SEQUENCE, &[&number(3), &header, &tlv(ber::OCTET_STRING, &[&user]), data])
}

fn scoped(context: &[u8], pdu: &[u8]) -> Vec<u8> {
    tlv(ber::SEQUENCE, &[&tlv(ber::OCTET_STRING, &[context]), &text(""), pdu])
}

const ENGINE: &[u8] = &[0x80, 0, 0, 9, 3, 0x00, 0x09, 0xFB, 1, 2, 3];

fn system() -> Vec<Vec<u8>> {
    vec![
        binding(&[1, 1, 0], &text("Linux pump-7 4.4.0-31-generic #50-Ubuntu SMP")),
        binding(&[1, 2, 0], &tlv(ber::OBJECT_IDENTIFIER, &[&[0x2B, 6, 1, 4, 1, 0xBF, 0x08, 3, 2, 10]])),
        binding(&[1, 4, 0], &text("Dr Jane Doe")),
        binding(&[1, 5, 0], &text("Pump-7.ward.example")),
        binding(&[1, 6, 0], &text("ICU 2, Room 4")),
    ]
}

#[test]
fn an_agent_tells_its_system_group_and_never_the_contact() {
    let flow =
        flow().datagram(FromInitiator, &v2c(GET, &[])).datagram(FromResponder, &v2c(RESPONSE, &system()));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 weak_protocol snmpv2c",
            "sender 192.0.2.1 role snmp-manager",
            "sender 192.0.2.2 weak_protocol snmpv2c",
            "sender 192.0.2.2 role snmp-agent",
            "sender 192.0.2.2 operating_system Linux",
            "sender 192.0.2.2 operating_system_version 4.4.0-31-generic",
            "sender 192.0.2.2 system_description Linux pump-7 4.4.0-31-generic #50-Ubuntu SMP",
            "sender 192.0.2.2 sys_object_id 1.3.6.1.4.1.8072.3.2.10",
            "sender 192.0.2.2 host_name pump-7.ward.example",
            "sender 192.0.2.2 location ICU 2, Room 4",
            "sender 192.0.2.2 cleartext_credential snmp-community",
        ]
    );
}

#[test]
fn a_community_of_the_manual_counts_once_an_agent_answers_to_it() {
    let asked = flow().datagram(FromInitiator, &message(0, "public", &pdu(GET, &[])));
    assert_eq!(asked.said(), ["sender 192.0.2.1 weak_protocol snmpv1", "sender 192.0.2.1 role snmp-manager"]);
    for (community, defaults) in [("public", 1), ("private", 1), ("Public", 0), ("radiology", 0), ("", 0)] {
        let answered = flow().datagram(FromResponder, &message(0, community, &pdu(RESPONSE, &[])));
        assert_eq!(answered.values(Attribute::DefaultCredential).len(), defaults, "{community}");
        assert_eq!(answered.values(Attribute::CleartextCredential).len(), usize::from(!community.is_empty()));
    }
}

#[test]
fn the_chassis_tells_maker_model_and_serial_number_and_modules_do_not() {
    let entity =
        |column, index: &[u8], value: &[u8]| binding(&[&[47, 1, 1, 1, 1, column], index].concat(), value);
    // 1001 in groups of seven bits.
    let (stack, chassis, module) = (&[1][..], &[0x87, 0x69][..], &[0x87, 0x6A][..]);
    let classes =
        [entity(5, stack, &number(11)), entity(5, chassis, &number(3)), entity(5, module, &number(9))];
    let units = [
        entity(11, stack, &text("STACK1")),
        entity(11, chassis, &text("FDO1234X0AB")),
        entity(11, module, &text("MOD99")),
        entity(12, chassis, &text("Acme")),
        entity(13, chassis, &text("WS-C3750")),
    ];
    // A walk brings one column after the other, in datagrams of their own.
    let flow = flow()
        .datagram(FromResponder, &v2c(RESPONSE, &classes))
        .datagram(FromResponder, &v2c(RESPONSE, &units));
    assert_eq!(flow.values(Attribute::SerialNumber), ["FDO1234X0AB"]);
    assert_eq!(flow.values(Attribute::Manufacturer), ["Acme"]);
    assert_eq!(flow.values(Attribute::Model), ["WS-C3750"]);
}

#[test]
fn printers_and_power_supplies_tell_what_they_are() {
    let printer_type = tlv(ber::OBJECT_IDENTIFIER, &[&[0x2B, 6, 1, 2, 1, 25, 3, 1, 5]]);
    let printer = [
        binding(&[25, 3, 2, 1, 3, 2], &text("Intel CPU")),
        binding(&[25, 3, 2, 1, 3, 1], &text("LaserWriter 9")),
        binding(&[25, 3, 2, 1, 2, 1], &printer_type),
        binding(&[43, 5, 1, 1, 17, 1], &text("PRT0042")),
    ];
    let flow = flow().datagram(FromResponder, &v2c(RESPONSE, &printer));
    assert_eq!(flow.values(Attribute::Model), ["LaserWriter 9"]);
    assert_eq!(flow.values(Attribute::SerialNumber), ["PRT0042"]);
    let ups =
        [binding(&[33, 1, 1, 1, 0], &text("Acme Power")), binding(&[33, 1, 1, 3, 0], &text("UPS 05.0"))];
    let flow = flow.datagram(FromResponder, &v2c(RESPONSE, &ups));
    assert_eq!(flow.values(Attribute::Manufacturer), ["Acme Power"]);
    assert_eq!(flow.values(Attribute::FirmwareVersion), ["UPS 05.0"]);
}

#[test]
fn hardware_addresses_are_those_that_makers_give_and_not_too_many() {
    let address = |index, mac: &[u8]| binding(&[2, 2, 1, 6, index], &tlv(ber::OCTET_STRING, &[mac]));
    let mut told = vec![
        address(1, &[]),
        address(2, &[2, 0x42, 1, 2, 3, 4]),
        address(3, &[0, 0, 0x5E, 0, 1, 7]),
        address(4, &[0; 6]),
        address(5, &[0, 9, 0xFB, 1, 2, 3]),
    ];
    let flow_of = |told: &[Vec<u8>]| flow().datagram(FromResponder, &v2c(RESPONSE, told));
    assert_eq!(flow_of(&told).values(Attribute::MacAddress), ["00:09:fb:01:02:03"]);
    told.extend((1..100).map(|n| address(n, &[0, 9, 0xFB, 1, 3, n])));
    assert_eq!(flow_of(&told).values(Attribute::MacAddress).len(), 16);
}

#[test]
fn a_trap_of_version_1_is_about_the_agent_in_it() {
    let trap = |agent: [u8; 4]| {
        let enterprise = tlv(ber::OBJECT_IDENTIFIER, &[&[0x2B, 6, 1, 4, 1, 9]]);
        let address = tlv(ber::IP_ADDRESS, &[&agent]);
        let time = tlv(ber::TIME_TICKS, &[&[1]]);
        let bindings = tlv(ber::SEQUENCE, &[&binding(&[1, 5, 0], &text("pump-9"))]);
        message(0, "c", &tlv(TRAP_V1, &[&enterprise, &address, &number(6), &number(1), &time, &bindings]))
    };
    let relayed = flow().datagram(FromInitiator, &trap([10, 0, 0, 9]));
    assert_eq!(
        relayed.said(),
        [
            "sender 192.0.2.1 weak_protocol snmpv1",
            "third 10.0.0.9 role snmp-agent",
            "third 10.0.0.9 enterprise_number 9",
            "third 10.0.0.9 host_name pump-9",
            "sender 192.0.2.1 cleartext_credential snmp-community",
        ]
    );
    for own in [[192, 0, 2, 1], [0, 0, 0, 0]] {
        let said = flow().datagram(FromInitiator, &trap(own)).said();
        assert!(said.contains(&"sender 192.0.2.1 host_name pump-9".to_owned()), "{said:?}");
    }
}

#[test]
fn a_notification_names_its_maker_by_that_makers_objects() {
    let object = |number: &[u8]| bound(&[&[0x2B, 6, 1, 4, 1], number, &[2, 1]].concat(), &text("down"));
    let event = bound(
        &[0x2B, 6, 1, 6, 3, 1, 1, 4, 1, 0],
        &tlv(ber::OBJECT_IDENTIFIER, &[&[0x2B, 6, 1, 4, 1, 0x82, 0x3E, 0, 1]]),
    );
    let numbers = |kind, bindings: &[Vec<u8>]| {
        let flow = flow().datagram(FromInitiator, &v2c(kind, bindings));
        flow.values(Attribute::EnterpriseNumber).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(numbers(TRAP, &[object(&[9]), object(&[9])]), ["9"]);
    assert_eq!(numbers(INFORM, std::slice::from_ref(&event)), ["318"]);
    assert_eq!(numbers(TRAP, &[object(&[9]), event]), [""; 0], "two makers'");
    assert_eq!(numbers(TRAP, &[object(&[0xBF, 0x08]), object(&[9])]), ["9"], "Net-SNMP's are every system's");
    assert_eq!(numbers(RESPONSE, &[object(&[9])]), [""; 0], "somebody asked for it");
    assert_eq!(numbers(TRAP, &[object(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF])]), [""; 0]);
}

#[test]
fn who_answers_an_inform_is_a_manager() {
    let flow =
        flow().datagram(FromInitiator, &v2c(INFORM, &[])).datagram(FromResponder, &v2c(RESPONSE, &system()));
    assert_eq!(flow.values(Attribute::Role), ["snmp-agent", "snmp-manager"]);
    assert!(flow.values(Attribute::HostName).is_empty());
    assert_eq!(flow_of_trap().values(Attribute::Role), ["snmp-agent"]);
}

fn flow_of_trap() -> TestFlow {
    flow().datagram(FromInitiator, &v2c(TRAP, &[]))
}

#[test]
fn an_engine_names_its_maker_even_when_the_rest_is_encrypted() {
    let encrypted = tlv(ber::OCTET_STRING, &[&[0xAB; 40]]);
    let flow = flow()
        .datagram(FromInitiator, &v3(7, ENGINE, &encrypted))
        .datagram(FromResponder, &v3(3, ENGINE, &encrypted));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role snmp-manager",
            "sender 192.0.2.2 enterprise_number 9",
            "sender 192.0.2.2 mac_address 00:09:fb:01:02:03",
            "sender 192.0.2.2 role snmp-agent",
        ]
    );
}

#[test]
fn a_proxy_is_not_the_engine_that_it_speaks_for() {
    let answer = |context| v3(0, ENGINE, &scoped(context, &pdu(RESPONSE, &system())));
    assert_eq!(
        flow().datagram(FromResponder, &answer(ENGINE)).values(Attribute::HostName),
        ["pump-7.ward.example"]
    );
    assert!(
        flow()
            .datagram(FromResponder, &answer(&[0x80, 0, 0, 9, 5, 1]))
            .values(Attribute::HostName)
            .is_empty()
    );
}

#[test]
fn an_unknown_user_or_a_wrong_digest_is_a_refused_log_in() {
    let report = |what| {
        let counter = tlv(0x41, &[&[1]]);
        v3(
            0,
            ENGINE,
            &scoped(ENGINE, &pdu(REPORT, &[bound(&[0x2B, 6, 1, 6, 3, 15, 1, 1, what, 0], &counter)])),
        )
    };
    for (what, refusals) in [(2, 0), (3, 1), (4, 0), (5, 1)] {
        let flow = flow().datagram(FromResponder, &report(what));
        assert_eq!(flow.values(Attribute::FailedLogin).len(), refusals, "{what}");
    }
}

#[test]
fn what_is_cut_or_longer_or_of_another_version_is_not_this_protocol() {
    let whole = v2c(RESPONSE, &system());
    for length in 0..whole.len() {
        let cut = whole.get(..length).unwrap_or_default();
        assert_eq!(flow().datagram(FromInitiator, cut).conversation.protocol(), Protocol::Unspecified);
    }
    // An LDAP message: an id where the version is, and an operation behind it.
    let ldap = tlv(ber::SEQUENCE, &[&number(1), &tlv(0x60, &[&number(3), &text(""), &[0x80, 0]])]);
    for other in [[&whole[..], &[0]].concat(), message(2, "c", &pdu(GET, &[])), ldap] {
        assert_eq!(flow().datagram(FromInitiator, &other).conversation.protocol(), Protocol::Unspecified);
    }
}

proptest! {
    #[test]
    fn mutated_messages_neither_panic_nor_tell_the_user_nor_the_community(
        at in any::<prop::sample::Index>(), octet in any::<u8>(), secured in any::<bool>(),
    ) {
        let mut bytes = if secured {
            v3(0, ENGINE, &scoped(ENGINE, &pdu(RESPONSE, &system())))
        } else {
            v2c(RESPONSE, &system())
        };
        let at = at.index(bytes.len());
        bytes[at] = octet;
        let flow = flow().datagram(FromResponder, &v2c(RESPONSE, &[])).datagram(FromResponder, &bytes);
        let said = format!("{:?}", flow.statements);
        prop_assert!(!said.contains("jdoe") && !said.contains("secret"), "{said}");
    }

    #[test]
    fn arbitrary_octets_are_not_taken_for_this_protocol(octets in prop::collection::vec(any::<u8>(), 0..80)) {
        let flow = flow().datagram(FromInitiator, &octets);
        prop_assert!(octets.first() == Some(&0x30) || flow.said().is_empty());
    }
}
