//! The header fields that matter here (RFC 9110), and what they say.

use std::net::IpAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use httparse::Header;
use wardwatch_proto::v1::Attribute;

use super::body::Encoding;
use super::content::Media;
use crate::{Facts, credentials};

/// The kind of RFC 7617.
const BASIC: &str = "http-basic";

/// What Content-Length says (RFC 9110, 8.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Length {
    #[default]
    Unsaid,
    Octets(u64),
    Contradictory,
}

/// What Transfer-Encoding says (RFC 9112, 6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Coding {
    #[default]
    None,
    /// Chunked is the last coding.
    Chunked,
    /// Others only: nothing tells the end.
    Endless,
}

/// What Content-Type says about a body (RFC 9110, 8.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum BodyKind {
    /// What an HTML form sends (`application/x-www-form-urlencoded`).
    Form,
    /// A document that may say something.
    Document(Media),
    /// Objects of DICOM (DICOMweb, PS3.18).
    Dicom,
    #[default]
    Other,
}

impl BodyKind {
    fn of(value: &str) -> Self {
        let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
        let essence = essence.trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Self::Form
        } else if is_dicom(essence, parameters) {
            Self::Dicom
        } else {
            Media::of(essence).map_or(Self::Other, Self::Document)
        }
    }

    pub(super) fn media(self) -> Option<Media> {
        if let Self::Document(media) = self { Some(media) } else { None }
    }
}

/// The fields of one message.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    host: Option<&'a str>,
    user_agent: Option<&'a str>,
    server: Option<&'a str>,
    /// Passed on by somebody: the sender is not the one that the software fields are about.
    is_forwarded: bool,
    /// The kind of the credentials, if any, and what shows them, for the server and for a proxy.
    credentials: [Option<(&'static str, &'a str)>; 2],
    pub(super) length: Length,
    pub(super) coding: Coding,
    pub(super) kind: BodyKind,
    pub(super) encoding: Encoding,
    /// What the connection becomes (RFC 9110, 7.8).
    pub(super) upgrade: Option<&'a str>,
    /// For what a server wants credentials.
    realm: Option<&'a str>,
    /// A challenge whose only trouble is that its number grew old (RFC 7616, 3.3).
    is_stale: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn of(headers: &[Header<'a>]) -> Self {
        let mut fields = Self::default();
        for header in headers {
            // A value in another encoding than ASCII or UTF-8 is none that could be stated or understood.
            let Ok(value) = str::from_utf8(header.value) else { continue };
            fields.take(header.name, value.trim());
        }
        fields
    }

    fn take(&mut self, name: &str, value: &'a str) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("host") {
            self.host = Some(value);
        } else if is("user-agent") {
            self.user_agent = Some(value);
        } else if is("server") {
            self.server = Some(value);
        } else if is("via") || is("forwarded") || is("x-forwarded-for") {
            self.is_forwarded = true;
        } else if is("authorization") {
            self.credentials = [credential(value), self.credentials.last().copied().flatten()];
        } else if is("proxy-authorization") {
            self.credentials = [self.credentials.first().copied().flatten(), credential(value)];
        } else if is("content-length") {
            self.length = self.length.and(value);
        } else if is("transfer-encoding") {
            let last = value.rsplit(',').next().unwrap_or_default();
            let is_chunked = last.trim().eq_ignore_ascii_case("chunked");
            self.coding = if is_chunked { Coding::Chunked } else { Coding::Endless };
        } else if is("content-type") {
            self.kind = BodyKind::of(value);
        } else if is("content-encoding") {
            self.encoding = Encoding::of(value);
        } else if is("upgrade") {
            self.upgrade = Some(value);
        } else if is("www-authenticate") {
            self.realm = self.realm.or_else(|| realm(value));
            self.is_stale |= value.to_ascii_lowercase().contains("stale=true");
        }
    }

    /// What a request says about its sender and about the server it is sent to.
    pub(super) fn state_request(&self, target: &str, facts: &mut Facts<'_>) {
        facts.of_sender(Attribute::Role, "http-client");
        if let Some(agent) = self.user_agent
            && !self.is_forwarded
        {
            facts.of_sender(Attribute::HttpUserAgent, agent);
        }
        // With a path the receiver is the host itself; with a whole URI, or an authority, it is a proxy on the way to
        // it (RFC 9112, 3.2).
        if let Some(host) = self.host.and_then(host_name)
            && target.starts_with('/')
        {
            facts.of_receiver(Attribute::HttpHost, host);
        }
        for (kind, shown) in self.credentials.into_iter().flatten() {
            match name_and_password(kind, shown) {
                Some((name, password)) => credentials::state(kind, &name, &password, facts),
                None => facts.of_receiver(Attribute::CleartextCredential, kind),
            }
        }
    }

    /// What a response with this status says about its sender, and about the peer that showed credentials if it did.
    pub(super) fn state_response(&self, status: u16, had_credentials: bool, facts: &mut Facts<'_>) {
        facts.of_sender(Attribute::Role, "http-server");
        if !self.is_forwarded {
            let told = [(Attribute::HttpServer, self.server), (Attribute::HttpRealm, self.realm)];
            for (attribute, value) in told {
                if let Some(value) = value {
                    facts.of_sender(attribute, value);
                }
            }
        }
        if had_credentials && status == 401 && !self.is_stale {
            facts.of_receiver(Attribute::FailedLogin, "http");
        }
    }

    /// An object of DICOM is on the way in clear: sent to be stored, or fetched.
    pub(super) fn state_dicom(&self, facts: &mut Facts<'_>) {
        if self.kind == BodyKind::Dicom {
            facts.of_sender(Attribute::CleartextPatientData, "dicom-object");
        }
    }

    /// Credentials for the server itself were shown. Those of several steps (NTLM, Negotiate) are not among them: a
    /// refusal is a part of those.
    pub(super) fn has_credentials(&self) -> bool {
        matches!(self.credentials, [Some(_), _])
    }

    /// Somebody passed this on.
    pub(super) fn is_forwarded(&self) -> bool {
        self.is_forwarded
    }

    /// The server is a print spooler.
    pub(super) fn is_spooler(&self) -> bool {
        self.server.is_some_and(|server| server.contains("CUPS") || server.contains("Microsoft"))
    }
}

impl Length {
    /// This, and another field of that name; the same number twice is one number (RFC 9112, 6.3).
    fn and(self, value: &str) -> Self {
        let mut all = value.split(',').map(str::trim);
        let Some(Ok(first)) = all.next().map(str::parse::<u64>) else { return Self::Contradictory };
        let agree = all.all(|other| other.parse() == Ok(first));
        match self {
            Self::Unsaid if agree => Self::Octets(first),
            Self::Octets(before) if agree && before == first => self,
            _ => Self::Contradictory,
        }
    }
}

/// Objects in the binary form, or their attributes in JSON or XML (PS3.18, 8.7.3).
fn is_dicom(essence: &str, parameters: &str) -> bool {
    let is_type = |name: &str| {
        ["application/dicom", "application/dicom+json", "application/dicom+xml"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    };
    let mut parameters = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    is_type(essence)
        || essence.eq_ignore_ascii_case("multipart/related")
            && parameters.any(|(name, value)| {
                name.trim().eq_ignore_ascii_case("type") && is_type(value.trim().trim_matches('"'))
            })
}

/// The realm in a challenge (RFC 9110, 11.5): a quoted string. One with escapes in it is left alone.
fn realm(challenge: &str) -> Option<&str> {
    let at = challenge.to_ascii_lowercase().find("realm=\"")?;
    let (realm, _) = challenge.get(at + "realm=\"".len()..)?.split_once('"')?;
    (!realm.contains('\\')).then_some(realm)
}

/// The host without its port; nothing where it is an address, which names nothing.
fn host_name(host: &str) -> Option<&str> {
    let name = host.split(':').next().unwrap_or_default();
    let is_address = host.starts_with('[') || name.parse::<IpAddr>().is_ok();
    (!is_address && !name.is_empty()).then_some(name)
}

/// The kind of credentials that this scheme sends so that anybody on the way can use or crack them (RFC 7617, 7616,
/// 6750), and what follows the scheme. NTLM and Negotiate (RFC 4559) are not among them: they carry messages of their own.
fn credential(value: &str) -> Option<(&'static str, &str)> {
    let (scheme, shown) = value.split_once(' ').unwrap_or((value, ""));
    [("basic", BASIC), ("digest", "http-digest"), ("bearer", "http-bearer")]
        .into_iter()
        .find_map(|(name, kind)| scheme.eq_ignore_ascii_case(name).then_some((kind, shown)))
}

/// Name and password of RFC 7617.
fn name_and_password(kind: &str, shown: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let decoded = (kind == BASIC).then(|| BASE64_STANDARD.decode(shown.trim()).ok())??;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some((decoded.get(..colon)?.to_vec(), decoded.get(colon + 1..)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_part_of_the_name_and_an_address_is_none() {
        assert_eq!(host_name("pacs.example:8080"), Some("pacs.example"));
        assert_eq!(host_name("pacs.example"), Some("pacs.example"));
        for address in ["192.0.2.7", "192.0.2.7:8080", "[2001:db8::1]:80", ""] {
            assert_eq!(host_name(address), None, "{address:?}");
        }
    }

    #[test]
    fn realms_are_quoted_and_objects_of_dicom_have_their_types() {
        assert_eq!(realm("Basic realm=\"HP LaserJet\", charset=\"UTF-8\""), Some("HP LaserJet"));
        assert_eq!(realm("Digest qop=\"auth\", Realm=\"cam\", nonce=\"x\""), Some("cam"));
        assert_eq!(realm("Basic realm=cam"), None);
        assert_eq!(realm("Basic realm=\"a\\\"b\""), None);
        assert!(is_dicom("multipart/related", " boundary=x; type=\"application/dicom\""));
        assert!(is_dicom("application/dicom+json", ""));
        assert!(!is_dicom("multipart/related", " type=\"text/html\""));
    }

    #[test]
    fn lengths_must_agree() {
        assert_eq!(Length::Unsaid.and("42"), Length::Octets(42));
        assert_eq!(Length::Unsaid.and("42, 42"), Length::Octets(42));
        assert_eq!(Length::Octets(42).and("42"), Length::Octets(42));
        assert_eq!(Length::Octets(42).and("43"), Length::Contradictory);
        assert_eq!(Length::Unsaid.and("42, 43"), Length::Contradictory);
        assert_eq!(Length::Unsaid.and("-1"), Length::Contradictory);
    }

    #[test]
    fn schemes_that_show_the_credentials_are_told_apart() {
        assert_eq!(credential("Basic dTpw"), Some(("http-basic", "dTpw")));
        assert_eq!(credential("DIGEST username"), Some(("http-digest", "username")));
        assert_eq!(credential("bearer abc"), Some(("http-bearer", "abc")));
        assert_eq!(credential("Negotiate YII"), None);
    }
}
