//! Voice, video, print, messages: numbers, names, subjects, texts, addresses of streams, descriptions of sessions, clients,
//! topics, what is published, and jobs carry canaries (RFC 3261, RFC 2326, RFC 8866, MQTT 5.0, PJL).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams =
        vec![sip(Transport::Udp, None), sip(Transport::Tcp, None), rtsp(), mqtt(4), mqtt(5), pjl()];
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

/// A log-in that is refused, with everything that its version has.
fn mqtt(level: u8) -> CanaryStream {
    let mut mint = Mint::default();
    let mut field = |shape: &str| {
        let text = shape.replace("{}", &mint.token());
        let [.., high, low] = text.len().to_be_bytes();
        [&[high, low], text.as_bytes()].concat()
    };
    let packet = |first: u8, parts: &[Vec<u8>]| {
        let content = parts.concat();
        [&[first, content.len() as u8 & 0x7F | 0x80, (content.len() >> 7) as u8][..], &content].concat()
    };
    let mut properties = |identifiers: &[u8]| {
        let all: Vec<u8> = identifiers
            .iter()
            .flat_map(|identifier| {
                [&[*identifier][..], &field("{}"), &if *identifier == 38 { field("{}") } else { vec![] }]
                    .concat()
            })
            .collect();
        if level == 5 { [&[all.len() as u8][..], &all].concat() } else { vec![] }
    };
    let (of_client, of_will, of_broker) =
        (properties(&[21, 22, 38]), properties(&[3, 8, 38]), properties(&[18, 28, 31]));
    let question = packet(
        0x10,
        &[
            [&b"\0\x04MQTT"[..], &[level, 0xC6, 0, 60]].concat(),
            of_client,
            field("{}"),
            of_will,
            field("ward/{}/pump"),
            field("{}"),
            field("{}"),
            field("{}"),
        ],
    );
    let code = if level == 5 { 0x87 } else { 5 };
    let answer = packet(0x20, &[vec![0, code], of_broker]);
    let published = packet(0x30, &[field("ward/{}/pump"), field("{}")]);
    let turns = vec![
        from_initiator(question),
        from_initiator(published.clone()),
        from_responder(answer),
        from_initiator(published.clone()),
        from_responder(published),
    ];
    let version = if level == 5 { "5.0" } else { "3.1.1" };
    let expected = [
        (Attribute::MqttVersion, version),
        (Attribute::Role, "mqtt-client"),
        (Attribute::Role, "mqtt-broker"),
        (Attribute::CleartextCredential, "mqtt"),
        (Attribute::FailedLogin, "mqtt"),
    ];
    stream(&format!("mqtt {version} everything"), Transport::Tcp, mint, turns, &expected)
}

/// A job, and answers in which all but the listed names hold canaries.
fn pjl() -> CanaryStream {
    let mut mint = Mint::default();
    let mut text = |lines: &[&str]| {
        let mut text = String::new();
        for piece in lines.join("\r\n").split_inclusive("{}") {
            text += &piece
                .strip_suffix("{}")
                .map_or_else(|| piece.to_owned(), |shape| shape.to_owned() + &mint.token());
        }
        (text + "\r\n").into_bytes()
    };
    let job = text(&[
        "\u{1b}%-12345X@PJL COMMENT {}",
        "@PJL JOB NAME=\"{}\" DISPLAY=\"{}\"",
        "@PJL SET USERNAME=\"{}\"",
        "@PJL FSUPLOAD NAME=\"0:\\{}\"",
        "@PJL ENTER LANGUAGE=PCL",
        "{}\u{c}@PJL INFO ID",
        "{}\u{c}",
    ]);
    let answers = [
        text(&[
            "@PJL INFO ID",
            "\"Acme LaserJet 4250\"",
            "{}",
            "\u{c}@PJL INFO VARIABLES",
            "USERNAME=\"{}\" [1 STRING]",
        ]),
        text(&[
            "{}={}",
            "RDYMSG={}",
            "\u{c}@PJL INFO PRODINFO",
            "ProductSerialNumber = VNB4G64636",
            "Contact = {}",
            "{}",
        ]),
        text(&[
            "\u{c}@PJL INFO FILESYS",
            "ProductSerialNumber = {}",
            "\u{c}@PJL USTATUS JOB",
            "NAME=\"{}\"",
            "ID={}",
        ]),
        text(&["\u{c}@PJL FSDIRLIST NAME=\"0:\\{}\"", "{} TYPE=FILE", "\u{c}{}", "\u{c}"]),
    ];
    let turns = vec![from_initiator(job.clone()), from_responder(answers.concat()), from_initiator(job)];
    let expected = [
        (Attribute::Role, "pjl-printer"),
        (Attribute::Model, "Acme LaserJet 4250"),
        (Attribute::SerialNumber, "VNB4G64636"),
    ];
    stream("pjl everything", Transport::Tcp, mint, turns, &expected)
}
