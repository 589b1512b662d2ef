//! Requests and answers whose targets, header fields and bodies carry canaries (RFC 9110, 9112).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

/// Header fields of requests that say nothing about a device.
const OF_REQUEST: [&str; 14] = [
    "Accept",
    "Accept-Language",
    "Cookie",
    "From",
    "If-Match",
    "If-None-Match",
    "Origin",
    "Range",
    "Referer",
    "X-Api-Key",
    "X-Patient-Id",
    "X-Request-Id",
    "X-User",
    "SOAPAction",
];

/// Header fields of answers that say nothing about a device.
const OF_ANSWER: [&str; 12] = [
    "Age",
    "Content-Disposition",
    "Content-Language",
    "Content-Location",
    "ETag",
    "Link",
    "Location",
    "Set-Cookie",
    "Warning",
    "WWW-Authenticate",
    "X-Patient-Id",
    "X-Trace",
];

/// Listed fields: name, control value, attribute.
const HOST: (&str, &str, Attribute) = ("Host", "pacs-7.example.org", Attribute::HttpHost);
const USER_AGENT: (&str, &str, Attribute) = ("User-Agent", "PumpLink/2.1", Attribute::HttpUserAgent);
const SERVER: (&str, &str, Attribute) = ("Server", "Apache/2.4.57 (Debian)", Attribute::HttpServer);

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![everything()];
    for broken in [HOST, USER_AGENT, SERVER] {
        streams.extend(BREAKERS.into_iter().map(|shape| broken_field(broken.0, shape)));
    }
    streams.extend(BREAKERS.into_iter().map(broken_realm));
    streams
}

/// A head: start line, these fields, a length, and the body.
fn message(start: &str, fields: &[(String, String)], body: &str) -> Vec<u8> {
    let mut lines = vec![start.to_owned()];
    lines.extend(fields.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.push(format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    lines.join("\r\n").into_bytes()
}

fn listed(fields: &[(&str, &str, Attribute)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value, _)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn with_canaries(
    mint: &mut Mint,
    mut fields: Vec<(String, String)>,
    names: &[&str],
) -> Vec<(String, String)> {
    fields.extend(names.iter().map(|name| ((*name).to_owned(), mint.token())));
    fields
}

/// Base64 of a text whose length is a multiple of three (RFC 4648, 4).
fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = text.as_bytes().chunks(3).flat_map(|octets| {
        let number = octets.iter().fold(0_usize, |number, octet| number << 8 | usize::from(*octet));
        [18, 12, 6, 0].map(|shift| number >> shift & 63)
    });
    bits.filter_map(|index| ALPHABET.get(index).copied()).map(char::from).collect()
}

fn everything() -> CanaryStream {
    let mut mint = Mint::default();
    let mut turns = Vec::new();
    // Basic credentials, a bearer token, a form, a document: each with the answer to it.
    let user = format!("{}:{}:", mint.token(), mint.token());
    let credentials = base64(&user[..user.len() / 3 * 3]);
    mint.canaries.push(credentials.clone());
    let bearer = mint.token();
    let digest = format!("Digest username=\"{}\", realm=\"{}\"", mint.token(), mint.token());
    for credential in [format!("Basic {credentials}"), format!("Bearer {bearer}"), digest, String::new()] {
        let mut fields = with_canaries(&mut mint, listed(&[HOST, USER_AGENT]), &OF_REQUEST);
        let (kind, body) = if credential.is_empty() {
            ("application/x-www-form-urlencoded", format!("user={}&password={}", mint.token(), mint.token()))
        } else {
            ("application/fhir+json", format!(r#"{{"resourceType":"Patient","id":"{}"}}"#, mint.token()))
        };
        fields.push(("Content-Type".to_owned(), kind.to_owned()));
        if !credential.is_empty() {
            fields.push(("Authorization".to_owned(), credential));
        }
        let start = format!("POST /Patient/{}?name={} HTTP/1.1", mint.token(), mint.token());
        turns.push(from_initiator(message(&start, &fields, &body)));
        let fields = with_canaries(&mut mint, listed(&[SERVER]), &OF_ANSWER);
        let body = format!("<html><title>{}</title><body>{}</body></html>", mint.token(), mint.token());
        turns.push(from_responder(message(&format!("HTTP/1.1 200 {}", mint.token()), &fields, &body)));
    }
    turns.push(from_initiator(message("GET / HTTP/1.1", &listed(&[HOST]), "")));
    let chunk = mint.token();
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x};note={}\r\n{chunk}\r\n0\r\nX-Trailer: {}\r\n\r\n",
        chunk.len(),
        mint.token(),
        mint.token()
    );
    turns.push(from_responder(chunked.into_bytes()));
    let mut expected: Vec<_> =
        [HOST, USER_AGENT, SERVER].iter().map(|(_, value, of)| (*of, (*value).to_owned())).collect();
    expected.extend(
        ["http-basic", "http-bearer", "http-digest", "http-form"]
            .map(|kind| (Attribute::CleartextCredential, kind.to_owned())),
    );
    stream("http everything".to_owned(), mint, turns, expected)
}

fn broken_field(name: &str, shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let broken = mint.broken(shape);
    let with = |fields: &[(&str, &str, Attribute)]| {
        let mut fields = listed(fields);
        fields.iter_mut().filter(|(of, _)| of == name).for_each(|(_, value)| value.clone_from(&broken));
        fields
    };
    let turns = vec![
        from_initiator(message("GET / HTTP/1.1", &with(&[HOST, USER_AGENT]), "")),
        from_responder(message("HTTP/1.1 200 OK", &with(&[SERVER]), "")),
    ];
    let expected = [HOST, USER_AGENT, SERVER]
        .iter()
        .filter(|(of, ..)| *of != name)
        .map(|(_, value, attribute)| (*attribute, (*value).to_owned()))
        .collect();
    stream(format!("http {name} broken, {shape}"), mint, turns, expected)
}

/// A realm that names a person, beside parameters that are not for anybody (RFC 7616, 3.3).
fn broken_realm(shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let realm = mint.broken(shape);
    let challenge =
        format!("Digest nonce=\"{}\", realm=\"{realm}\", opaque=\"{}\"", mint.token(), mint.token());
    let mut fields = listed(&[SERVER]);
    fields.push(("WWW-Authenticate".to_owned(), challenge));
    let turns = vec![
        from_initiator(message("GET / HTTP/1.1", &listed(&[HOST]), "")),
        from_responder(message("HTTP/1.1 401 Unauthorized", &fields, "")),
    ];
    let expected = vec![(SERVER.2, SERVER.1.to_owned())];
    stream(format!("http realm broken, {shape}"), mint, turns, expected)
}

fn stream(name: String, mint: Mint, turns: Vec<Turn>, expected: Vec<(Attribute, String)>) -> CanaryStream {
    CanaryStream { name, transport: Transport::Tcp, port: 80, turns, canaries: mint.canaries, expected }
}
