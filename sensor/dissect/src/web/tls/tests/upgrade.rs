//! Conversations as the standards show them: RFC 3207, 5; RFC 9051, 6.2.1; RFC 2595, 4; RFC 6120, 5.4.

use super::*;

const SMTP: [&str; 3] = [
    "220 mail.example.com ESMTP service ready\r\n",
    "EHLO client.example.org\r\n",
    "250-mail.example.com offers a warm hug of welcome\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 DSN\r\n",
];

const STREAM: &str = "<?xml version='1.0'?>\n<stream:stream from='juliet@im.example.com' to='im.example.com' version='1.0' \
                      xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

fn hello() -> Vec<u8> {
    record(HANDSHAKE, &client_hello("mail.example.com"))
}

/// What the server says as soon as it is asked to begin.
fn answer() -> Vec<u8> {
    let done = handshake(SERVER_HELLO_DONE, &[]);
    record(HANDSHAKE, &[server_hello([3, 3], None), certificate(MACHINE), done].concat())
}

/// What the client says until it asks, and the server until it agrees.
fn conversations() -> [[String; 2]; 4] {
    let [greeting, ehlo, offers] = SMTP;
    [
        [format!("{ehlo}STARTTLS\r\n"), format!("{greeting}{offers}220 Go ahead\r\n")],
        [
            "a001 CAPABILITY\r\na002 STARTTLS\r\n".into(),
            "* OK ready\r\n* CAPABILITY IMAP4rev2 STARTTLS LOGINDISABLED\r\na001 OK\r\na002 OK Begin TLS now\r\n".into(),
        ],
        ["CAPA\r\nstls\r\n".into(), "+OK ready\r\n+OK\r\nSTLS\r\n.\r\n+OK Begin TLS negotiation\r\n".into()],
        [
            format!("{STREAM}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
            "<stream:stream from='im.example.com'><stream:features><starttls/></stream:features><proceed/>".into(),
        ],
    ]
}

#[test]
fn behind_starttls_the_handshake_is_read() {
    for [client, server] in conversations() {
        let flow = flow().answer(server.as_bytes()).ask(client.as_bytes()).ask(&hello()).answer(&answer());
        assert_eq!(flow.conversation.protocol(), Protocol::Tls, "{client}");
        assert_eq!(flow.values(Attribute::TlsServerName), ["mail.example.com"], "{client}");
        assert_eq!(flow.values(Attribute::TlsVersion), ["tls1.2"], "{client}");
        assert_eq!(flow.values(Attribute::CertificateSha256).len(), 1, "{client}");
        assert_eq!(flow.said()[..1], ["sender 192.0.2.1 role tls-client"]);
    }
}

#[test]
fn all_protocols_are_asked_and_none_takes_it() {
    for [client, server] in conversations() {
        let flow = TestFlow::new(crate::TCP).answer(server.as_bytes()).ask(client.as_bytes()).ask(&hello());
        assert_eq!(flow.conversation.protocol(), Protocol::Tls, "{client}");
    }
}

#[test]
fn where_segments_are_cut_makes_no_difference() {
    for [client, server] in conversations() {
        let mut flow = flow();
        let from_client = [client.as_bytes(), &hello()].concat();
        from_client.chunks(1).for_each(|octet| flow.bytes(Direction::FromInitiator, octet));
        let from_server = [server.as_bytes(), &answer()].concat();
        from_server.chunks(1).for_each(|octet| flow.bytes(Direction::FromResponder, octet));
        assert_eq!(flow.said().len(), 10, "{client}");
    }
}

#[test]
fn a_client_that_goes_on_in_clear_and_one_that_never_asked_are_not_followed() {
    let [greeting, ehlo, offers] = SMTP;
    for client in [
        format!("{ehlo}MAIL FROM:<a@example.org>\r\nSTARTTLS\r\n"),
        ehlo.to_owned(),
        format!("{ehlo}STARTTLS\r\nQUIT\r\n"),
        "a001 LOGIN a b\r\na002 STARTTLS\r\n".into(),
        "CONNECT mail.example.com:443 HTTP/1.1\r\n\r\n".into(),
        STREAM.into(),
        "<?xml version='1.0'?><note><starttls/>".into(),
        format!("EHLO {}\r\nSTARTTLS\r\n", "a".repeat(600)),
    ] {
        let flow =
            flow().answer(greeting.as_bytes()).answer(offers.as_bytes()).ask(client.as_bytes()).ask(&hello());
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{client}");
        assert_eq!(flow.said(), [""; 0]);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(client in "[A-Z<>/?:a-z \r\n]{0,80}", noise in any::<Vec<u8>>()) {
        for start in ["", "EHLO a\r\nSTARTTLS\r\n", "<?xml ?><stream:stream>", "<starttls/>"] {
            let flow = flow().ask(start.as_bytes()).ask(client.as_bytes()).ask(&noise).answer(&noise);
            prop_assert!(flow.said().len() <= 40);
        }
    }
}
