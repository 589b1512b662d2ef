//! Which of Recog's databases are about something that sensors state, and about which part of the text.

use wardwatch_proto::v1::Attribute;

/// What a database is about, as sensors state it.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) attribute: Attribute,
    /// Where it is stated; anywhere where there is none.
    pub(super) protocols: &'static [&'static str],
    /// How sure its fingerprints are, in percent.
    pub(super) confidence: u32,
    pub(super) part: Part,
}

/// How much of the text that Recog looks at is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// All of it, in one line, its words joined by single blanks.
    OneLine,
    /// The realm of a challenge of HTTP.
    Realm,
    /// The common name of an X.509 name, where it is all that there is.
    CommonName,
    /// What stands behind `model=`.
    AppleModel,
}

/// By `matches`, or by the file's name where it says none.
const SUBJECTS: &[(&str, Subject)] = &[
    (
        "http_header.server",
        Subject {
            attribute: Attribute::HttpServer,
            protocols: &["http", "http2"],
            confidence: 60,
            part: Part::Whole,
        },
    ),
    (
        "http_header.wwwauth",
        Subject {
            attribute: Attribute::HttpRealm,
            protocols: &["http", "http2"],
            confidence: 60,
            part: Part::Realm,
        },
    ),
    (
        "snmp.sys_description",
        Subject {
            attribute: Attribute::SystemDescription,
            protocols: &["snmp", "lldp", "cdp"],
            confidence: 70,
            part: Part::OneLine,
        },
    ),
    (
        "snmp.sys_object_id",
        Subject {
            attribute: Attribute::SysObjectId,
            protocols: &["snmp"],
            confidence: 70,
            part: Part::Whole,
        },
    ),
    (
        "sip_header.server",
        Subject { attribute: Attribute::HttpServer, protocols: &["sip"], confidence: 60, part: Part::Whole },
    ),
    (
        "sip_header.user_agent",
        Subject {
            attribute: Attribute::HttpUserAgent,
            protocols: &["sip"],
            confidence: 60,
            part: Part::Whole,
        },
    ),
    (
        "rtsp_header.server",
        Subject { attribute: Attribute::HttpServer, protocols: &["rtsp"], confidence: 60, part: Part::Whole },
    ),
    (
        "dhcp_vendor_class",
        Subject {
            attribute: Attribute::DhcpVendorClass,
            protocols: &["dhcp"],
            confidence: 70,
            part: Part::Whole,
        },
    ),
    (
        "mdns.device-info.txt",
        Subject { attribute: Attribute::Model, protocols: &["mdns"], confidence: 70, part: Part::AppleModel },
    ),
    (
        "hp_pjl_id",
        Subject { attribute: Attribute::Model, protocols: &["pjl"], confidence: 70, part: Part::Whole },
    ),
    (
        "operating_system.name",
        Subject { attribute: Attribute::OperatingSystem, protocols: &[], confidence: 60, part: Part::Whole },
    ),
    (
        "x509.subject",
        Subject {
            attribute: Attribute::CertificateSubject,
            protocols: &[],
            confidence: 55,
            part: Part::CommonName,
        },
    ),
    (
        "x509.issuer",
        Subject {
            attribute: Attribute::CertificateIssuer,
            protocols: &[],
            confidence: 40,
            part: Part::CommonName,
        },
    ),
];

/// Why none of a database's fingerprints can become a signature.
const UNSEEN: &[(&str, &str)] = &[
    ("apache_modules", "the Server field is looked at as a whole, by another database"),
    ("apache_os", "the Server field is looked at as a whole, by another database"),
    ("architecture", "it is about words within other texts"),
    ("dns.versionbind", "sensors do not state what name servers answer to version.bind"),
    ("favicon.md5", "sensors do not state digests of icons"),
    ("html_title", "sensors do not state titles of pages"),
    ("http_header.cookie", "sensors do not state cookies"),
    ("http_header.x-powered-by", "sensors do not state this field"),
    ("ldap.search_result", "sensors state the vendor and its version, not the octets of an answer"),
    ("mysql.banners", "sensors state name and version of the software by themselves"),
    ("mysql.error", "sensors do not state errors"),
    ("ntp.readvar", "sensors state software and system by themselves"),
    ("smb.native_lm", "sensors state name and version of the software by themselves"),
    ("smb.native_os", "sensors state name and version of the system by themselves"),
    ("ssh.banner", "sensors state name and version of software and system by themselves"),
    ("tls.jarm", "JARM is measured by asking, which Wardwatch never does"),
];

/// What a database is about, or why it is about nothing that sensors state.
pub(super) fn subject(matches: &str) -> Result<&'static Subject, &'static str> {
    if let Some((_, subject)) = SUBJECTS.iter().find(|(name, _)| *name == matches) {
        return Ok(subject);
    }
    let known = UNSEEN.iter().find(|(name, _)| *name == matches);
    Err(known.map_or("sensors do not state this text", |(_, reason)| reason))
}

impl Part {
    /// What of a text is stated.
    pub(super) fn of_text(self, text: &str) -> Option<String> {
        match self {
            Self::Whole => Some(text.to_owned()),
            Self::OneLine => Some(text.split_whitespace().collect::<Vec<_>>().join(" ")),
            Self::Realm => {
                let (_, behind) = text.split_once("realm=\"")?;
                behind.split_once('"').map(|(realm, _)| realm.to_owned())
            }
            Self::CommonName => {
                text.strip_prefix("CN=").filter(|name| !name.contains(',')).map(str::to_owned)
            }
            Self::AppleModel => text.strip_prefix("model=").map(str::to_owned),
        }
    }

    /// The pattern over that part; `None` where it asks for more than that.
    pub(super) fn of_pattern(self, pattern: &str) -> Option<String> {
        let (flags, pattern) = match pattern.strip_prefix("(?i)") {
            Some(rest) => ("(?i)", rest),
            None => ("", pattern),
        };
        let part = match self {
            Self::Whole | Self::OneLine => pattern.to_owned(),
            Self::Realm => {
                let (before, behind) = pattern.split_once("realm=\"")?;
                // Which scheme it is may be left open, but not what its groups found.
                if has_groups(before) {
                    return None;
                }
                match split(behind, '"') {
                    Some((realm, "" | "$")) => format!("^{realm}$"),
                    Some((realm, behind)) if behind.starts_with(", nonce") => format!("^{realm}$"),
                    Some(_) => return None,
                    None => format!("^{behind}"),
                }
            }
            Self::CommonName => {
                let name = pattern.strip_prefix("^CN=")?;
                if split(name, ',').is_some() {
                    return None;
                }
                format!("^{name}")
            }
            Self::AppleModel => format!("^{}", pattern.strip_prefix("^model=")?),
        };
        Some(format!("{flags}{part}"))
    }
}

fn has_groups(pattern: &str) -> bool {
    let mut rest = pattern;
    while let Some((_, behind)) = rest.split_once('(') {
        if !behind.starts_with('?') {
            return true;
        }
        rest = behind;
    }
    false
}

/// What stands before and behind the first of this character that is neither escaped nor in a class.
fn split(pattern: &str, at: char) -> Option<(&str, &str)> {
    let (mut is_escaped, mut is_in_class) = (false, false);
    for (place, c) in pattern.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' => is_in_class = true,
            ']' => is_in_class = false,
            _ if c == at && !is_in_class => {
                return Some((pattern.get(..place)?, pattern.get(place + c.len_utf8()..)?));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_cut_to_what_is_stated() {
        for (part, pattern, cut) in [
            (Part::Realm, r#"^(?:Basic|Digest) realm="(NetVanta [^"]+)"$"#, Some("^(NetVanta [^\"]+)$")),
            (Part::Realm, r#"(?i)^(?:Basic|Digest).*realm="rokudev""#, Some("(?i)^rokudev$")),
            (Part::Realm, r#"^(\w+) realm="x""#, None),
            (Part::Realm, r#"^Basic realm="x", charset="#, None),
            (Part::Realm, "^NTLM$", None),
            (Part::CommonName, "^CN=ASA Temporary$", Some("^ASA Temporary$")),
            (Part::CommonName, "^CN=([^,]+)$", Some("^([^,]+)$")),
            (Part::CommonName, "^CN=R3,O=Let's Encrypt,C=US$", None),
            (Part::AppleModel, "^model=AirPort4$", Some("^AirPort4$")),
            (Part::AppleModel, "^osxvers=22", None),
        ] {
            assert_eq!(part.of_pattern(pattern).as_deref(), cut, "{pattern}");
        }
    }
}
