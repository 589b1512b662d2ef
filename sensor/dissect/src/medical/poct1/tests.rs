//! Conversations of a device with its data manager.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::TCP;
use crate::test_flow::TestFlow;

const HELLO: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<HEL.R01><HDR><HDR.control_id V="7"/><HDR.version_id V="POCT1"/></HDR>
 <DEV><DEV.device_id V="0011223344556677"/><DEV.vendor_id V="ACME"/><DEV.model_id V="G1"/>
  <DEV.serial_id V="S9"/><DEV.manufacturer_name V="Acme &amp; Co"/><DEV.hw_version V="1"/><DEV.sw_version V="2.1"/>
  <DEV.device_name V="Jane's meter"/>
  <DCP><DCP.application_timeout V="60"/></DCP></DEV></HEL.R01>
"#;

const DEVICE: [&str; 7] = [
    "sender 192.0.2.1 role poct1-device",
    "sender 192.0.2.1 eui64 00:11:22:33:44:55:66:77",
    "sender 192.0.2.1 model G1",
    "sender 192.0.2.1 serial_number S9",
    "sender 192.0.2.1 manufacturer Acme & Co",
    "sender 192.0.2.1 hardware_version 1",
    "sender 192.0.2.1 software_version 2.1",
];

#[test]
fn a_device_introduces_itself_and_its_manager_asks() {
    let flow = TestFlow::new(TCP)
        .ask(HELLO.as_bytes())
        .answer(b"<ACK.R01><HDR><HDR.control_id V=\"1\"/></HDR><ACK><ACK.type_cd V=\"AA\"/></ACK></ACK.R01>")
        .answer(
            b"<REQ.R01><HDR><HDR.control_id V=\"2\"/></HDR><REQ><REQ.request_cd V=\"ROBS\"/></REQ></REQ.R01>",
        );
    assert_eq!(flow.conversation.protocol(), Protocol::Poct1);
    assert_eq!(flow.said(), [&DEVICE[..], &["sender 192.0.2.2 role poct1-data-manager"]].concat());
}

#[test]
fn where_the_bytes_are_cut_makes_no_difference() {
    for size in 1..60 {
        let cut = HELLO.as_bytes().chunks(size).fold(TestFlow::new(TCP), TestFlow::ask);
        assert_eq!(cut.said(), DEVICE, "{size}");
    }
}

#[test]
fn a_value_may_stand_in_the_text_and_the_attribute_comes_first() {
    let flow = TestFlow::new(TCP).ask(
        b"<HEL.R01><DEV.device_id V=\"\">ward 7^unit</DEV.device_id><DEV.vendor_id V=\"NOVABIO\"/>\
          <DEV.serial_id V=\"\">\n 100200300 </DEV.serial_id><DEV.sw_version V=\"1.73\">1.70</DEV.sw_version></HEL.R01>",
    );
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role poct1-device",
            "sender 192.0.2.1 serial_number 100200300",
            "sender 192.0.2.1 software_version 1.73",
            "sender 192.0.2.1 manufacturer NOVABIO",
        ]
    );
}

#[test]
fn patients_and_passwords_are_noted_and_not_kept() {
    let result =
        "<OBS.R01><SVC><PT><PT.patient_id V=\"4711\"/><OBS><OBS.value V=\"7.4\"/></OBS></PT></SVC></OBS.R01>";
    let operators = "<OPL.R01><OPR><OPR.operator_id V=\"doe\"/><ACC><ACC.password ENC=\"B64\" V=\"U0VDUkVU\"/></ACC></OPR></OPL.R01>";
    let flow = TestFlow::new(TCP).ask(result.as_bytes()).ask(result.as_bytes()).answer(operators.as_bytes());
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role poct1-device",
            "sender 192.0.2.1 cleartext_patient_data poct1-message",
            "sender 192.0.2.2 role poct1-data-manager",
            "peer 192.0.2.1 cleartext_credential poct1-operator-list",
        ]
    );
}

#[test]
fn a_control_result_betrays_nobody() {
    let control =
        b"<OBS.R02><SVC><CTC><CTC.name V=\"Level 1\"/></CTC><PT><PT.patient_id V=\"\"/></PT></SVC></OBS.R02>";
    assert_eq!(TestFlow::new(TCP).ask(control).values(Attribute::CleartextPatientData), [""; 0]);
}

#[test]
fn reading_begins_in_the_middle_and_goes_on_behind_a_hole() {
    let mut flow = TestFlow::new(TCP).ask(b"ue V=\"7.4\"/></OBS></SVC></OBS.R01>").ask(HELLO.as_bytes());
    assert_eq!(flow.said(), DEVICE);
    flow.statements.observations.clear();
    flow = flow.ask(b"<HEL.R01><DEV><DEV.model_id V=\"G1");
    assert_eq!(
        flow.conversation.gap(Direction::FromInitiator, 99, &mut flow.statements),
        crate::Interest::Keep
    );
    flow = flow.ask(b"2\"/></DEV></HEL.R01>").ask(HELLO.as_bytes());
    assert_eq!(flow.values(Attribute::Model), ["G1"]);
}

#[test]
fn other_documents_are_not_taken_for_it() {
    for other in [
        &b"<?xml version=\"1.0\"?><Envelope><Body/></Envelope>"[..],
        b"<html><body>HEL.R01</body></html>",
        b"POST /poct HTTP/1.1\r\nHost: a\r\n\r\n<HEL.R01>",
        b"<HEL.Rx></HEL.Rx>",
        b"\x00<HEL.R01>",
        b"no markup at all",
    ] {
        let flow = TestFlow::new(&[CANDIDATE]).ask(other);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{}", other.escape_ascii());
    }
}

#[test]
fn a_type_declaration_ends_it() {
    let flow = TestFlow::new(TCP).ask(b"<HDR.control_id V='1'/><!DOCTYPE x [<!ENTITY a \"b\">]>");
    assert_eq!(flow.conversation.outcome(), crate::Outcome::Broken("a declaration within a document"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), at in 0_usize..700, byte in any::<u8>()) {
        TestFlow::new(&[CANDIDATE]).ask(&[b"<HEL.R01>", &bytes[..]].concat());
        let mut hello = HELLO.as_bytes().to_vec();
        if let Some(place) = hello.get_mut(at) {
            *place = byte;
        }
        let flow = TestFlow::new(&[CANDIDATE]).ask(&hello);
        prop_assert!(!flow.said().iter().any(|line| line.contains("Jane")));
    }
}
