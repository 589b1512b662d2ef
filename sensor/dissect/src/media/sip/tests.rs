//! Messages as RFC 3261 (24) has them, with products as devices of today send them.

use super::*;
use crate::Outcome;
use crate::test_flow::TestFlow;
use proptest::prelude::*;

const REGISTER: &[u8] =
    b"REGISTER sip:pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnashds7\r\n\
    Max-Forwards: 70\r\nFrom: J. Doe <sip:doe@pbx.example>;tag=456248\r\nTo: <sip:doe@pbx.example>\r\n\
    Call-ID: 843817637684230@998sdasdh09\r\nCSeq: 1826 REGISTER\r\nUser-Agent: Acme T46/66.81.0\r\n\
    Authorization: Digest username=\"doe\", realm=\"pbx.example\", nonce=\"a\", response=\"b\"\r\n\
    Content-Length: 0\r\n\r\n";
const REFUSED: &[u8] = b"SIP/2.0 401 Unauthorized\r\nv: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnashds7\r\n\
    i: 843817637684230@998sdasdh09\r\nCSeq:   1826   REGISTER\r\nServer: Acme PBX/16.2\r\n\
    WWW-Authenticate: Digest realm=\"pbx.example\", nonce=\"c\"\r\nl: 4\r\n\r\nDoe!";
const OF_BOTH: [&str; 7] = [
    "sender 192.0.2.1 role sip-client",
    "sender 192.0.2.1 http_user_agent Acme T46/66.81.0",
    "peer 192.0.2.2 cleartext_credential sip-digest",
    "sender 192.0.2.2 role sip-server",
    "sender 192.0.2.2 role sip-registrar",
    "sender 192.0.2.2 http_server Acme PBX/16.2",
    "peer 192.0.2.1 failed_login sip",
];

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("it is text")
}

#[test]
fn registration_is_told_over_datagrams_behind_what_keeps_addresses_open() {
    let flow = TestFlow::new(crate::UDP)
        .datagram(Direction::FromInitiator, b"\r\n\r\n")
        .datagram(Direction::FromInitiator, REGISTER)
        .datagram(Direction::FromInitiator, b"\0")
        .datagram(Direction::FromResponder, REFUSED)
        .datagram(Direction::FromResponder, REFUSED);
    assert_eq!(flow.said()[..7], OF_BOTH);
    assert_eq!(flow.values(Attribute::FailedLogin), ["sip"]);
    assert_eq!(flow.conversation.protocol(), Protocol::Sip);
}

#[test]
fn segments_make_no_difference() {
    for size in [1, 7, 4096] {
        let mut flow = TestFlow::new(crate::TCP);
        [REGISTER, REGISTER]
            .concat()
            .chunks(size)
            .for_each(|part| flow.bytes(Direction::FromInitiator, part));
        [REFUSED, b"\r\n\r\n", REFUSED]
            .concat()
            .chunks(size)
            .for_each(|part| flow.bytes(Direction::FromResponder, part));
        let said = flow.said();
        assert_eq!([&said[..3], &said[6..10]].concat(), OF_BOTH, "{size}");
        assert_eq!(flow.conversation.outcome(), Outcome::Going);
    }
}

#[test]
fn joined_in_the_middle_it_is_found_at_the_next_message() {
    let mut flow = TestFlow::new(crate::TCP).ask(REGISTER);
    flow.conversation.gap(Direction::FromInitiator, 900, &mut flow.statements);
    let rest = [b"a=rtpmap:8 PCMA/8000\r\n", REGISTER].concat();
    let flow = flow.ask(&rest);
    assert_eq!(flow.values(Attribute::HttpUserAgent).len(), 2);
}

#[test]
fn what_others_said_is_not_told_of_who_passes_it_on() {
    let request =
        text(REGISTER).replace("Max-Forwards: 70", "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1");
    let answer =
        text(REFUSED).replace("Server", "Record-Route: <sip:192.0.2.2;lr>\r\nServer").replace("401", "200");
    let flow = TestFlow::new(crate::UDP)
        .datagram(Direction::FromInitiator, request.as_bytes())
        .datagram(Direction::FromResponder, answer.as_bytes());
    let said = ["sender 192.0.2.1 role sip-server", "peer 192.0.2.2 cleartext_credential sip-digest"];
    assert_eq!(flow.said(), said);
}

#[test]
fn only_credentials_that_were_shown_are_refused() {
    let stale = text(REFUSED).replace("nonce=", "stale=true, nonce=");
    let other = text(REFUSED).replace("1826", "1827");
    let call = text(REFUSED).replace("REGISTER", "INVITE").replace("401", "403");
    for answer in [stale, other, call] {
        let flow = TestFlow::new(crate::UDP)
            .datagram(Direction::FromInitiator, text(REGISTER).replace(" REGISTER\r", " INVITE\r").as_bytes())
            .datagram(Direction::FromInitiator, REGISTER)
            .datagram(Direction::FromResponder, answer.as_bytes());
        assert_eq!(flow.values(Attribute::FailedLogin), [""; 0], "{answer}");
    }
}

#[test]
fn others_are_not_taken_for_it() {
    for bytes in [
        &b"OPTIONS rtsp://camera/ RTSP/1.0\r\n\r\n"[..],
        b"GET sip:x HTTP/1.1\r\n\r\n",
        b"M-SEARCH * HTTP/1.1\r\n",
        b"SIP",
    ] {
        let flow = TestFlow::new(&[OVER_UDP]).datagram(Direction::FromInitiator, bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in any::<Vec<u8>>(), at in 0..REGISTER.len(), octet in any::<u8>(), cut in 0..REGISTER.len(),
    ) {
        let mut mutated = REGISTER.to_vec();
        mutated[at] = octet;
        let flow = TestFlow::new(crate::TCP).ask(REGISTER).answer(&bytes).ask(&mutated).ask(&mutated[..cut]).ask(&bytes);
        prop_assert!(flow.said().iter().all(|line| !line.contains("doe")));
        TestFlow::new(&[OVER_UDP]).datagram(Direction::FromInitiator, REGISTER)
            .datagram(Direction::FromInitiator, &mutated).datagram(Direction::FromResponder, &bytes);
    }
}
