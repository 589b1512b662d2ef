//! Logins by form: a body in `application/x-www-form-urlencoded` (WHATWG URL, 5) with a password's field in it.
//!
//! Only the names of the fields are compared; their values are passed over.

use wardwatch_proto::v1::Attribute;

use crate::Facts;

/// Octets of a form that are looked at.
pub(super) const LONGEST_READ: usize = 4096;

/// Parts of names that only fields for passwords have, in lower case.
const PASSWORD_PARTS: &[&[u8]] = &[b"passw", b"pwd", b"kennwort", b"motdepasse"];

/// States that the receiver takes a password in clear, when one of the fields is for that.
pub(super) fn state(form: &[u8], facts: &mut Facts<'_>) {
    if form.split(|byte| *byte == b'&').any(is_password) {
        facts.of_receiver(Attribute::CleartextCredential, "http-form");
    }
}

fn is_password(field: &[u8]) -> bool {
    let name = field.split(|byte| *byte == b'=').next().unwrap_or_default().to_ascii_lowercase();
    let has = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    name == b"pass" || PASSWORD_PARTS.iter().any(|part| has(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_password_fields_are_known_and_values_are_not_looked_at() {
        for field in [&b"password=x"[..], b"user_pwd=", b"j_password", b"pass=x", b"login%5BPassword%5D=x"] {
            assert!(is_password(field));
        }
        for field in [&b"compass=north"[..], b"note=password", b"bypass=1", b""] {
            assert!(!is_password(field));
        }
    }
}
