//! The header fields that matter here (RFC 9110), and what they say.

use std::net::IpAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use httparse::Header;
use wardwatch_proto::v1::Attribute;

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
    /// The body is what an HTML form sends (`application/x-www-form-urlencoded`).
    pub(super) is_form: bool,
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
            let essence = value.split(';').next().unwrap_or_default();
            self.is_form = essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded");
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

    /// What a response says about its sender.
    pub(super) fn state_response(&self, facts: &mut Facts<'_>) {
        facts.of_sender(Attribute::Role, "http-server");
        if let Some(server) = self.server
            && !self.is_forwarded
        {
            facts.of_sender(Attribute::HttpServer, server);
        }
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

/// The host without its port; nothing where it is an address, which names nothing.
fn host_name(host: &str) -> Option<&str> {
    let name = host.split(':').next().unwrap_or_default();
    let is_address = host.starts_with('[') || name.parse::<IpAddr>().is_ok();
    (!is_address && !name.is_empty()).then_some(name)
}

/// The kind of credentials that this scheme sends so that anybody on the way can use or crack them (RFC 7617, 7616,
/// 6750), and what follows the scheme.
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
