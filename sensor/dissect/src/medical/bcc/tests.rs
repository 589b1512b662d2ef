//! Requests, and answers about the pumps of a rack.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::TCP;
use crate::test_flow::TestFlow;

/// `E` before what is not to be taken for itself.
fn stuffed(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        'D' => "EX".to_owned(),
        'd' => "ex".to_owned(),
        'E' => "EE".to_owned(),
        'e' => "ee".to_owned(),
        _ => letter.to_string(),
    });
    letters.collect()
}

/// A message with its length and sum, which count the text before stuffing.
fn message(bed: &str, information: &str) -> Vec<u8> {
    let content = format!("{bed}/1/1>{information}");
    let length = content.len() + 15;
    let summed = format!("\u{1}{length:05}\u{2}{content}\u{3}");
    let sum = summed.bytes().map(u32::from).sum::<u32>() % 65_536;
    format!("\u{1}{length:05}\u{2}{}\u{3}{sum:05}\u{4}", stuffed(&content)).into_bytes()
}

const RACK: &str = "12,50111,GNMODEL,688F030006\u{1e}12,50111,INSERNUM,36248\u{1e}12,50111,INNR,60008D98\u{1e}12,50111,INRATE,4711\
                    \u{1e}12,50112,GNMODEL,588U030001\u{1e}12,50112,INSERNUM,7100";

fn said() -> Vec<String> {
    [
        "third 192.0.2.2 bcc=36248 role bcc-pump",
        "third 192.0.2.2 bcc=36248 serial_number 36248",
        "third 192.0.2.2 bcc=36248 model 688F030006",
        "third 192.0.2.2 bcc=36248 role bcc-pump",
        "third 192.0.2.2 bcc=36248 serial_number 36248",
        "third 192.0.2.2 bcc=36248 model 688F030006",
        "third 192.0.2.2 bcc=36248 equipment_id 60008D98",
        "third 192.0.2.2 bcc=7100 role bcc-pump",
        "third 192.0.2.2 bcc=7100 serial_number 7100",
        "third 192.0.2.2 bcc=7100 model 588U030001",
        "sender 192.0.2.2 role bcc-server",
        "sender 192.0.2.2 role gateway",
        "sender 192.0.2.2 location WED4B12",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn a_client_asks_and_a_server_tells_its_pumps() {
    let flow = TestFlow::new(TCP)
        .ask(&message("1", "ADMIN:VERSION"))
        .answer(&message("1", "V3.30"))
        .ask(&[&[ACK][..], &message("1", "MEM:GET")].concat())
        .answer(&message("WED4B12", "12,50111,FMSTAT,1"));
    assert_eq!(flow.conversation.protocol(), Protocol::Bcc);
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role bcc-client",
            "sender 192.0.2.2 software_version V3.30",
            "sender 192.0.2.2 role bcc-server",
            "sender 192.0.2.2 role gateway",
        ]
    );
    assert_eq!(TestFlow::new(TCP).answer(&message("WED4B12", RACK)).said(), said());
}

#[test]
fn where_the_bytes_are_cut_makes_no_difference() {
    let bytes = message("WED4B12", RACK);
    for size in 1..40 {
        let cut = bytes.chunks(size).fold(TestFlow::new(TCP), TestFlow::answer);
        assert_eq!(cut.said(), said(), "{size}");
    }
}

#[test]
fn another_pump_in_the_slot_is_not_the_one_before() {
    let flow = TestFlow::new(TCP)
        .answer(&message("B1", "1,50111,GNMODEL,688F03\u{1e}1,50111,INSERNUM,36248"))
        .answer(&message("B1", "2,50111,GNMODEL,588U03"))
        .answer(&message("B1", "3,50111,INSERNUM,7100"));
    let models: Vec<_> = flow.said().into_iter().filter(|line| line.contains(" model ")).collect();
    assert_eq!(models, ["third 192.0.2.2 bcc=36248 model 688F03", "third 192.0.2.2 bcc=7100 model 588U03"]);
}

#[test]
fn a_patient_is_noted_once_and_not_kept() {
    let data = "1,50100,PATID,4711\u{1e}1,50100,PATIDBADGE,DOE";
    let flow = TestFlow::new(TCP).answer(&message("B1", data)).answer(&message("B1", data));
    assert_eq!(flow.values(Attribute::CleartextPatientData), ["bcc-message"]);
    assert!(!flow.said().iter().any(|line| line.contains("4711") || line.contains("DOE")));
}

#[test]
fn reading_begins_in_the_middle_and_goes_on_behind_a_hole() {
    let torn = [&b"50111,INSERNUM,3\x0300159\x04"[..], &message("B1", "1,50111,INSERNUM,36248")].concat();
    let mut flow = TestFlow::new(TCP).answer(&torn);
    assert_eq!(flow.values(Attribute::SerialNumber), ["36248"]);
    flow = flow.answer(b"\x0100040\x02B1/1/1>1,50");
    assert_eq!(
        flow.conversation.gap(Direction::FromResponder, 40, &mut flow.statements),
        crate::Interest::Keep
    );
    flow = flow.answer(b"RNUM,1\x0300111\x04").answer(&message("B1", "1,50112,INSERNUM,7100"));
    assert_eq!(flow.values(Attribute::SerialNumber), ["36248", "7100"]);
}

#[test]
fn other_protocols_are_not_taken_for_it() {
    for other in [
        &b"\x01\x00\x00\x00"[..],
        b"\x0100075\x02W4B12/1/2>x\x03",
        b"\x0100075\x02a bed that is longer than any bed can be/1/1>",
        b"\x010007X\x02B/1/1>",
        b"GET / HTTP/1.1\r\n",
    ] {
        let flow = TestFlow::new(&[CANDIDATE]).ask(other);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{}", other.escape_ascii());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), at in 0_usize..200, byte in any::<u8>()) {
        TestFlow::new(&[CANDIDATE]).ask(&bytes);
        let mut rack = message("B1", "1,50111,PATID,DOEJANE\u{1e}1,50111,INSERNUM,36248");
        if let Some(place) = rack.get_mut(at) {
            *place = byte;
        }
        let flow = TestFlow::new(&[CANDIDATE]).answer(&[&rack[..], &bytes].concat());
        prop_assert!(!flow.said().iter().any(|line| line.contains("DOEJANE")));
    }
}
