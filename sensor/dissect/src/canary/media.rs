//! Voice and video: numbers, names, subjects, texts, addresses of streams and descriptions of sessions carry canaries
//! (RFC 3261, RFC 2326, RFC 8866).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![sip(Transport::Udp, None), sip(Transport::Tcp, None), rtsp()];
    streams.extend(BREAKERS.into_iter().map(|shape| sip(Transport::Tcp, Some(shape))));
    streams
}

fn stream(
    name: &str,
    transport: Transport,
    mint: Mint,
    turns: Vec<Turn>,
    expected: &[(Attribute, &str)],
) -> CanaryStream {
    let expected = expected.iter().map(|(attribute, value)| (*attribute, (*value).to_owned())).collect();
    let (name, canaries) = (name.to_owned(), mint.canaries);
    CanaryStream { name, transport, port: 9999, turns, canaries, expected }
}

/// Lines with a canary for each `{}`, and the body with its length.
fn message(mint: &mut Mint, lines: &[&str], body: &[&str]) -> Vec<u8> {
    let mut text = |lines: &[&str]| {
        let mut text = String::new();
        for piece in lines.join("\r\n").split_inclusive("{}") {
            text += &piece
                .strip_suffix("{}")
                .map_or_else(|| piece.to_owned(), |shape| shape.to_owned() + &mint.token());
        }
        text + "\r\n"
    };
    let (head, body) = (text(lines), if body.is_empty() { String::new() } else { text(body) });
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn sip(transport: Transport, broken: Option<&str>) -> CanaryStream {
    let mut mint = Mint::default();
    let agent = broken.map_or_else(|| "Acme T46/66.81".to_owned(), |shape| mint.broken(shape));
    let agent = format!("User-Agent: {agent}");
    let server = broken.map_or_else(|| "Acme PBX/16.2".to_owned(), |shape| mint.broken(shape));
    let server = format!("Server: {server}");
    let registration = message(
        &mut mint,
        &[
            "REGISTER sip:{}@{}.example SIP/2.0",
            "Via: SIP/2.0/UDP {}.example:5060;branch={};received={}",
            "From: \"{}\" <sip:{}@{}.example>;tag={}",
            "To: {} <sip:{}@{}.example>",
            "Call-ID: 1",
            "CSeq: 1 REGISTER",
            "Contact: {} <sip:{}@{}.example>;+sip.instance=\"{}\"",
            &agent,
            "Authorization: Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{}\"",
            "P-Asserted-Identity: {} <tel:{}>",
            "Organization: {}",
            "Subject: {}",
            "X-{}: {}",
            " {}",
        ],
        &[],
    );
    let refusal = message(
        &mut mint,
        &[
            "SIP/2.0 401 {} may not",
            "Via: SIP/2.0/UDP {}.example:5060;branch={}",
            "Call-ID: 1",
            "CSeq: 1 REGISTER",
            &server,
            "WWW-Authenticate: Digest realm=\"{}\", nonce=\"{}\", opaque=\"{}\"",
            "Warning: 399 {} \"{}\"",
        ],
        &["{}"],
    );
    let call = message(
        &mut mint,
        &[
            "INVITE sip:{}@{}.example SIP/2.0",
            "v: SIP/2.0/UDP {}.example",
            "f: {} <sip:{}@{}.example>",
            "t: {} <sip:{}@{}.example>",
            "i: {}",
            "s: {}",
            "m: <sip:{}@{}.example>",
            "CSeq: 2 INVITE",
            "c: application/sdp",
            "Call-Info: <http://{}.example/{}>",
        ],
        &[
            "v=0",
            "o={} 1 1 IN IP4 {}.example",
            "s={}",
            "i={}",
            "u=http://{}",
            "e={}@{}.example",
            "p={}",
            "a=tool:{}",
        ],
    );
    let text = message(
        &mut mint,
        &[
            "MESSAGE sip:{}@{}.example SIP/2.0",
            "Via: SIP/2.0/UDP {}.example",
            "Call-ID: {}",
            "CSeq: 3 MESSAGE",
        ],
        &["{}", "User-Agent: {}", "SIP/2.0 200 OK", "Server: {}"],
    );
    let turns = vec![
        from_initiator(registration),
        from_responder(refusal),
        from_initiator(call),
        from_initiator(text),
    ];
    let mut expected = vec![
        (Attribute::Role, "sip-client"),
        (Attribute::Role, "sip-registrar"),
        (Attribute::CleartextCredential, "sip-digest"),
        (Attribute::FailedLogin, "sip"),
    ];
    if broken.is_none() {
        expected
            .extend([(Attribute::HttpUserAgent, "Acme T46/66.81"), (Attribute::HttpServer, "Acme PBX/16.2")]);
    }
    let name = broken.map_or_else(
        || format!("sip everything over {transport:?}"),
        |shape| format!("sip products broken, {shape}"),
    );
    stream(&name, transport, mint, turns, &expected)
}

fn rtsp() -> CanaryStream {
    let mut mint = Mint::default();
    let question = message(
        &mut mint,
        &[
            "DESCRIBE rtsp://{}:{}@{}.example:8554/{}?{} RTSP/1.0",
            "CSeq: 1",
            "User-Agent: LibVLC/3.0.16",
            "Authorization: Digest username=\"{}\", realm=\"{}\", uri=\"{}\", response=\"{}\"",
            "Session: {}",
            "From: {}@{}.example",
            "X-{}: {}",
        ],
        &[],
    );
    let refusal = message(
        &mut mint,
        &[
            "RTSP/1.0 401 {}",
            "CSeq: 1",
            "Server: VLC/3.0.12",
            "WWW-Authenticate: Basic realm=\"{}\"",
            "Content-Base: rtsp://{}.example/{}",
        ],
        &["v=0", "o={} 1 1 IN IP4 {}.example", "s={}", "i={}", "Server: {}"],
    );
    let media = [&b"$\x00\x00\x0D"[..], mint.token().as_bytes()].concat();
    let turns = vec![from_initiator(question), from_responder(refusal), from_responder(media)];
    let expected = [
        (Attribute::HttpUserAgent, "LibVLC/3.0.16"),
        (Attribute::HttpServer, "VLC/3.0.12"),
        (Attribute::CleartextCredential, "rtsp"),
        (Attribute::FailedLogin, "rtsp"),
    ];
    stream("rtsp everything", Transport::Tcp, mint, turns, &expected)
}
