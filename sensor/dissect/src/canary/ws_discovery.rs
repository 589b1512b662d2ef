//! Announcements whose every element and scope carries a canary but the listed ones (WS-Discovery 1.1; ISO/IEEE
//! 11073-20701).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator};

/// Scopes of contexts that are about people, and of nobody's list.
const UNLISTED: [&str; 7] = [
    "sdc.ctxt.pat:/",
    "sdc.ctxt.opr:/",
    "sdc.ctxt.wfl:/",
    "sdc.ctxt.ens:/",
    "sdc.ctxt.mns:/",
    "onvif://www.onvif.org/owner/",
    "http://site.example/",
];

/// Scopes with control values, `{}` where the value stands.
const LISTED: [(&str, &str, Attribute); 5] = [
    ("sdc.ctxt.loc:/sdc.ctxt.loc.detail/x?fac={}", "HOSP", Attribute::Institution),
    ("sdc.ctxt.loc:/sdc.ctxt.loc.detail/x?poc={}", "ICU2", Attribute::Department),
    ("onvif://www.onvif.org/hardware/{}", "IPC-122", Attribute::Model),
    ("onvif://www.onvif.org/location/{}", "Floor 3", Attribute::Location),
    ("onvif://www.onvif.org/name/{}", "Acme Dome", Attribute::Description),
];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![everything()];
    for (at, _) in LISTED.iter().enumerate() {
        streams.extend(BREAKERS.into_iter().map(|shape| broken(at, shape)));
    }
    streams
}

/// Every octet that is no letter or digit in hexadecimal (RFC 3986, 2.1).
fn encoded(value: &str) -> String {
    let octets = value.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    });
    octets.collect()
}

/// An announcement with these scopes; canaries in the header, in other elements and in comments.
fn hello(mint: &mut Mint, scopes: &[String]) -> Vec<u8> {
    let mut token = || mint.token();
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"http://www.w3.org/2005/08/addressing\" \
         xmlns:d=\"http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01\"><s:Header><a:MessageID>{}</a:MessageID>\
         <a:From><a:Address>urn:uuid:{}</a:Address></a:From><d:Types>{}</d:Types><d:Security>{}</d:Security></s:Header><s:Body>\
         <d:Hello note=\"{}\"><!-- {} --><a:EndpointReference><a:Address>urn:uuid:72313cab-7352-51c9-8373-8b4031a66ec7</a:Address>\
         <a:ReferenceParameters>{}</a:ReferenceParameters></a:EndpointReference><d:Scopes>{}</d:Scopes>\
         <d:XAddrs>http://10.73.0.3:80/{} http://{}@10.73.0.3/</d:XAddrs><d:Patient>{}</d:Patient></d:Hello></s:Body></s:Envelope>",
        token(), token(), token(), token(), token(), token(), token(), scopes.join(" "), token(), token(), token()
    )
    .into_bytes()
}

fn everything() -> CanaryStream {
    let mut mint = Mint::default();
    let mut scopes: Vec<String> = UNLISTED.iter().map(|scope| format!("{scope}{}", mint.token())).collect();
    scopes.extend(LISTED.iter().map(|(scope, value, _)| scope.replace("{}", &encoded(value))));
    let turns = vec![from_initiator(hello(&mut mint, &scopes))];
    let mut expected: Vec<_> = LISTED.iter().map(|(_, value, of)| (*of, (*value).to_owned())).collect();
    expected.push((Attribute::EndpointUuid, "72313cab-7352-51c9-8373-8b4031a66ec7".to_owned()));
    stream("ws-discovery everything".to_owned(), mint, turns, expected)
}

fn broken(broken: usize, shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let scopes: Vec<String> = LISTED
        .iter()
        .enumerate()
        .map(|(at, (scope, value, _))| {
            let value = if at == broken { mint.broken(shape) } else { (*value).to_owned() };
            scope.replace("{}", &encoded(&value))
        })
        .collect();
    let turns = vec![from_initiator(hello(&mut mint, &scopes))];
    let expected = vec![(Attribute::Role, "ws-discovery-target".to_owned())];
    stream(format!("ws-discovery scope {broken} broken, {shape}"), mint, turns, expected)
}

fn stream(name: String, mint: Mint, turns: Vec<Turn>, expected: Vec<(Attribute, String)>) -> CanaryStream {
    CanaryStream { name, transport: Transport::Udp, port: 3702, turns, canaries: mint.canaries, expected }
}
