//! The services that tell who somebody is: GetEndpoints, CreateSession, ActivateSession (OPC 10000-4, 5.4 and 5.6). The
//! numbers are those of the messages' binary encodings (OPC 10000-6, annex A).

use wardwatch_proto::v1::Attribute;

use super::binary::Reader;

pub(super) const OPEN_REQUEST: u32 = 446;
pub(super) const OPEN_RESPONSE: u32 = 449;
const GET_ENDPOINTS_RESPONSE: u32 = 431;
const CREATE_SESSION_REQUEST: u32 = 461;
const CREATE_SESSION_RESPONSE: u32 = 464;
const ACTIVATE_SESSION_REQUEST: u32 = 467;
const ACTIVATE_SESSION_RESPONSE: u32 = 470;

/// Encodings of user identity tokens.
const ANONYMOUS_TOKEN: u32 = 321;
const USER_NAME_TOKEN: u32 = 324;

/// Kinds of token in an endpoint's description (UserTokenType), and its mode None (MessageSecurityMode).
const TOKEN_ANONYMOUS: u32 = 0;
const MODE_NONE: u32 = 1;

/// Kinds of application (ApplicationType) that serve.
const TYPE_DISCOVERY_SERVER: u32 = 3;

/// What a service's message says of its sender.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Read<'a> {
    pub(super) is_request: bool,
    pub(super) said: Vec<(Attribute, String)>,
    pub(super) certificate: Option<&'a [u8]>,
    pub(super) login: Option<Login>,
}

/// What a message tells of a log-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    Anonymous,
    Password {
        in_clear: bool,
    },
    /// The session is active now.
    Granted,
}

/// Whether a policy protects nothing.
pub(super) fn is_none(policy: &str) -> bool {
    policy.ends_with("#None")
}

/// What a policy is called if it is not to be used any more (OPC 10000-7).
pub(super) fn weak_policy(policy: &str) -> Option<&'static str> {
    match policy.rsplit_once('#')?.1 {
        "None" => Some("opcua-none"),
        "Basic128Rsa15" => Some("opcua-basic128rsa15"),
        "Basic256" => Some("opcua-basic256"),
        _ => None,
    }
}

/// Reads a message, from its type on; nothing where it is of another service or does not fit.
pub(super) fn read(message: &[u8]) -> Option<Read<'_>> {
    let mut reader = Reader(message);
    match reader.node_number()? {
        GET_ENDPOINTS_RESPONSE => {
            response_header(&mut reader)?;
            let mut read = Read::default();
            endpoints(&mut reader, &mut read)?;
            Some(read)
        }
        CREATE_SESSION_REQUEST => create_session_request(reader),
        CREATE_SESSION_RESPONSE => create_session_response(reader),
        ACTIVATE_SESSION_REQUEST => activate_session_request(reader),
        ACTIVATE_SESSION_RESPONSE => {
            let is_good = response_header(&mut reader)? == 0;
            Some(Read { login: is_good.then_some(Login::Granted), ..Read::default() })
        }
        _ => None,
    }
}

/// Authentication token, time, handle, diagnostics, audit entry, timeout, additional header. Gives the handle.
pub(super) fn request_header(reader: &mut Reader<'_>) -> Option<u32> {
    reader.node_number()?;
    reader.skip(8)?;
    let handle = reader.number()?;
    reader.skip(4)?;
    reader.bytes_or_null()?;
    reader.skip(4)?;
    reader.extension().map(|_| handle)
}

/// Time, handle, result, diagnostics (none: their form is not read), strings, additional header. Gives the result.
pub(super) fn response_header(reader: &mut Reader<'_>) -> Option<u32> {
    reader.skip(8 + 4)?;
    let result = reader.number()?;
    if reader.byte()? != 0 {
        return None;
    }
    reader.strings()?;
    reader.extension()?;
    Some(result)
}

fn create_session_request(mut reader: Reader<'_>) -> Option<Read<'_>> {
    request_header(&mut reader)?;
    let mut read = Read { is_request: true, ..Read::default() };
    application(&mut reader, &mut read.said)?;
    // The server's URI, the endpoint's URL, the session's name, nonce.
    for _ in 0..4 {
        reader.bytes_or_null()?;
    }
    read.certificate = reader.bytes();
    Some(read)
}

fn create_session_response(mut reader: Reader<'_>) -> Option<Read<'_>> {
    response_header(&mut reader)?;
    // Session, authentication token, timeout, nonce.
    reader.node_number()?;
    reader.node_number()?;
    reader.skip(8)?;
    reader.bytes_or_null()?;
    let mut read = Read::default();
    let mut ahead = reader;
    read.certificate = ahead.bytes();
    reader.bytes_or_null()?;
    endpoints(&mut reader, &mut read)?;
    Some(read)
}

fn activate_session_request(mut reader: Reader<'_>) -> Option<Read<'_>> {
    request_header(&mut reader)?;
    // Signature: algorithm, octets. Software certificates: octets and signature each. Locales.
    reader.bytes_or_null()?;
    reader.bytes_or_null()?;
    for _ in 0..reader.count()? {
        reader.bytes_or_null()?;
        reader.bytes_or_null()?;
    }
    reader.strings()?;
    let login = match reader.extension()? {
        (ANONYMOUS_TOKEN | 0, _) => Some(Login::Anonymous),
        (USER_NAME_TOKEN, token) => {
            let mut token = Reader(token);
            // Policy, user name, password, algorithm: without one the password is as it was typed.
            token.bytes_or_null()?;
            token.bytes_or_null()?;
            token.bytes_or_null()?;
            Some(Login::Password { in_clear: token.string()?.is_empty() })
        }
        _ => None,
    };
    Some(Read { is_request: true, login, ..Read::default() })
}

/// An ApplicationDescription. Gives the kind of application.
fn application(reader: &mut Reader<'_>, said: &mut Vec<(Attribute, String)>) -> Option<u32> {
    let uri = reader.string()?;
    let product = reader.string()?;
    let name = reader.localized()?;
    let kind = reader.number()?;
    // The gateway's URI, the discovery profile's.
    reader.bytes_or_null()?;
    reader.bytes_or_null()?;
    reader.strings()?;
    for (attribute, value) in [
        (Attribute::OpcUaApplicationUri, uri),
        (Attribute::OpcUaProductUri, product),
        (Attribute::SoftwareName, name),
    ] {
        say(said, attribute, value);
    }
    Some(kind)
}

/// A statement, once in a message, and none of an empty string.
pub(super) fn say(said: &mut Vec<(Attribute, String)>, attribute: Attribute, value: &str) {
    if !value.is_empty() && !said.iter().any(|(of, known)| (*of, known.as_str()) == (attribute, value)) {
        said.push((attribute, value.to_owned()));
    }
}

/// An array of EndpointDescriptions: what a server offers.
fn endpoints<'a>(reader: &mut Reader<'a>, read: &mut Read<'a>) -> Option<()> {
    for _ in 0..reader.count()? {
        endpoint(reader, read)?;
    }
    Some(())
}

fn endpoint<'a>(reader: &mut Reader<'a>, read: &mut Read<'a>) -> Option<()> {
    // The endpoint's URL.
    reader.bytes_or_null()?;
    if application(reader, &mut read.said)? == TYPE_DISCOVERY_SERVER {
        say(&mut read.said, Attribute::Role, "opcua-discovery-server");
    }
    let mut ahead = *reader;
    read.certificate = read.certificate.or_else(|| ahead.bytes());
    reader.bytes_or_null()?;
    let mode = reader.number()?;
    let policy = reader.string()?;
    if let Some(weak) = weak_policy(policy).filter(|weak| mode == MODE_NONE || *weak != "opcua-none") {
        say(&mut read.said, Attribute::WeakProtocol, weak);
    }
    for _ in 0..reader.count()? {
        // The policy's name, the kind of token, the issued token's type, its issuer, the security policy.
        reader.bytes_or_null()?;
        if reader.number()? == TOKEN_ANONYMOUS {
            say(&mut read.said, Attribute::WeakProtocol, "opcua-anonymous");
        }
        reader.bytes_or_null()?;
        reader.bytes_or_null()?;
        reader.bytes_or_null()?;
    }
    // The transport's profile, the level of security.
    reader.bytes_or_null()?;
    reader.skip(1)
}
