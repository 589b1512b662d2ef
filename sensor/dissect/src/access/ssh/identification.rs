//! The line in which a side identifies itself (RFC 4253, 4.2): `SSH-protoversion-softwareversion SP comments`.

/// What a side says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identification<'a> {
    /// Of the protocol: `2.0`, `1.99`.
    pub(super) version: &'a str,
    /// `OpenSSH`.
    pub(super) software: Option<String>,
    /// `8.9p1`.
    pub(super) software_version: Option<&'a str>,
    /// As distributions note it in the comment: `Ubuntu`.
    pub(super) operating_system: Option<&'static str>,
    /// `11` in `Debian-5+deb11u3`.
    pub(super) operating_system_version: Option<&'a str>,
}

/// Marks that distributions leave in the line, in lower case, the more special one first: Ubuntu's packages of an age
/// read `Debian-1ubuntu3`.
const SYSTEMS: &[(&str, &str)] = &[
    ("ubuntu", "Ubuntu"),
    ("raspbian", "Raspbian"),
    ("debian", "Debian"),
    ("freebsd", "FreeBSD"),
    ("netbsd", "NetBSD"),
    ("for_windows", "Windows"),
];

/// Reads a line without its line feed; `None` when it is not an identification.
pub(super) fn read(line: &[u8]) -> Option<Identification<'_>> {
    let line = str::from_utf8(line).ok()?.trim_end_matches('\r');
    let (version, rest) = line.strip_prefix("SSH-")?.split_once('-')?;
    let is_version = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !is_version || version.is_empty() {
        return None;
    }
    let (software, comment) = rest.split_once(' ').unwrap_or((rest, ""));
    let (name, software_version) = name_and_version(software);
    let folded = rest.to_ascii_lowercase();
    let system = SYSTEMS.iter().find(|(mark, _)| folded.contains(mark)).map(|(_, name)| *name);
    Some(Identification {
        version,
        software: name,
        software_version,
        operating_system: system,
        operating_system_version: debian_release(comment),
    })
}

/// `OpenSSH_8.9p1` is `OpenSSH` and `8.9p1`; what begins with a digit has no name.
fn name_and_version(software: &str) -> (Option<String>, Option<&str>) {
    let separators = software.match_indices(['_', '-', '/']);
    let split = separators.map(|(at, _)| at).find(|at| {
        let mut behind = software.get(at + 1..).unwrap_or_default().bytes();
        match behind.next() {
            Some(b'v' | b'V') => behind.next().is_some_and(|next| next.is_ascii_digit()),
            Some(first) => first.is_ascii_digit(),
            None => false,
        }
    });
    let (name, version) = match split {
        Some(at) => (software.get(..at).unwrap_or_default(), software.get(at + 1..)),
        None => (software, None),
    };
    if name.starts_with(|first: char| !first.is_ascii_alphabetic()) || name.is_empty() {
        return (None, None);
    }
    // PuTTY_Release_0.78, WinSCP_release_6.1.
    let name = name.trim_end_matches("_Release").trim_end_matches("_release").replace('_', " ");
    (Some(name), version)
}

/// Debian notes the release that an update is for: `+deb11u3`.
fn debian_release(comment: &str) -> Option<&str> {
    let (_, rest) = comment.split_once("+deb")?;
    let (release, _) = rest.split_once('u')?;
    (!release.is_empty() && release.bytes().all(|byte| byte.is_ascii_digit())).then_some(release)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn software(line: &str) -> (Option<String>, Option<&str>, Option<&'static str>) {
        let said = read(line.as_bytes()).expect("an identification");
        (said.software, said.software_version, said.operating_system)
    }

    #[test]
    fn lines_of_real_software_are_taken_apart() {
        for (line, name, version, system) in [
            ("SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.1", "OpenSSH", Some("8.9p1"), Some("Ubuntu")),
            ("SSH-2.0-OpenSSH_5.8p1 Debian-1ubuntu3", "OpenSSH", Some("5.8p1"), Some("Ubuntu")),
            ("SSH-2.0-OpenSSH_for_Windows_7.7", "OpenSSH for Windows", Some("7.7"), Some("Windows")),
            ("SSH-2.0-dropbear_0.52-1", "dropbear", Some("0.52-1"), None),
            ("SSH-2.0-libssh2_1.4.3", "libssh2", Some("1.4.3"), None),
            ("SSH-2.0-PuTTY_Release_0.78", "PuTTY", Some("0.78"), None),
            ("SSH-1.99-Cisco-1.25", "Cisco", Some("1.25"), None),
            ("SSH-2.0-Go", "Go", None, None),
            ("SSH-2.0-ROSSSH\r", "ROSSSH", None, None),
        ] {
            assert_eq!(software(line), (Some(name.to_owned()), version, system), "{line}");
        }
        assert_eq!(software("SSH-2.0-3.2.9.1 SSH Secure Shell"), (None, None, None));
    }

    #[test]
    fn an_update_of_debian_names_the_release() {
        let said = read(b"SSH-2.0-OpenSSH_8.4p1 Debian-5+deb11u3").expect("an identification");
        assert_eq!(said.operating_system_version, Some("11"));
        let said = read(b"SSH-2.0-OpenSSH_6.7p1 Debian-3").expect("an identification");
        assert_eq!(said.operating_system_version, None);
    }

    #[test]
    fn other_lines_are_none() {
        for line in ["", "SSH-", "SSH-2.0", "SSH-x-y", "SSH--y", "Welcome to SSH-2.0-x"] {
            assert_eq!(read(line.as_bytes()), None, "{line}");
        }
    }
}
