//! What the hellos say (RFC 8446, 4.1.2 and 4.1.3; RFC 5246, 7.4.1).

use std::net::IpAddr;

use tls_parser::{
    SNIType, TlsClientHelloContents, TlsExtension, parse_tls_client_hello_extension,
    parse_tls_extension_unknown, parse_tls_handshake_client_hello, parse_tls_handshake_server_hello,
};
use wardwatch_proto::v1::Attribute;

use super::ja4::{self, Offer};
use crate::Facts;

/// Extension types (IANA, TLS ExtensionType Values).
const SUPPORTED_VERSIONS: u16 = 43;

/// Extensions that are looked at in one hello; a hello of 64 KiB could hold 16,000 empty ones.
const MOST_EXTENSIONS: usize = 256;

/// Versions that a server is not to choose any more.
const WEAK_VERSIONS: &[&str] = &["ssl3", "tls1.0", "tls1.1", "dtls1.0"];

/// An extension: its type, and all its octets with type and length.
type RawExtension<'a> = (u16, &'a [u8]);

/// What carries a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum Transport {
    Tcp,
    Quic,
    Dtls,
}

impl Transport {
    /// As JA4 begins.
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Tcp => 't',
            Self::Quic => 'q',
            Self::Dtls => 'd',
        }
    }

    const fn client(self) -> &'static str {
        match self {
            Self::Tcp => "tls-client",
            Self::Quic => "quic-client",
            Self::Dtls => "dtls-client",
        }
    }

    const fn server(self) -> &'static str {
        match self {
            Self::Tcp => "tls-server",
            Self::Quic => "quic-server",
            Self::Dtls => "dtls-server",
        }
    }
}

/// Offered by the client: its fingerprint, and the name of the server it wants.
pub(in crate::web) fn state_client(transport: Transport, body: &[u8], facts: &mut Facts<'_>) {
    facts.of_sender(Attribute::Role, transport.client());
    let Ok((_, hello)) = parse_tls_handshake_client_hello(body) else { return };
    let extensions = raw_extensions(hello.ext);
    let offer = offer(&hello, &extensions);
    facts.of_sender(Attribute::TlsJa4, &ja4::fingerprint(transport, &offer));
    if let Some(name) = server_name(&extensions) {
        facts.of_receiver(Attribute::TlsServerName, name);
    }
}

/// What the fingerprint is made of.
fn offer(hello: &TlsClientHelloContents<'_>, extensions: &[RawExtension<'_>]) -> Offer {
    let mut offer = Offer {
        version: hello.version.0,
        ciphers: hello.ciphers.iter().map(|cipher| cipher.0).collect(),
        extensions: extensions.iter().map(|(kind, _)| *kind).collect(),
        ..Offer::default()
    };
    for (_, octets) in extensions {
        match parse_tls_client_hello_extension(octets) {
            Ok((_, TlsExtension::SupportedVersions(versions))) => {
                offer.supported_versions = versions.iter().map(|version| version.0).collect();
            }
            Ok((_, TlsExtension::SignatureAlgorithms(algorithms))) => offer.signature_algorithms = algorithms,
            Ok((_, TlsExtension::ALPN(protocols))) => {
                offer.first_protocol =
                    protocols.first().map(|protocol| protocol.to_vec()).unwrap_or_default();
            }
            _ => {}
        }
    }
    offer
}

/// A host name in the server name extension (RFC 6066, 3): addresses do not belong there, and name nothing.
fn server_name<'a>(extensions: &[RawExtension<'a>]) -> Option<&'a str> {
    let names = extensions.iter().find_map(|(_, octets)| match parse_tls_client_hello_extension(octets) {
        Ok((_, TlsExtension::SNI(names))) => Some(names),
        _ => None,
    })?;
    let (_, name) = names.into_iter().find(|(kind, _)| *kind == SNIType::HostName)?;
    str::from_utf8(name).ok().filter(|name| name.parse::<IpAddr>().is_err())
}

/// Chosen by the server: the version, which may be one that is not to be used any more (RFC 7568, 8996).
pub(in crate::web) fn state_server(transport: Transport, body: &[u8], facts: &mut Facts<'_>) -> Option<u16> {
    facts.of_sender(Attribute::Role, transport.server());
    let version = chosen_version(body)?;
    if let Some(name) = version_name(version) {
        facts.of_sender(Attribute::TlsVersion, name);
        if WEAK_VERSIONS.contains(&name) {
            facts.of_sender(Attribute::WeakProtocol, name);
        }
    }
    Some(version)
}

fn chosen_version(body: &[u8]) -> Option<u16> {
    let version = u16::from_be_bytes(*body.first_chunk::<2>()?);
    let Ok((_, hello)) = parse_tls_handshake_server_hello(body) else { return Some(version) };
    // In a server's hello the extension is one version, without a count.
    let selected = raw_extensions(hello.ext).into_iter().find_map(|(kind, octets)| match octets {
        [_, _, 0, 2, high, low] if kind == SUPPORTED_VERSIONS => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    });
    Some(selected.unwrap_or(version))
}

/// TLS 1.3 encrypts all that follows the server's hello.
pub(in crate::web) fn is_encrypted_from_here(version: u16) -> bool {
    matches!(version_name(version), Some("tls1.3" | "dtls1.3"))
}

fn version_name(version: u16) -> Option<&'static str> {
    Some(match version {
        0x0300 => "ssl3",
        0x0301 => "tls1.0",
        0x0302 => "tls1.1",
        0x0303 => "tls1.2",
        // Drafts of TLS 1.3 said 0x7F and their number.
        0x0304 | 0x7F00..=0x7FFF => "tls1.3",
        0xFEFF => "dtls1.0",
        0xFEFD => "dtls1.2",
        0xFEFC => "dtls1.3",
        _ => return None,
    })
}

fn raw_extensions(extensions: Option<&[u8]>) -> Vec<RawExtension<'_>> {
    let mut rest = extensions.unwrap_or_default();
    let mut found = Vec::new();
    while found.len() < MOST_EXTENSIONS
        && let Ok((behind, TlsExtension::Unknown(kind, _))) = parse_tls_extension_unknown(rest)
    {
        let octets = rest.get(..rest.len() - behind.len()).unwrap_or_default();
        found.push((kind.0, octets));
        rest = behind;
    }
    found
}
