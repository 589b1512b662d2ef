//! Conversations as RFC 9112 and RFC 9110 describe them.

use super::*;
use crate::test_flow::TestFlow;
use crate::{Interest, Outcome};
use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

fn flow() -> TestFlow {
    TestFlow::new(&[CANDIDATE])
}

const GET: &[u8] = b"GET /patients?name=doe HTTP/1.1\r\nHost: pacs.example:8080\r\nUser-Agent: curl/8.5.0\r\nCookie: a=b\r\n\r\n";

#[test]
fn software_and_hosts_are_stated_and_nothing_else() {
    let flow = flow()
        .ask(GET)
        .answer(b"HTTP/1.1 200 OK\r\nServer: Apache/2.4.52 (Ubuntu)\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role http-client",
            "sender 192.0.2.1 http_user_agent curl/8.5.0",
            "peer 192.0.2.2 http_host pacs.example",
            "sender 192.0.2.2 role http-server",
            "sender 192.0.2.2 http_server Apache/2.4.52 (Ubuntu)",
        ]
    );
    assert_eq!(flow.conversation.protocol(), Protocol::Http);
}

/// An answer with this server and these header lines, and what follows the head.
fn answer(server: &str, lines: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nServer: {server}\r\n{lines}\r\n{body}").into_bytes()
}

#[test]
fn the_end_of_each_body_is_found() {
    let long = "x".repeat(9000);
    let stream = [
        answer("a/1", "Content-Length: 9000\r\n", &long),
        answer(
            "b/1",
            "Transfer-Encoding: gzip, chunked\r\n",
            "4;x=y\r\nHTTP\r\n5\r\n/1.1 \r\n0\r\nT: 1\r\n\r\n",
        ),
        answer("c/1", "Content-Length: 0\r\n", ""),
        b"HTTP/1.1 304 Not Modified\r\nServer: d/1\r\nContent-Length: 77\r\n\r\n".to_vec(),
        b"HTTP/1.1 204 No Content\r\nServer: e/1\r\n\r\n".to_vec(),
        b"HTTP/1.1 100 Continue\r\nServer: f/1\r\n\r\n".to_vec(),
        answer("g/1", "", "HTTP/1.1 200 OK\r\nServer: not-a-message/1\r\n\r\n"),
    ]
    .concat();
    let flow = flow().answer(&stream);
    assert_eq!(flow.values(Attribute::HttpServer), ["a/1", "b/1", "c/1", "d/1", "e/1", "f/1", "g/1"]);
}

#[test]
fn the_answer_to_head_has_no_body_whatever_its_length_says() {
    let flow = flow()
        .ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .answer(&answer("a/1", "Content-Length: 9000\r\n", ""))
        .answer(&answer("b/1", "Content-Length: 1\r\n", "x"));
    assert_eq!(flow.values(Attribute::HttpServer), ["a/1", "b/1"]);
}

#[test]
fn bodies_are_skipped_without_being_held() {
    let mut flow = flow().answer(&answer("a/1", "Content-Length: 1000000\r\n", "begin"));
    assert_eq!(flow.conversation.held_bytes(), 0);
    // What is lost of a body is not missed.
    assert_eq!(
        flow.conversation.gap(Direction::FromResponder, 999_995, &mut flow.statements),
        Interest::Keep
    );
    flow.bytes(Direction::FromResponder, &answer("b/1", "Content-Length: 0\r\n", ""));
    assert_eq!(flow.values(Attribute::HttpServer), ["a/1", "b/1"]);
}

#[test]
fn behind_a_hole_it_goes_on_at_the_next_message() {
    let mut flow = flow().ask(GET).answer(b"HTTP/1.1 200 OK\r\nSer");
    assert_eq!(flow.conversation.gap(Direction::FromResponder, 100, &mut flow.statements), Interest::Keep);
    flow.bytes(Direction::FromResponder, b"rest of a page</html>");
    flow.bytes(Direction::FromResponder, &answer("b/1", "Content-Length: 0\r\n", ""));
    assert_eq!(flow.values(Attribute::HttpServer), ["b/1"]);
}

#[test]
fn a_flow_that_is_joined_in_a_body_is_found_at_the_next_request() {
    let flow = flow()
        .answer(b"<p>the rest of a page that began before the capture</p>")
        .ask(GET)
        .answer(&answer("a/1", "Content-Length: 0\r\n", ""));
    assert_eq!(flow.values(Attribute::HttpUserAgent), ["curl/8.5.0"]);
    assert_eq!(flow.values(Attribute::HttpServer), ["a/1"]);
}

#[test]
fn when_the_protocol_changes_there_is_nothing_more_to_learn() {
    let upgraded = flow().ask(GET).answer(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(upgraded.conversation.outcome(), Outcome::Learned);
    let tunnel = flow()
        .ask(b"CONNECT db.example:443 HTTP/1.1\r\nHost: db.example:443\r\n\r\n")
        .answer(b"HTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(tunnel.conversation.outcome(), Outcome::Learned);
    // The receiver is the proxy, not the host.
    assert!(tunnel.values(Attribute::HttpHost).is_empty());
}

#[test]
fn what_a_connection_becomes_is_its_protocol() {
    for (name, protocol) in
        [("websocket", Protocol::Websocket), ("h2c", Protocol::Http2), ("other", Protocol::Http)]
    {
        let answer = format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: {name}\r\n\r\n");
        let flow = flow().ask(GET).answer(answer.as_bytes());
        assert_eq!(flow.conversation.protocol(), protocol);
    }
}

#[test]
fn a_login_failed_when_credentials_were_refused() {
    let with = |line: &str| format!("GET / HTTP/1.1\r\n{line}\r\n\r\n");
    let refused = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"Acme IP Camera\", nonce=\"x\"\r\nContent-Length: 0\r\n\r\n";
    let stale = refused.replace("nonce", "stale=true, nonce");
    for (request, answer, is_told) in [
        (with("Authorization: Basic ZG9lOnNlY3JldA=="), refused, true),
        (with("Authorization: Digest username=\"doe\""), stale.as_str(), false),
        // To be asked for a password is no failure, nor is a step of several.
        (with("Accept: */*"), refused, false),
        (with("Authorization: NTLM TlRMTVNTUAABAAAA"), refused, false),
        (
            with("Authorization: Basic ZG9lOnNlY3JldA=="),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            false,
        ),
    ] {
        let flow = flow().ask(request.as_bytes()).answer(answer.as_bytes());
        let told = flow.said().contains(&"peer 192.0.2.1 failed_login http".to_owned());
        assert_eq!(told, is_told, "{request}{answer}");
    }
}

#[test]
fn the_realm_names_the_device_that_wants_credentials() {
    let flow = flow().ask(GET).answer(
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"HP LaserJet 4250\"\r\nContent-Length: 0\r\n\r\n",
    );
    assert_eq!(flow.values(Attribute::HttpRealm), ["HP LaserJet 4250"]);
}

#[test]
fn credentials_in_clear_are_told_by_their_kind_and_never_by_their_value() {
    for (line, kind) in [
        ("Authorization: Basic ZG9lOnNlY3JldA==", "http-basic"),
        ("authorization: digest username=\"doe\"", "http-digest"),
        ("Authorization: Bearer eyJhbGciOi", "http-bearer"),
        ("Proxy-Authorization: Basic ZG9lOnNlY3JldA==", "http-basic"),
    ] {
        let flow = flow().ask(format!("GET / HTTP/1.1\r\n{line}\r\n\r\n").as_bytes());
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role http-client".to_owned(),
                format!("peer 192.0.2.2 cleartext_credential {kind}")
            ]
        );
    }
}

#[test]
fn a_password_of_the_manual_is_told_and_never_shown() {
    // admin:admin
    let flow = flow().ask(b"GET / HTTP/1.1\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n");
    assert_eq!(flow.values(Attribute::DefaultCredential), ["http-basic"]);
    assert!(flow.said().iter().all(|line| !line.contains("admin")));
}

#[test]
fn a_login_by_form_is_a_credential_in_clear() {
    let post = |body: &str| {
        let length = body.len();
        format!(
            "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    let login = post("user=doe&password=secret");
    for cut in [login.len(), login.len() - 10, 20] {
        let (first, second) = login.split_at(cut);
        let flow = flow().ask(first.as_bytes()).ask(second.as_bytes()).ask(GET);
        assert_eq!(flow.values(Attribute::CleartextCredential), ["http-form"]);
        assert_eq!(flow.values(Attribute::HttpHost), ["pacs.example"]);
    }
    assert!(
        flow()
            .ask(post("q=how+to+change+a+password").as_bytes())
            .values(Attribute::CleartextCredential)
            .is_empty()
    );
}

#[test]
fn what_a_proxy_passes_on_does_not_describe_the_proxy() {
    let flow = flow()
        .ask(b"GET / HTTP/1.1\r\nVia: 1.1 proxy\r\nUser-Agent: curl/8.5.0\r\n\r\n")
        .answer(b"HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\nServer: nginx/1.2\r\n\r\n");
    assert_eq!(flow.said(), ["sender 192.0.2.1 role http-client", "sender 192.0.2.2 role http-server"]);
}

#[test]
fn contradictory_lengths_and_endless_heads_are_given_up() {
    let smuggled = flow().ask(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(smuggled.conversation.outcome(), Outcome::Broken("contradictory lengths"));
    let mut endless = flow().ask(b"GET / HTTP/1.1\r\n");
    for _ in 0..70 {
        endless.bytes(Direction::FromInitiator, format!("X: {}\r\n", "y".repeat(1024)).as_bytes());
    }
    assert_eq!(endless.conversation.outcome(), Outcome::Broken("header block longer than 64 KiB"));
}

#[test]
fn a_search_that_finds_nothing_ends() {
    let mut flow = flow().ask(GET).answer(b"\0");
    for _ in 0..200 {
        flow.bytes(Direction::FromResponder, &[b'x'; 16 * 1024]);
    }
    assert_eq!(flow.conversation.outcome(), Outcome::Broken("no start line to go on at"));
}

proptest! {
    #[test]
    fn where_the_segments_are_cut_makes_no_difference(cuts in prop::collection::vec(1_usize..40, 1..40)) {
        let stream = [
            GET.to_vec(),
            b"POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\npwd=abc".to_vec(),
            b"\r\nPUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_vec(),
            GET.to_vec(),
        ].concat();
        let whole = flow().ask(&stream).said();
        prop_assert_eq!(whole.len(), 3 + 2 + 1 + 3);
        let mut flow = flow();
        let (mut rest, mut cuts) = (&stream[..], cuts.into_iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
            flow.bytes(Direction::FromInitiator, now);
            rest = later;
        }
        prop_assert_eq!(flow.said(), whole);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic_and_say_a_bounded_number_of_things(
        pieces in prop::collection::vec((any::<bool>(), any_piece()), 0..24),
        holes in prop::collection::vec(any::<bool>(), 24),
    ) {
        let mut flow = flow();
        let mut lines = 1;
        for ((from_initiator, piece), hole) in pieces.into_iter().zip(holes) {
            let direction = if from_initiator { Direction::FromInitiator } else { Direction::FromResponder };
            lines += piece.split(|byte| *byte == b'\n').count();
            flow.bytes(direction, &piece);
            if hole {
                flow.conversation.gap(direction, 3, &mut flow.statements);
            }
        }
        prop_assert!(flow.said().len() <= 6 * lines);
    }
}

/// Bytes, or parts of messages that lead deep into the reader.
fn any_piece() -> impl Strategy<Value = Vec<u8>> {
    let parts: Vec<&'static [u8]> = vec![
        b"GET / HTTP/1.1\r\n",
        b"POST / HTTP/1.1\r\n",
        b"HEAD / HTTP/1.0\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 304 \r\n",
        b"Host: a.example\r\n",
        b"Authorization: Basic eA==\r\n",
        b"Content-Type: application/x-www-form-urlencoded\r\n",
        b"Content-Length: 18446744073709551615\r\n",
        b"Content-Length: 9\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"\r\n",
        b"ffffffffffffffff\r\n",
        b"3\r\nabc\r\n",
        b"0\r\n",
        b"pwd=1&",
    ];
    prop_oneof![
        4 => prop::sample::select(parts).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ]
}
