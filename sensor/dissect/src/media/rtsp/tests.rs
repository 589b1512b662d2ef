//! Exchanges as RFC 2326 (14) has them, with a log-in as cameras ask for.

use super::*;
use crate::Outcome;
use crate::test_flow::TestFlow;
use proptest::prelude::*;

/// The credentials are admin:admin.
const CLIENT: &[u8] = b"DESCRIBE rtsp://192.0.2.2:8554/room/doe RTSP/1.0\r\nCSeq: 2\r\nUser-Agent: LibVLC/3.0.16 (LIVE555 Streaming Media)\r\n\
    Authorization: Basic YWRtaW46YWRtaW4=\r\nAccept: application/sdp\r\n\r\n";
const SERVER: &[u8] =
    b"RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nServer: Acme Cam/5.4\r\nContent-Length: 5\r\n\r\nDoe\r\n";
const OF_BOTH: [&str; 7] = [
    "sender 192.0.2.1 role rtsp-client",
    "sender 192.0.2.1 http_user_agent LibVLC/3.0.16 (LIVE555 Streaming Media)",
    "peer 192.0.2.2 cleartext_credential rtsp",
    "peer 192.0.2.2 default_credential rtsp",
    "sender 192.0.2.2 role rtsp-server",
    "sender 192.0.2.2 http_server Acme Cam/5.4",
    "peer 192.0.2.1 failed_login rtsp",
];

fn flow() -> TestFlow {
    TestFlow::new(crate::TCP)
}

#[test]
fn products_credentials_and_refusals_are_told() {
    let flow = flow().ask(CLIENT).answer(SERVER);
    assert_eq!(flow.said(), OF_BOTH);
    assert_eq!(flow.conversation.protocol(), Protocol::Rtsp);
}

#[test]
fn segments_make_no_difference() {
    for size in [1, 5] {
        let mut flow = flow();
        CLIENT.chunks(size).for_each(|part| flow.bytes(Direction::FromInitiator, part));
        SERVER.chunks(size).for_each(|part| flow.bytes(Direction::FromResponder, part));
        assert_eq!(flow.said(), OF_BOTH, "{size}");
    }
}

#[test]
fn a_stream_that_plays_is_let_go_of() {
    let flow = flow()
        .ask(b"PLAY rtsp://192.0.2.2/ RTSP/1.0\r\nCSeq: 5\r\n\r\n")
        .answer(b"$\x00\x00\x04RTSPRTSP/1.0 200 OK\r\nCSeq: 5\r\nServer: Acme Cam/5.4\r\n\r\n");
    assert_eq!(flow.values(Attribute::HttpServer), ["Acme Cam/5.4"]);
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

#[test]
fn credentials_within_an_address_are_told_and_a_digest_is_not_shown_in_clear() {
    let flow = flow().ask(b"DESCRIBE rtsp://root:pass@192.0.2.2/a RTSP/1.0\r\nCSeq: 1\r\n\r\n");
    assert_eq!(flow.values(Attribute::DefaultCredential), ["rtsp"]);
    let flow = TestFlow::new(crate::TCP)
        .ask(b"DESCRIBE rtsp://a/b RTSP/1.0\r\nCSeq: 7\r\nAuthorization: Digest username=\"x\"\r\n\r\n")
        .answer(b"RTSP/1.0 401 No\r\nCSeq: 7\r\n\r\n");
    assert_eq!(flow.values(Attribute::CleartextCredential), [""; 0]);
    assert_eq!(flow.values(Attribute::FailedLogin), ["rtsp"]);
}

#[test]
fn who_showed_nothing_or_a_used_up_number_was_not_refused() {
    for (asked, answered) in [
        ("CSeq: 2\r\n", "CSeq: 2\r\n"),
        ("CSeq: 2\r\nAuthorization: Digest username=\"x\"\r\n", "CSeq: 3\r\n"),
        (
            "CSeq: 2\r\nAuthorization: Digest username=\"x\"\r\n",
            "CSeq: 2\r\nWWW-Authenticate: Digest stale=\"true\"\r\n",
        ),
    ] {
        let flow = flow()
            .ask(format!("SETUP rtsp://a/b RTSP/1.0\r\n{asked}\r\n").as_bytes())
            .answer(format!("RTSP/1.0 401 No\r\n{answered}\r\n").as_bytes());
        assert_eq!(flow.values(Attribute::FailedLogin), [""; 0], "{asked} {answered}");
    }
}

#[test]
fn behind_a_hole_in_a_stream_messages_are_found_again() {
    let mut flow = flow().answer(SERVER);
    flow.conversation.gap(Direction::FromResponder, 1000, &mut flow.statements);
    let flow = flow.answer(b"$$$$xyz\r\n").answer(SERVER);
    assert_eq!(flow.values(Attribute::HttpServer).len(), 2);
}

#[test]
fn others_are_not_taken_for_it() {
    for bytes in [
        &b"OPTIONS sip:ward@example SIP/2.0\r\n\r\n"[..],
        b"DESCRIBE rtsp://a HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n",
    ] {
        let flow = TestFlow::new(&[CANDIDATE]).ask(bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in any::<Vec<u8>>(), at in 0..CLIENT.len(), octet in any::<u8>(), cut in 0..CLIENT.len(),
    ) {
        let mut mutated = CLIENT.to_vec();
        mutated[at] = octet;
        let flow = flow().ask(CLIENT).answer(&bytes).ask(&mutated).answer(SERVER).ask(&mutated[..cut]).ask(&bytes);
        prop_assert!(flow.said().iter().all(|line| !line.contains("doe")));
    }
}
