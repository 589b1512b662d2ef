//! Log-ins, directories and files: users, passwords, paths, entries and texts carry canaries (RFC 959, 854, 4511, 4120).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![ftp(), telnet(), ldap(None), kerberos()];
    streams.extend(BREAKERS.into_iter().map(|shape| ldap(Some(shape))));
    streams
}

fn stream(name: &str, mint: Mint, turns: Vec<Turn>, expected: &[(Attribute, &str)]) -> CanaryStream {
    let expected = expected.iter().map(|(attribute, value)| (*attribute, (*value).to_owned())).collect();
    let (name, canaries) = (name.to_owned(), mint.canaries);
    CanaryStream { name, transport: Transport::Tcp, port: 9999, turns, canaries, expected }
}

fn ftp() -> CanaryStream {
    let mut mint = Mint::default();
    let mut line = |shape: &str| format!("{}\r\n", shape.replace("{}", &mint.token())).into_bytes();
    let mut turns = vec![
        from_responder(line("220-{} keeps this server")),
        from_responder(line("220 ProFTPD 1.3.5 of {}")),
    ];
    for (command, reply) in [
        ("USER {}", "331 Password required for {}"),
        ("PASS {}", "530 {} may not log in"),
        ("ACCT {}", "202 {}"),
        ("SYST", "215 Windows_NT {}"),
        ("CWD /patients/{}", "250 Now in {}"),
        ("PWD", "257 \"/home/{}\""),
        ("RETR {}.dcm", "150 Opening {}"),
        ("STOR {}.pdf", "226 {} stored"),
        ("{}", "500 {}?"),
    ] {
        turns.extend([from_initiator(line(command)), from_responder(line(reply))]);
    }
    let expected = [
        (Attribute::SoftwareName, "ProFTPD"),
        (Attribute::SoftwareVersion, "1.3.5"),
        (Attribute::CleartextCredential, "ftp"),
        (Attribute::FailedLogin, "ftp"),
        (Attribute::OperatingSystem, "Windows"),
    ];
    stream("ftp everything", mint, turns, &expected)
}

fn telnet() -> CanaryStream {
    let mut mint = Mint::default();
    let mut text = |shape: &str| shape.replace("{}", &mint.token()).into_bytes();
    let turns = vec![
        from_responder(vec![255, 253, 24, 255, 253, 39]),
        from_initiator([&[255, 250, 39, 0, 0][..], &text("USER\u{1}{}"), &[255, 240]].concat()),
        from_responder(text("{} keeps this\r\nBusyBox v1.19.4\r\n{} login: ")),
        from_initiator(text("{}\r\n")),
        from_responder(text("{}\r\nPassword: ")),
        from_initiator(text("{}\r\n")),
        from_responder(text("\r\nLogin incorrect, {}\r\n# ")),
        from_initiator(text("cat {}\r\n")),
        from_responder(text("{}: BusyBox v9.9.9\r\n")),
    ];
    let expected = [
        (Attribute::SoftwareVersion, "1.19.4"),
        (Attribute::CleartextCredential, "telnet"),
        (Attribute::FailedLogin, "telnet"),
    ];
    stream("telnet everything", mint, turns, &expected)
}

/// An element of ASN.1 in basic encoding, with a length of three octets.
pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    [&[tag, 0x82, high, low], content].concat()
}

fn octets(text: &str) -> Vec<u8> {
    tlv(4, text.as_bytes())
}

fn message(operation: u8, fields: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &[&[2, 1, 5][..], &tlv(operation, &fields.concat())].concat())
}

fn result(operation: u8, code: u8, text: &str) -> Vec<u8> {
    message(operation, &[vec![10, 1, code], octets(text), octets(text)])
}

/// A bind that is refused, an entry that is found, and the root entry, whose host name may be broken.
fn ldap(broken: Option<&str>) -> CanaryStream {
    let mut mint = Mint::default();
    let attribute = |name: &str, value: &str| tlv(0x30, &[octets(name), tlv(0x31, &octets(value))].concat());
    let bind = message(
        0x60,
        &[vec![2, 1, 3], octets(&format!("cn={}", mint.token())), tlv(0x80, mint.token().as_bytes())],
    );
    let search = message(
        0x63,
        &[
            octets(&mint.token()),
            vec![10, 1, 2, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0],
            tlv(0xA3, &[octets("uid"), octets(&mint.token())].concat()),
            tlv(0x30, &[]),
        ],
    );
    let person = [
        attribute("dnsHostName", &mint.token()),
        attribute("mail", &mint.token()),
        attribute(&mint.token(), &mint.token()),
    ];
    let entry = message(0x64, &[octets(&format!("cn={}", mint.token())), tlv(0x30, &person.concat())]);
    let host = broken.map_or_else(|| "dc1.clinic.example".to_owned(), |shape| mint.broken(shape));
    let of_server = [
        attribute("dnsHostName", &host),
        attribute("defaultNamingContext", "DC=clinic,DC=example"),
        attribute("serverName", &mint.token()),
        attribute("ldapServiceName", &mint.token()),
        attribute(&mint.token(), &mint.token()),
    ];
    let root = message(0x64, &[octets(""), tlv(0x30, &of_server.concat())]);
    let turns = vec![
        from_initiator(bind),
        from_responder(result(0x61, 49, &mint.token())),
        from_initiator(search),
        from_responder(entry),
        from_responder(root),
        from_responder(result(0x65, 0, &mint.token())),
    ];
    let mut expected = vec![
        (Attribute::CleartextCredential, "ldap"),
        (Attribute::FailedLogin, "ldap"),
        (Attribute::Domain, "clinic.example"),
    ];
    if broken.is_none() {
        expected.push((Attribute::HostName, "dc1.clinic.example"));
    }
    let name = broken
        .map_or_else(|| "ldap everything".to_owned(), |shape| format!("ldap dnsHostName broken, {shape}"));
    stream(&name, mint, turns, &expected)
}

fn kerberos() -> CanaryStream {
    let mut mint = Mint::default();
    let text = |text: &str| tlv(0x1B, text.as_bytes());
    let number = |tag: u8, number: u8| vec![tag, 3, 2, 1, number];
    let principal = |tag: u8, name: &str| {
        tlv(tag, &tlv(0x30, &[number(0xA0, 1), tlv(0xA1, &tlv(0x30, &text(name)))].concat()))
    };
    let body = [
        principal(0xA1, &mint.token()),
        tlv(0xA2, &text(&mint.token())),
        principal(0xA3, &mint.token()),
        tlv(0xA8, &tlv(0x30, &[2, 1, 23])),
    ];
    let request = [number(0xA1, 5), number(0xA2, 10), tlv(0xA4, &tlv(0x30, &body.concat()))];
    let error = [
        number(0xA0, 5),
        number(0xA1, 30),
        number(0xA6, 24),
        tlv(0xA7, &text(&mint.token())),
        principal(0xA8, &mint.token()),
        tlv(0xA9, &text("CLINIC.EXAMPLE")),
        principal(0xAA, &mint.token()),
        tlv(0xAB, &text(&mint.token())),
    ];
    let framed = |tag: u8, fields: &[Vec<u8>]| {
        let message = tlv(tag, &tlv(0x30, &fields.concat()));
        let [.., high, low] = message.len().to_be_bytes();
        [&[0, 0, high, low], &message[..]].concat()
    };
    let turns = vec![from_initiator(framed(0x6A, &request)), from_responder(framed(0x7E, &error))];
    let expected = [
        (Attribute::Domain, "CLINIC.EXAMPLE"),
        (Attribute::FailedLogin, "kerberos"),
        (Attribute::WeakProtocol, "kerberos-rc4"),
    ];
    stream("kerberos everything", mint, turns, &expected)
}
