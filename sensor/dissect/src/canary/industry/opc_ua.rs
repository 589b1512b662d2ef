//! A session of OPC UA under policy None (OPC 10000-6, 5.2 and 6.7): everything but who the applications are is a canary.

use wardwatch_proto::v1::Attribute;

use super::super::{BREAKERS, CanaryStream, Mint, Transport, from_initiator, from_responder};
use super::stream;

/// Fields of a server's description: the application's URI, the product's, the name.
const LISTED: [(&str, Attribute); 3] = [
    ("urn:acme:gateway", Attribute::OpcUaApplicationUri),
    ("http://acme.example/gateway", Attribute::OpcUaProductUri),
    ("Acme Gateway", Attribute::SoftwareName),
];

/// A null string or array.
const NULL: [u8; 4] = [0xFF; 4];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![session(None)];
    for field in 0..LISTED.len() {
        streams.extend(BREAKERS.map(|shape| session(Some((field, shape)))));
    }
    streams
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

fn message(number: u16, rest: &[&[u8]]) -> Vec<u8> {
    let [low, high] = number.to_le_bytes();
    let body = [&[7; 16][..], &[1, 0, low, high], &rest.concat()].concat();
    [&b"MSGF"[..], &(body.len() as u32 + 8).to_le_bytes(), &body].concat()
}

fn application(uri: &str, product: &str, name: &str, mint: &mut Mint) -> Vec<u8> {
    let name = [&[3][..], &string("en"), &string(name)].concat();
    let gateway = string(&mint.token());
    let urls = [&[1, 0, 0, 0][..], &string(&mint.token())].concat();
    [&string(uri)[..], &string(product), &name, &[0; 4], &gateway, &NULL, &urls].concat()
}

fn session(broken: Option<(usize, &str)>) -> CanaryStream {
    let mut mint = Mint::default();
    let mut values: Vec<String> = LISTED.iter().map(|(value, _)| (*value).to_owned()).collect();
    if let Some((field, shape)) = broken
        && let Some(value) = values.get_mut(field)
    {
        *value = mint.broken(shape);
    }
    let [uri, product, name] = [0, 1, 2].map(|field| values.get(field).cloned().unwrap_or_default());
    let request = [&[0, 0][..], &[0; 16], &string(&mint.token()), &[0; 4], &[0, 0, 0]].concat();
    let response = [&[0; 17][..], &NULL, &[0, 0, 0]].concat();

    let server = application(&uri, &product, &name, &mut mint);
    let token = [&string(&mint.token())[..], &[1, 0, 0, 0], &NULL, &string(&mint.token()), &NULL].concat();
    let endpoint = [
        &string(&mint.token())[..],
        &server,
        &NULL,
        &[1, 0, 0, 0],
        &string("http://opcfoundation.org/UA/SecurityPolicy#None"),
        &[1, 0, 0, 0],
        &token,
        &string(&mint.token()),
        &[0],
    ]
    .concat();
    let client = application("urn:acme:client", "urn:acme:tools", "Acme Tools", &mut mint);
    let create =
        [&client[..], &string(&mint.token()), &string(&mint.token()), &string(&mint.token()), &NULL, &NULL];
    let user = [&string(&mint.token())[..], &string(&mint.token()), &string(&mint.token()), &NULL].concat();
    let identity = [&[1, 0, 0x44, 1, 1][..], &(user.len() as u32).to_le_bytes(), &user].concat();
    let activate = [&NULL[..], &NULL, &NULL, &NULL, &identity, &NULL, &NULL];
    // A value that is read (634), and one that is written (673).
    let (read, written) = (string(&mint.token()), string(&mint.token()));
    let turns = vec![
        from_responder(message(431, &[&response, &[1, 0, 0, 0], &endpoint])),
        from_initiator(message(461, &[&request, &create.concat(), &[0; 12]])),
        from_initiator(message(467, &[&request, &activate.concat()])),
        from_responder(message(634, &[&response, &[1, 0, 0, 0, 1, 12], &read])),
        from_initiator(message(673, &[&request, &[1, 0, 0, 0], &written])),
    ];
    let mut expected: Vec<_> = LISTED
        .iter()
        .enumerate()
        .filter(|(field, _)| broken.is_none_or(|(of, _)| of != *field))
        .map(|(_, (value, attribute))| (*attribute, (*value).to_owned()))
        .collect();
    expected.extend([
        (Attribute::OpcUaApplicationUri, "urn:acme:client".to_owned()),
        (Attribute::CleartextCredential, "opcua-password".to_owned()),
        (Attribute::WeakProtocol, "opcua-none".to_owned()),
    ]);
    let name = match broken {
        Some((field, shape)) => format!("opc ua session, field {field} broken, {shape}"),
        None => "opc ua session".to_owned(),
    };
    stream(name, Transport::Tcp, 4840, mint, turns, expected)
}
