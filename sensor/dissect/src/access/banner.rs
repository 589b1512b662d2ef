//! Greetings of servers of text: which software stands in them.
//!
//! A greeting is free text, and people write into it. So only products that are known by name are stated, and the version
//! only where it follows the name.

use wardwatch_proto::v1::Attribute;

use crate::Facts;

/// A product as greetings spell it, in lower case; how it is stated; whether it is an operating system.
const PRODUCTS: &[(&str, &str, Kind)] = &[
    ("bftpd", "bftpd", Kind::Software),
    ("busybox", "BusyBox", Kind::Software),
    ("filezilla server", "FileZilla Server", Kind::Software),
    ("microsoft ftp service", "Microsoft FTP Service", Kind::OfWindows),
    ("microsoft telnet service", "Microsoft Telnet Service", Kind::OfWindows),
    ("microsoft telnet server", "Microsoft Telnet Service", Kind::OfWindows),
    ("net+arm ftp server", "NET+ARM FTP Server", Kind::Software),
    ("nucleus ftp server", "Nucleus FTP Server", Kind::Software),
    ("proftpd", "ProFTPD", Kind::Software),
    ("pure-ftpd", "Pure-FTPd", Kind::Software),
    ("serv-u ftp server", "Serv-U FTP Server", Kind::Software),
    ("vsftpd", "vsFTPd", Kind::Software),
    ("wu-ftpd", "wu-ftpd", Kind::Software),
    ("vxworks", "VxWorks", Kind::System),
    ("qnx", "QNX", Kind::System),
    ("windows ce", "Windows CE", Kind::System),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Software,
    /// Software that only runs on Windows.
    OfWindows,
    System,
}

/// Longest greeting that is looked at.
const LONGEST: usize = 512;

/// States the products that a line of a greeting names.
pub(super) fn state(line: &[u8], facts: &mut Facts<'_>) {
    let Some(text) = line.get(..line.len().min(LONGEST)).and_then(|line| str::from_utf8(line).ok()) else {
        return;
    };
    let folded = text.to_ascii_lowercase();
    for (spelled, name, kind) in PRODUCTS {
        let Some(at) = folded.find(spelled) else { continue };
        let is_word = |neighbour: Option<char>| neighbour.is_none_or(|c| !c.is_ascii_alphanumeric());
        let before = folded.get(..at).and_then(|before| before.chars().next_back());
        let behind = text.get(at + spelled.len()..).unwrap_or_default();
        let version = version(behind);
        if !is_word(before) || version.is_none() && !is_word(behind.chars().next()) {
            continue;
        }
        let (of_name, of_version) = match kind {
            Kind::Software | Kind::OfWindows => (Attribute::SoftwareName, Attribute::SoftwareVersion),
            Kind::System => (Attribute::OperatingSystem, Attribute::OperatingSystemVersion),
        };
        facts.of_sender(of_name, name);
        if let Some(version) = version {
            facts.of_sender(of_version, version);
        }
        if *kind == Kind::OfWindows {
            facts.of_sender(Attribute::OperatingSystem, "Windows");
        }
    }
}

/// The version at the beginning, behind a blank or slash, "version", or a `v`: `1.3.5`, ` version 0.9.60`, ` v6.4`.
fn version(behind: &str) -> Option<&str> {
    let rest = behind.trim_start_matches([' ', '/', '-', '(']);
    let rest = rest.strip_prefix("version ").or_else(|| rest.strip_prefix("Version ")).unwrap_or(rest);
    let rest = rest.strip_prefix(['v', 'V']).unwrap_or(rest);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_';
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let version = rest.get(..end)?.trim_end_matches(['.', '-']);
    (version.starts_with(|first: char| first.is_ascii_digit()) && version.contains('.')).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, Direction, Input, Statements};
    use wardwatch_proto::v1::Protocol;

    fn said(bytes: &[u8]) -> Vec<String> {
        let (sender, receiver) = (Address::default(), Address::default());
        let input = Input {
            direction: Direction::FromResponder,
            sender,
            receiver,
            at: 1,
            flow: 1,
            carrier: crate::Carrier::default(),
            bytes,
        };
        let mut statements = Statements::default();
        state(bytes, &mut Facts::new(&mut statements, Protocol::Ftp, &input));
        statements.observations.into_iter().map(|told| told.value).collect()
    }

    #[test]
    fn known_products_are_stated_with_the_version_behind_them() {
        for (line, values) in [
            ("220 (vsFTPd 3.0.3)", &["vsFTPd", "3.0.3"][..]),
            ("220 ProFTPD 1.3.5e Server (Debian) [::ffff:192.0.2.1]", &["ProFTPD", "1.3.5e"]),
            ("220-FileZilla Server version 0.9.60 beta", &["FileZilla Server", "0.9.60"]),
            ("220 Microsoft FTP Service", &["Microsoft FTP Service", "Windows"]),
            ("220 VxWorks (5.4.2) FTP server ready", &["VxWorks", "5.4.2"]),
            ("220 VxWorks FTP server ready", &["VxWorks"]),
            ("Serv-U FTP Server v6.4 ready...", &["Serv-U FTP Server", "6.4"]),
        ] {
            assert_eq!(said(line.as_bytes()), values, "{line}");
        }
    }

    #[test]
    fn what_people_write_says_nothing() {
        for line in ["220 Welcome to Dr. Doe's server 2.0", "220 myvsftpdx", "220 vsftpdial", "\u{fc}ber"] {
            assert_eq!(said(line.as_bytes()), [""; 0], "{line}");
        }
        assert_eq!(said(&[0xFF, 0xFE]), [""; 0]);
    }
}
