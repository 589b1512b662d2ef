//! Credentials in clear: that they were sent, of which kind, and whether they are those of the manual. Neither the name nor
//! the secret is kept.

use wardwatch_proto::v1::Attribute;

use crate::Facts;

/// Names and secrets that devices are delivered with, in lower case, as manuals and advisories print them.
const DEFAULTS: &[(&str, &str)] = &[
    ("", ""),
    ("", "admin"),
    ("", "password"),
    ("", "1234"),
    ("666666", "666666"),
    ("888888", "888888"),
    ("admin", ""),
    ("admin", "1111"),
    ("admin", "1234"),
    ("admin", "12345"),
    ("admin", "123456"),
    ("admin", "9999"),
    ("admin", "admin"),
    ("admin", "admin1234"),
    ("admin", "default"),
    ("admin", "meinsm"),
    ("admin", "password"),
    ("admin", "pass"),
    ("administrator", "administrator"),
    ("administrator", "password"),
    ("guest", ""),
    ("guest", "guest"),
    ("operator", "operator"),
    ("orthanc", "orthanc"),
    ("pi", "raspberry"),
    ("root", ""),
    ("root", "12345"),
    ("root", "admin"),
    ("root", "default"),
    ("root", "pass"),
    ("root", "password"),
    ("root", "root"),
    ("root", "vizxv"),
    ("root", "xc3511"),
    ("service", "service"),
    ("supervisor", "supervisor"),
    ("support", "support"),
    ("tech", "tech"),
    ("ubnt", "ubnt"),
    ("user", "user"),
];

/// The sender shows a name and a secret to its peer: `kind` is of [`wardwatch_proto::attribute::CREDENTIAL_KINDS`].
pub(crate) fn state(kind: &str, name: &[u8], secret: &[u8], facts: &mut Facts<'_>) {
    facts.of_receiver(Attribute::CleartextCredential, kind);
    if is_default(name, secret) {
        facts.of_receiver(Attribute::DefaultCredential, kind);
    }
}

/// Whether a device is delivered with these; the case of letters does not matter.
fn is_default(name: &[u8], secret: &[u8]) -> bool {
    DEFAULTS.iter().any(|(known, word)| {
        name.eq_ignore_ascii_case(known.as_bytes()) && secret.eq_ignore_ascii_case(word.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_manual_is_recognised_and_no_more() {
        assert!(is_default(b"admin", b"admin"));
        assert!(is_default(b"Administrator", b"Password"));
        assert!(!is_default(b"admin", b"admin "));
        assert!(!is_default(b"admin", b"correct horse"));
        assert!(!is_default(&[0xFF], &[0xFF]));
    }
}
