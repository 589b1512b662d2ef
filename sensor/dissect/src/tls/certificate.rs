//! What a certificate says about its owner (X.509, RFC 5280).

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use wardwatch_proto::v1::Attribute;
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate, X509Name};

use crate::Facts;

/// Which side showed the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Client,
    Server,
}

/// States the certificate, in DER, of the sender. Of a client's, the subject is stated only when the certificate is a
/// machine's: a smart card's names a person.
pub(super) fn state(der: &[u8], owner: Owner, facts: &mut Facts<'_>) {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return };
    facts.of_sender(Attribute::CertificateSha256, &fingerprint(der));
    if (owner == Owner::Server || is_of_machine(&certificate))
        && let Some(name) = common_name(certificate.subject())
    {
        facts.of_sender(Attribute::CertificateSubject, name);
    }
    let self_signed = is_self_signed(&certificate);
    if (owner == Owner::Server || !self_signed || is_of_machine(&certificate))
        && let Some(name) = common_name(certificate.issuer()).or_else(|| organization(certificate.issuer()))
    {
        facts.of_sender(Attribute::CertificateIssuer, name);
    }
    let validity = certificate.validity();
    facts.of_sender(Attribute::CertificateNotBefore, &date(validity.not_before.to_datetime()));
    facts.of_sender(Attribute::CertificateNotAfter, &date(validity.not_after.to_datetime()));
    if self_signed {
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
fn common_name<'a>(name: &'a X509Name<'_>) -> Option<&'a str> {
    name.iter_common_name().last()?.as_str().ok()
}

/// Old authorities have no common name.
fn organization<'a>(name: &'a X509Name<'_>) -> Option<&'a str> {
    let unit = name.iter_organizational_unit().last();
    unit.or_else(|| name.iter_organization().last())?.as_str().ok()
}

/// Names a host, or may serve.
fn is_of_machine(certificate: &X509Certificate<'_>) -> bool {
    certificate.iter_extensions().any(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => {
            names.general_names.iter().any(|name| matches!(name, GeneralName::DNSName(_)))
        }
        ParsedExtension::ExtendedKeyUsage(usage) => usage.server_auth,
        _ => false,
    })
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

fn date(moment: OffsetDateTime) -> String {
    let (year, month, day) = moment.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}
