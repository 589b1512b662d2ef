//! What a certificate says about its owner (X.509, RFC 5280).

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use wardwatch_proto::v1::Attribute;
use x509_parser::asn1_rs::Tag;
use x509_parser::prelude::{
    AttributeTypeAndValue, FromDer as _, GeneralName, ParsedExtension, X509Certificate, X509Name,
};

use crate::Facts;

/// Which side showed the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Client,
    Server,
}

/// States the certificate, in DER, of the sender. Of a client's, the subject is stated only when the certificate is a
/// machine's: a smart card's names a person.
pub(crate) fn state(der: &[u8], owner: Owner, facts: &mut Facts<'_>) {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return };
    let is_self_signed = is_self_signed(&certificate);
    let is_of_machine = owner == Owner::Server || names_host_or_serves(&certificate);
    facts.of_sender(Attribute::CertificateSha256, &fingerprint(der));
    if is_of_machine
        && let Some(name) = common_name(certificate.subject()).or_else(|| first_host(&certificate))
    {
        facts.of_sender(Attribute::CertificateSubject, &name);
    }
    if (is_of_machine || !is_self_signed)
        && let Some(name) = common_name(certificate.issuer()).or_else(|| organization(certificate.issuer()))
    {
        facts.of_sender(Attribute::CertificateIssuer, &name);
    }
    let validity = certificate.validity();
    facts.of_sender(Attribute::CertificateNotBefore, &date(validity.not_before.to_datetime()));
    facts.of_sender(Attribute::CertificateNotAfter, &date(validity.not_after.to_datetime()));
    if nanoseconds(validity.not_after.timestamp()).is_some_and(|end| end < facts.at()) {
        facts.of_sender(Attribute::CertificateExpired, "true");
    }
    if is_self_signed {
        facts.of_sender(Attribute::CertificateSelfSigned, "true");
    }
}

fn fingerprint(der: &[u8]) -> String {
    Sha256::digest(der).iter().fold(String::with_capacity(64), |mut digits, octet| {
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}

/// The most specific common name, which stands last.
fn common_name(name: &X509Name<'_>) -> Option<String> {
    name.iter_common_name().last().and_then(text)
}

/// Old authorities have no common name.
fn organization(name: &X509Name<'_>) -> Option<String> {
    name.iter_organization().last().and_then(text)
}

/// The string, by its type (RFC 5280, 4.1.2.4). The octets of the types of one octet are taken as they are: many
/// wildcards stand in a PrintableString, which has no asterisk, or in a TeletexString.
fn text(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    let value = attribute.attr_value();
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::T61String | Tag::Ia5String => {
            str::from_utf8(value.data).ok().map(str::to_owned)
        }
        Tag::BmpString => {
            let (pairs, _) = value.data.as_chunks::<2>();
            char::decode_utf16(pairs.iter().map(|pair| u16::from_be_bytes(*pair)))
                .collect::<Result<_, _>>()
                .ok()
        }
        _ => None,
    }
}

/// The first host in the alternative names, where newer certificates have their only name.
fn first_host(certificate: &X509Certificate<'_>) -> Option<String> {
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => names.general_names.iter().find_map(host),
        _ => None,
    })
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(host) => Some((*host).to_owned()),
        _ => None,
    }
}

fn names_host_or_serves(certificate: &X509Certificate<'_>) -> bool {
    let may_serve = certificate.iter_extensions().any(|extension| {
        matches!(extension.parsed_extension(), ParsedExtension::ExtendedKeyUsage(usage) if usage.server_auth)
    });
    may_serve || first_host(certificate).is_some()
}

/// Issued by its own subject, as the names and, where there are any, the key identifiers say. The signature is not
/// verified: nothing depends on it here.
fn is_self_signed(certificate: &X509Certificate<'_>) -> bool {
    let (mut own, mut issuers) = (None, None);
    for extension in certificate.iter_extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(key) => own = Some(key.0),
            ParsedExtension::AuthorityKeyIdentifier(authority) => {
                issuers = authority.key_identifier.as_ref().map(|key| key.0);
            }
            _ => {}
        }
    }
    let same_key = match (own, issuers) {
        (Some(own), Some(issuers)) => own == issuers,
        _ => true,
    };
    same_key && certificate.subject().as_raw() == certificate.issuer().as_raw()
}

/// A moment in seconds since the Unix epoch, as packets' times are told; none before it or beyond the year 2554, which
/// means that the certificate is valid for ever.
fn nanoseconds(seconds: i64) -> Option<u64> {
    u64::try_from(seconds).ok()?.checked_mul(1_000_000_000)
}

fn date(moment: OffsetDateTime) -> String {
    let (year, month, day) = moment.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}
