//! What messages say about devices, and whom it describes. Messages are written by the standard and its profiles.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::Outcome;
use crate::test_flow::TestFlow;

const CANDIDATES: &[Candidate] = &[CANDIDATE];

fn flow() -> TestFlow {
    TestFlow::new(CANDIDATES)
}

/// A block of these segments.
fn block(segments: &[&str]) -> Vec<u8> {
    format!("\u{b}{}\r\u{1c}\r", segments.join("\r")).into_bytes()
}

const PUMP_HEADER: &str = r"MSH|^~\&|PUMP_GATEWAY^0011221839000001^EUI-64|WARD|PDMS|HOSP|20260301||ORU^R01^ORU_R01|1|P|2.6|||NE|AL||8859/1|||PCD_DEC_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO";

/// What is said about devices behind the sender, and whether that makes it a gateway.
fn behind(segments: &[&str]) -> Vec<String> {
    let all: Vec<&str> = [PUMP_HEADER].iter().chain(segments).copied().collect();
    let said = flow().ask(&block(&all)).said().into_iter();
    said.filter(|line| line.starts_with("third") || line.ends_with("gateway")).collect()
}

#[test]
fn a_message_names_both_applications_and_its_answer_the_receiver() {
    let order = [
        r"MSH|^~\&|SENDAPP^1.2^ISO|SENDFAC|RECVAPP|RECVFAC|20260301||ADT^A01|1|P|2.3",
        "EVN|A01",
        "PID|1||135769||DOE^JANE",
    ];
    let flow = flow()
        .ask(&block(&order))
        .answer(&block(&[r"MSH|^~\&|RECVAPP|RECVFAC|SENDAPP|SENDFAC|20260301||ACK|2|P|2.3", "MSA|AA|1"]));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 hl7_application SENDAPP",
            "sender 192.0.2.1 hl7_facility SENDFAC",
            "sender 192.0.2.1 hl7_message_type ADT_A01",
            "sender 192.0.2.1 hl7_version 2.3",
            "sender 192.0.2.1 role hl7-sender",
            "peer 192.0.2.2 hl7_application RECVAPP",
            "peer 192.0.2.2 hl7_facility RECVFAC",
            "sender 192.0.2.1 cleartext_patient_data hl7-message",
            "sender 192.0.2.2 hl7_application RECVAPP",
            "sender 192.0.2.2 hl7_facility RECVFAC",
            "sender 192.0.2.2 hl7_message_type ACK",
            "sender 192.0.2.2 hl7_version 2.3",
            "sender 192.0.2.2 role hl7-receiver",
            "peer 192.0.2.1 hl7_application SENDAPP",
            "peer 192.0.2.1 hl7_facility SENDFAC",
        ]
    );
}

#[test]
fn an_empty_patient_segment_betrays_nobody() {
    let header = r"MSH|^~\&|A1|B1|C1|D1|20260301||ORU^R01|1|P|2.6";
    let flow = flow().ask(&block(&[header, r#"PID|1||^^^&&~^|""| |"#]));
    assert_eq!(flow.values(Attribute::CleartextPatientData), [""; 0]);
}

#[test]
fn a_credential_is_reported_and_not_kept() {
    let header = r"MSH|^~\&|A1|B1|C1|D1|20260301||ORU^R01|1|P|2.6";
    let flow = flow().ask(&block(&[header, "UAC|KERB|SECRET7"]));
    assert_eq!(flow.values(Attribute::CleartextCredential), ["hl7-uac"]);
    assert!(!flow.said().iter().any(|line| line.contains("SECRET7")));
}

#[test]
fn hardware_addresses_stand_in_several_fields() {
    let flow = flow().ask(&block(&[
        r"MSH|^~\&|VC150|84:2F:75:00:11:22|||20260301||ORU^R01^ORU_R01|1|P|2.6||||||||||||^aa:bb:cc:00:11:22^MAC",
    ]));
    assert_eq!(flow.values(Attribute::Hl7Application), ["VC150"]);
    assert_eq!(flow.values(Attribute::Hl7Facility), [""; 0]);
    assert_eq!(flow.values(Attribute::MacAddress), ["84:2f:75:00:11:22", "aa:bb:cc:00:11:22"]);
}

#[test]
fn software_is_that_of_the_sender() {
    let header = r"MSH|^~\&|cobas 8000|LAB|||20260301||OUL^R22|1|P|2.5";
    let flow = flow().ask(&block(&[header, "SFT|Acme^L|2.5.36|cobas x|17"]));
    let said = flow.said();
    for fact in ["software_vendor Acme", "software_version 2.5.36", "software_name cobas x"] {
        assert!(said.contains(&format!("sender 192.0.2.1 {fact}")), "{fact}: {said:?}");
    }
}

#[test]
fn a_pump_behind_a_gateway_is_a_third_device() {
    assert_eq!(
        behind(&[
            "OBX|1||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X|||||||P77^^0012210000000000^EUI-64",
            "OBX|2||69986^MDC_DEV_PUMP_INFUS_VMD^MDC|1.1.0.0|||||||X",
            "OBX|3|ST|531969^MDC_ID_MODEL_NUMBER^MDC|1.0.0.1|Pump 4000||||||R",
            "OBX|4|ST|531970^MDC_ID_MODEL_MANUFACTURER^MDC|1.0.0.2|Acme||||||R",
            "OBX|5|ST|531972^MDC_ID_PROD_SPEC_SERIAL^MDC|1.0.0.3|9000123||||||R",
            "OBX|6|ST|531975^MDC_ID_PROD_SPEC_SW^MDC|1.0.0.4|9.02.00||||||R",
            "OBX|7|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.1.1.101|61|265266^MDC_DIM_MILLI_L_PER_HR^MDC|||||R",
        ]),
        [
            "third 192.0.2.1 hl7=P77|00:12:21:00:00:00:00:00 equipment_id P77",
            "third 192.0.2.1 hl7=P77|00:12:21:00:00:00:00:00 eui64 00:12:21:00:00:00:00:00",
            "third 192.0.2.1 hl7=P77|00:12:21:00:00:00:00:00 device_type_code 69985",
            "third 192.0.2.1 hl7=P77|00:12:21:00:00:00:00:00 model Pump 4000",
            "third 192.0.2.1 hl7=P77|00:12:21:00:00:00:00:00 manufacturer Acme",
            "third 192.0.2.1 hl7=P77|00:12:21:00:00:00:00:00 serial_number 9000123",
            "third 192.0.2.1 hl7=P77|00:12:21:00:00:00:00:00 software_version 9.02.00",
            "sender 192.0.2.1 role gateway",
        ]
    );
}

#[test]
fn an_address_that_all_units_share_with_their_gateway_is_nobodys() {
    let said = behind(&[
        "OBX|1||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X|||||||P77^^0011221839000001^EUI-64",
        "OBX|2||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|2.0.0.0|||||||X|||||||P78^^0011221839000001^EUI-64",
    ]);
    assert_eq!(
        said,
        [
            "third 192.0.2.1 hl7=P77|00:11:22:18:39:00:00:01 equipment_id P77",
            "third 192.0.2.1 hl7=P77|00:11:22:18:39:00:00:01 device_type_code 69985",
            "third 192.0.2.1 hl7=P78|00:11:22:18:39:00:00:01 equipment_id P78",
            "third 192.0.2.1 hl7=P78|00:11:22:18:39:00:00:01 device_type_code 69985",
            "sender 192.0.2.1 role gateway",
        ]
    );
}

#[test]
fn a_unit_whose_number_is_not_one_is_not_mixed_up_with_others_of_its_product() {
    let row =
        "OBX|1||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X|||||||DOE, JANE^^0012210000000000^EUI-64";
    assert_eq!(behind(&[row]), [""; 0]);
}

#[test]
fn a_monitor_that_sends_for_itself_is_the_sender() {
    let flow = flow().ask(&block(&[
        r"MSH|^~\&|MONITOR^00A037001A014B01^EUI-64|ICU|||20260301||ORU^R01^ORU_R01|1|P|2.6|||||||||1^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO",
        "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||^^00A037001A014B01^EUI-64",
        "OBX|2|ST|531972^MDC_ID_PROD_SPEC_SERIAL^MDC|1.0.0.1|M-7||||||R",
    ]));
    assert_eq!(flow.values(Attribute::Role), ["hl7-sender"]);
    let said = flow.said();
    assert!(said.contains(&"sender 192.0.2.1 serial_number M-7".to_owned()), "{said:?}");
    assert!(said.contains(&"sender 192.0.2.1 device_type_code 69965".to_owned()), "{said:?}");
}

#[test]
fn modules_are_devices_where_they_are_told_apart() {
    // OBX-18 names the lowest level first; codes may lack the device block.
    assert_eq!(
        behind(&[
            "OBX|1||4457^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X",
            "OBX|2||4262^MDC_DEV_ECG_VMD^MDC|1.13.0.0|||||||X|||||||MOD3~^^0009FBFFFF112233^EUI-64",
            "OBX|3|ST|531976^MDC_ID_PROD_SPEC_FW^MDC|1.13.0.2|1.4||||||R",
            "OBX|4|NM|147842^MDC_ECG_HEART_RATE^MDC|1.13.1.4|80||||||R",
        ]),
        [
            "third 192.0.2.1 hl7=00:09:fb:ff:ff:11:22:33 eui64 00:09:fb:ff:ff:11:22:33",
            "third 192.0.2.1 hl7=00:09:fb:ff:ff:11:22:33 device_type_code 69993",
            "third 192.0.2.1 hl7=MOD3| equipment_id MOD3",
            "third 192.0.2.1 hl7=MOD3| device_type_code 69798",
            "third 192.0.2.1 hl7=MOD3| firmware_version 1.4",
            "sender 192.0.2.1 role gateway",
        ]
    );
}

#[test]
fn a_device_without_a_row_of_its_own_is_known_by_its_values() {
    assert_eq!(
        behind(&[
            "OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|98||||||R|||||||42^Medfusion 4000^001A010000000001^EUI-64",
            "OBX|2|NM|1^RTLS^MDC|LOC|7||||||R|||||||43^X 1^001A010000000002^EUI-64",
        ]),
        [
            "third 192.0.2.1 hl7=42|00:1a:01:00:00:00:00:01 equipment_id 42",
            "third 192.0.2.1 hl7=42|00:1a:01:00:00:00:00:01 eui64 00:1a:01:00:00:00:00:01",
            "third 192.0.2.1 hl7=42|00:1a:01:00:00:00:00:01 serial_number 42",
            "third 192.0.2.1 hl7=42|00:1a:01:00:00:00:00:01 model Medfusion 4000",
            "sender 192.0.2.1 role gateway",
        ]
    );
}

#[test]
fn maker_and_model_may_stand_in_one_text() {
    let said = behind(&[
        "OBX|1||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X|||||||P77",
        "OBX|2|ST|67880^MDC_ATTR_ID_MODEL^MDC|1.0.0.1|manufacturer=Smiths Medical model=Medfusion 4000||||||R",
        "OBX|3|ST|67972^MDC_ATTR_SYS_ID^MDC|1.0.0.2|001A010000000001||||||R",
    ]);
    for fact in ["manufacturer Smiths Medical", "model Medfusion 4000", "eui64 00:1a:01:00:00:00:00:01"] {
        assert!(said.contains(&format!("third 192.0.2.1 hl7=P77| {fact}")), "{fact}: {said:?}");
    }
}

#[test]
fn an_analyser_is_known_by_two_names_that_agree() {
    let header = r"MSH|^~\&|cobas infinity|LAB|||20260301||OUL^R22^OUL_R22|1|P|2.5";
    let result = "OBX|1|NM|GLU||5||||||F|||20260301||TECH||c5800^Roche~c5800.2709^Roche";
    let flow = flow().ask(&block(&[header, result, result]));
    let third: Vec<_> = flow.said().into_iter().filter(|line| line.starts_with("third")).collect();
    assert_eq!(
        third,
        [
            "third 192.0.2.1 analyser=c5800.2709 equipment_id c5800.2709",
            "third 192.0.2.1 analyser=c5800.2709 serial_number 2709",
            "third 192.0.2.1 analyser=c5800.2709 model c5800",
            "third 192.0.2.1 analyser=c5800.2709 manufacturer Roche",
        ]
    );
    assert_eq!(flow.values(Attribute::Role), ["hl7-sender"], "it may be the analyser itself");
}

#[test]
fn who_tells_of_two_analysers_speaks_for_others() {
    let header = r"MSH|^~\&|cobas infinity|LAB|||20260301||OUL^R22^OUL_R22|1|P|2.5";
    let result =
        |serial| format!("OBX|1|NM|GLU||5||||||F|||20260301||TECH||c5800^Roche~c5800.{serial}^Roche");
    let flow = flow().ask(&block(&[header, &result(2709), &result(2710)]));
    assert_eq!(flow.values(Attribute::Role), ["hl7-sender", "gateway"]);
}

#[test]
fn a_participation_counts_with_a_valid_identifier_only() {
    let fields =
        |ten: &str, sixteen: &str, rest: &str| format!("PRT|1|AD||EQUIP||||||{ten}||||||{sixteen}|{rest}");
    assert_eq!(behind(&[&fields("", "Hospira Plum A+", "||||")]), [""; 0]);
    assert_eq!(
        behind(&[&fields("", "06291041500213", "20210315||A-77||SN0042")]),
        [
            "third 192.0.2.1 udi=06291041500213|SN0042| udi_di 06291041500213",
            "third 192.0.2.1 udi=06291041500213|SN0042| serial_number SN0042",
            "third 192.0.2.1 udi=06291041500213|SN0042| lot_number A-77",
            "third 192.0.2.1 udi=06291041500213|SN0042| manufacture_date 2021-03-15",
        ]
    );
    let human_readable = "(01)06291041500213(21)SN0042^^2.16.840.1.113883.3.3719^ISO";
    assert_eq!(
        behind(&[&fields(human_readable, "", "||||")]),
        [
            "third 192.0.2.1 udi=06291041500213|SN0042| udi_di 06291041500213",
            "third 192.0.2.1 udi=06291041500213|SN0042| serial_number SN0042",
        ]
    );
}

#[test]
fn equipment_messages_name_the_equipment_at_one_end() {
    let status = [r"MSH|^~\&|A1||B1||20260301||ESU^U01|1|P|2.5", "EQU|AN-7^LAB|20260301|OP"];
    let command = [r"MSH|^~\&|B1||A1||20260301||EAC^U07|1|P|2.5", "EQU|AN-7^LAB|20260301|OP"];
    let said = flow().ask(&block(&status)).answer(&block(&command)).said();
    assert!(said.contains(&"sender 192.0.2.1 equipment_id AN-7".to_owned()), "{said:?}");
    assert!(said.contains(&"peer 192.0.2.1 equipment_id AN-7".to_owned()), "{said:?}");
}

#[test]
fn messages_that_are_pipelined_split_or_unended_are_all_read() {
    let mut bytes = block(&[r"MSH|^~\&|A1|||||| ORU^R01|1|P|2.3"]);
    bytes.extend(b"\x0bMSH|^~\\&|A2|||||| ORU^R01|1|P|2.3\r");
    bytes.extend(b"\x0bMSH|^~\\&|A3|||||| ORU^R01|1|P|2.3\nPID|1||7\n\x1c\r");
    let mut flow = flow();
    for chunk in bytes.chunks(3) {
        flow.bytes(Direction::FromInitiator, chunk);
    }
    assert_eq!(flow.values(Attribute::Hl7Application), ["A1", "A2", "A3"]);
    assert_eq!(flow.values(Attribute::CleartextPatientData), ["hl7-message"]);
}

#[test]
fn a_long_segment_is_passed_over_and_what_follows_is_read() {
    let mut flow = flow().ask(b"\x0bMSH|^~\\&|A1\rOBX|1|ED|1^2||");
    for _ in 0..100 {
        flow.bytes(Direction::FromInitiator, &[b'Q'; 10_000]);
        assert!(flow.conversation.held_bytes() <= 128 * 1024);
    }
    let flow = flow.ask(b"|\rSFT|Acme|7\r\x1c\r");
    assert_eq!(flow.values(Attribute::SoftwareVersion), ["7"]);
    assert_eq!(flow.conversation.outcome(), Outcome::Going);
}

#[test]
fn behind_a_hole_the_next_block_is_read() {
    let mut flow = flow().ask(b"\x0bMSH|^~\\&|A1\rPID|1||");
    flow.conversation.gap(Direction::FromInitiator, 100, &mut flow.statements);
    let flow = flow.ask(b"DOE\rSFT|X|1\r\x1c\r").ask(&block(&[r"MSH|^~\&|A2"]));
    assert_eq!(flow.values(Attribute::Hl7Application), ["A1", "A2"]);
    assert_eq!(flow.values(Attribute::SoftwareVersion), [""; 0]);
}

#[test]
fn a_stream_joined_in_the_middle_is_known_at_its_next_block() {
    let flow = flow()
        .ask(b"|F\rOBX|3|NM|GLU||5\r")
        .ask(&[b"OBX|4|NM|GLU||5\r\x1c\r".to_vec(), block(&[r"MSH|^~\&|A2"])].concat());
    assert_eq!(flow.values(Attribute::Hl7Application), ["A2"]);
}

#[test]
fn other_text_is_not_this_protocol() {
    for bytes in [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], b"\x0bHELLO", b"\x0bMSHAAAA", b"SSH-2.0-x\r\n"] {
        let flow = flow().ask(bytes).answer(bytes);
        assert_eq!(flow.conversation.outcome(), Outcome::Unrecognised, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_panics_and_nothing_grows(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40),
                prop::sample::select(vec![
                    PUMP_HEADER.as_bytes().to_vec(),
                    b"\x0bMSH|^~\\&|".to_vec(), b"\r".to_vec(), b"\x1c\r".to_vec(), b"\x0b".to_vec(),
                    b"OBX|1||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X|||||||P77^^0012210000000000^EUI-64".to_vec(),
                    b"OBX|2|ST|67880^M^MDC|9.8.7.6.5.4|model=a manufacturer=".to_vec(),
                    b"PRT|||||||||(01)06291041500213(".to_vec(), b"PID|1|\\X4\\|^~".to_vec(), b"EQU|7".to_vec(),
                ]),
            ], 0..60),
        cut in 1_usize..50,
    ) {
        let bytes = [b"\x0bMSH|^~\\&|A1\r".to_vec(), pieces.concat()].concat();
        let mut flow = flow();
        for chunk in bytes.chunks(cut) {
            flow.bytes(Direction::FromInitiator, chunk);
        }
        flow.conversation.gap(Direction::FromInitiator, 7, &mut flow.statements);
        flow = flow.ask(&bytes);
        prop_assert!(flow.conversation.held_bytes() <= 2 * 256 * 1024);
        prop_assert!(flow.statements.observations.len() < 2000);
    }

    #[test]
    fn where_the_segments_are_cut_makes_no_difference(cut in 1_usize..80) {
        let bytes = block(&[PUMP_HEADER, "PID|1||7", "SFT|Acme|2", "OBX|1||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X|||||||P77"]);
        let whole = flow().ask(&bytes).ask(&bytes).said();
        let mut flow = flow();
        for chunk in [bytes.clone(), bytes].concat().chunks(cut) {
            flow.bytes(Direction::FromInitiator, chunk);
        }
        prop_assert_eq!(flow.said(), whole);
    }
}
