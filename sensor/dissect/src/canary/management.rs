//! Messages that discover, name and manage devices, with canaries wherever people's words may stand: SNMP (RFC 3416, 3418), syslog
//! (RFC 3164, 5424), RADIUS (RFC 2865), SSDP (UPnP), NetBIOS (RFC 1002, [MS-BRWS]), CoAP (RFC 7252, 6690), TFTP (RFC 1350).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

/// Objects that are read, behind 1.3.6.1.2.1: name, control value, attribute.
const OBJECTS: &[(&[u8], &str, Attribute)] = &[
    (&[1, 1, 0], "Acme Pump OS 7.1", Attribute::SystemDescription),
    (&[1, 5, 0], "pump-7.example.org", Attribute::HostName),
    (&[1, 6, 0], "Plant room 2", Attribute::Location),
    (&[47, 1, 1, 1, 1, 11, 1], "SN-0042", Attribute::SerialNumber),
    (&[47, 1, 1, 1, 1, 13, 1], "AC-900", Attribute::Model),
];

/// Objects beside them in which people write: contact, interfaces' and entities' names, programs and their arguments.
const OTHER_OBJECTS: &[&[u8]] = &[
    &[1, 4, 0],
    &[1, 9, 1, 3, 1],
    &[2, 2, 1, 2, 1],
    &[25, 4, 2, 1, 2, 9],
    &[25, 4, 2, 1, 5, 9],
    &[31, 1, 1, 1, 18, 1],
    &[33, 1, 1, 6, 0],
    &[43, 5, 1, 1, 4, 1],
    &[47, 1, 1, 1, 1, 2, 1],
    &[47, 1, 1, 1, 1, 7, 1],
    &[47, 1, 1, 1, 1, 14, 1],
    &[47, 1, 1, 1, 1, 15, 1],
];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![snmp(None), syslog(), radius(None), ssdp(), netbios(), coap(), tftp()];
    for shape in BREAKERS {
        streams.extend(OBJECTS.iter().map(|(object, ..)| snmp(Some((*object, shape)))));
        streams.push(radius(Some(shape)));
    }
    streams
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    [&[tag, 0x82][..], &(contents.len() as u16).to_be_bytes(), &contents].concat()
}

fn bound(name: &[u8], value: &str) -> Vec<u8> {
    let name = tlv(0x06, &[&[0x2B, 6, 1, 2, 1], name]);
    tlv(0x30, &[&name, &tlv(0x04, &[value.as_bytes()])])
}

fn snmp(broken: Option<(&[u8], &str)>) -> CanaryStream {
    let mut mint = Mint::default();
    let mut bindings: Vec<u8> = OTHER_OBJECTS.iter().flat_map(|name| bound(name, &mint.token())).collect();
    let mut expected = vec![(Attribute::CleartextCredential, "snmp-community".to_owned())];
    for (name, control, attribute) in OBJECTS {
        if let Some((_, shape)) = broken.filter(|(object, _)| object == name) {
            bindings.extend(bound(name, &mint.broken(shape)));
        } else {
            bindings.extend(bound(name, control));
            expected.push((*attribute, (*control).to_owned()));
        }
    }
    let mut message = |kind: u8, bindings: &[u8]| {
        let number = |number| tlv(0x02, &[&[number]]);
        let pdu = tlv(kind, &[&number(7), &number(0), &number(0), &tlv(0x30, &[bindings])]);
        tlv(0x30, &[&number(1), &tlv(0x04, &[mint.token().as_bytes()]), &pdu])
    };
    let turns = vec![
        from_initiator(message(0xA0, &bindings)),
        from_initiator(message(0xA3, &bindings)),
        from_responder(message(0xA2, &bindings)),
    ];
    let name = broken
        .map_or_else(|| "snmp".to_owned(), |(object, shape)| format!("snmp {object:?} broken, {shape}"));
    stream(&name, 161, mint, turns, expected)
}

fn syslog() -> CanaryStream {
    let mut mint = Mint::default();
    let lines = [
        format!("<34>Oct 11 22:14:15 pump-7 sshd[42]: failed for {} from {}", mint.token(), mint.token()),
        format!("<13>Oct 11 22:14:15 pump-7 {}: by hand", mint.token()),
        format!("<34>Oct 11 22:14:15 {} {} {}", mint.token(), mint.token(), mint.token()),
        format!("<34>Oct 11 22:14:15 pump-7 {}[{}]: x", mint.broken("{}^DOE"), mint.token()),
        format!(
            "<165>1 2003-10-11T22:14:15.003Z pump-7 evntslog {} {} [{}@1 user=\"{}\"] {}",
            mint.token(),
            mint.token(),
            mint.token(),
            mint.token(),
            mint.token()
        ),
        format!("<14>1 2003-10-11T22:14:15.003Z pump-7 {} - - - {}", mint.token(), mint.token()),
    ];
    let turns = lines.map(|line| from_initiator(line.into_bytes())).to_vec();
    let expected = vec![
        (Attribute::HostName, "pump-7".to_owned()),
        (Attribute::SoftwareName, "sshd".to_owned()),
        (Attribute::SoftwareName, "evntslog".to_owned()),
    ];
    stream("syslog", 514, mint, turns, expected)
}

/// Every kind of attribute there is, in requests and in answers.
fn radius(broken: Option<&str>) -> CanaryStream {
    let mut mint = Mint::default();
    let mut packet = |code: u8| {
        let attributes = (1..=255_u8).flat_map(|kind| {
            let value = match kind {
                4 => vec![10, 73, 0, 2],
                // A switch gives its port's address; a network's name is stated, and is not a canary.
                30 => b"00-10-A4-23-19-C0:Ward WLAN".to_vec(),
                32 => broken.map_or_else(|| "ap-7".to_owned(), |shape| mint.broken(shape)).into_bytes(),
                61 => vec![0, 0, 0, 19],
                _ => mint.token().into_bytes(),
            };
            [vec![kind, value.len() as u8 + 2], value].concat()
        });
        let attributes: Vec<u8> = attributes.collect();
        [&[code, 7][..], &(attributes.len() as u16 + 20).to_be_bytes(), &[7; 16], &attributes].concat()
    };
    let turns = vec![
        from_initiator(packet(1)),
        from_responder(packet(11)),
        from_responder(packet(3)),
        from_initiator(packet(4)),
        from_responder(packet(5)),
    ];
    let mut expected = vec![
        (Attribute::NasPortType, "wireless-802.11".to_owned()),
        (Attribute::WlanName, "Ward WLAN".to_owned()),
        (Attribute::FailedLogin, "radius".to_owned()),
    ];
    if broken.is_none() {
        expected.push((Attribute::HostName, "ap-7".to_owned()));
    }
    stream(&format!("radius {}", broken.unwrap_or("everything")), 1812, mint, turns, expected)
}

fn ssdp() -> CanaryStream {
    let mut mint = Mint::default();
    let mut fields = |names: &[&str]| -> String {
        let lines: Vec<String> = names.iter().map(|name| format!("{name}: {}\r\n", mint.token())).collect();
        lines.concat()
    };
    let search = format!(
        "M-SEARCH * HTTP/1.1\r\n{}USER-AGENT: Finder/3.1\r\n\r\n",
        fields(&["HOST", "MAN", "MX", "ST", "CPFN.UPNP.ORG", "CPUUID.UPNP.ORG", "X-User"])
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\n{}LOCATION: http://display.example/{}\r\n\
         SERVER: Linux/4.9 UPnP/1.0 Display/2.1\r\nST: urn:schemas-upnp-org:device:Basic:1\r\n\
         USN: uuid:2fac1234-31f8-11b4-a222-08002b34c003::urn:schemas-upnp-org:device:Basic:1\r\n\r\n",
        fields(&["CACHE-CONTROL", "DATE", "EXT", "BOOTID.UPNP.ORG", "OPT", "01-NLS", "X-Friendly-Name"]),
        fields(&["path"]).trim_start_matches("path: ").trim_end()
    );
    let turns = vec![from_initiator(search.into_bytes()), from_responder(answer.into_bytes())];
    let expected = vec![
        (Attribute::HttpUserAgent, "Finder/3.1".to_owned()),
        (Attribute::HttpServer, "Linux/4.9 UPnP/1.0 Display/2.1".to_owned()),
        (Attribute::UpnpType, "urn:schemas-upnp-org:device:Basic:1".to_owned()),
    ];
    stream("ssdp", 1900, mint, turns, expected)
}

/// A host's status: its name, and the names of users, which are for messages to them.
fn netbios() -> CanaryStream {
    let mut mint = Mint::default();
    let entry = |name: &str, suffix: u8| [format!("{name:<15}").as_bytes(), &[suffix, 0x04, 0x00]].concat();
    let mut entries = entry("PUMP-7", 0x00);
    let others = [0x03, 0x06, 0x1F, 0x21, 0x22, 0x87, 0xBE, 0xBF];
    entries.extend(others.iter().flat_map(|suffix| entry(&mint.token(), *suffix)));
    let data = [&[others.len() as u8 + 1][..], &entries, &[0; 46]].concat();
    let name = [&[32][..], b"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &[0]].concat();
    let record = [&[0, 0x21, 0, 1, 0, 0, 0, 0][..], &(data.len() as u16).to_be_bytes(), &data].concat();
    let status = [&[0, 7, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0][..], &name, &record].concat();
    let expected = vec![(Attribute::HostName, "pump-7".to_owned())];
    stream("netbios status", 137, mint, vec![from_responder(status)], expected)
}

fn coap() -> CanaryStream {
    let mut mint = Mint::default();
    let mut path = |first: u8| {
        let token = mint.token();
        [&[first | 0x0D, token.len() as u8 - 13][..], token.as_bytes()].concat()
    };
    // Uri-Path twice, and Uri-Query.
    let request = [&[0x40, 1, 0, 7][..], &path(0xB0), &path(0x00), &path(0x40)].concat();
    let text = format!("{{\"patient\":\"{}\",\"rt\":\"{}\"}}", mint.token(), mint.token());
    let content = [&[0x60, 0x45, 0, 7, 0xC1, 50, 0xFF][..], text.as_bytes()].concat();
    let list = format!("</{}>;title=\"{}\";rt=\"core.s\";x={}", mint.token(), mint.token(), mint.token());
    let links = [&[0x60, 0x45, 0, 7, 0xC1, 40, 0xFF][..], list.as_bytes()].concat();
    let turns = vec![from_initiator(request), from_responder(content), from_responder(links)];
    let expected = vec![(Attribute::CoapResourceType, "core.s".to_owned())];
    stream("coap", 5683, mint, turns, expected)
}

fn tftp() -> CanaryStream {
    let mut mint = Mint::default();
    let request = format!("\0\x01{}.cfg\0octet\0{}\0{}\0", mint.token(), mint.token(), mint.token());
    let expected = vec![(Attribute::Role, "tftp-client".to_owned())];
    stream("tftp", 69, mint, vec![from_initiator(request.into_bytes())], expected)
}

fn stream(
    name: &str,
    port: u16,
    mint: Mint,
    turns: Vec<Turn>,
    expected: Vec<(Attribute, String)>,
) -> CanaryStream {
    CanaryStream {
        name: name.to_owned(),
        transport: Transport::Udp,
        port,
        turns,
        canaries: mint.canaries,
        expected,
    }
}
