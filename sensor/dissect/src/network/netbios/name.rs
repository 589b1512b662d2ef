//! Names: fifteen octets and one that says what the name is for (RFC 1001, 14; [MS-NBTE] 2.2.1 and the list of suffixes there).

use wardwatch_proto::v1::Attribute;

/// The name of a host, of a group or of a service of either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    octets: [u8; 15],
    suffix: u8,
}

/// Who sends a datagram, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) from: Name,
    pub(super) to: Name,
}

/// What the last octet says.
const WORKSTATION: u8 = 0x00;
const BROWSERS: u8 = 0x01;
const DOMAIN_MASTER_BROWSER: u8 = 0x1B;
const DOMAIN_CONTROLLERS: u8 = 0x1C;
const MASTER_BROWSER: u8 = 0x1D;
const ELECTION: u8 = 0x1E;
const SERVER: u8 = 0x20;

impl Name {
    /// Fifteen octets and the suffix.
    pub(super) fn of(octets: [u8; 16]) -> Self {
        let [name @ .., suffix] = octets;
        Self { octets: name, suffix }
    }

    /// In a message each half of an octet is a letter from A to P, and parts of a scope follow (RFC 1002, 4.1). Gives what
    /// stands behind the name.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (letters, mut rest) = bytes.strip_prefix(&[32])?.split_first_chunk::<32>()?;
        let mut octets = [0; 16];
        let (pairs, _) = letters.as_chunks::<2>();
        for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
            *octet = half(*high)? << 4 | half(*low)?;
        }
        loop {
            let (length, behind) = rest.split_first()?;
            match *length {
                0 => return Some((Self::of(octets), behind)),
                // The whole is no longer than a name in DNS (RFC 1002, 4.1).
                length @ 1..=63 => rest = behind.get(usize::from(length)..)?,
                _ => return None,
            }
            if bytes.len() - rest.len() > 255 {
                return None;
            }
        }
    }

    /// The name without what fills it up.
    pub(crate) fn text(&self) -> String {
        let end = self.octets.iter().position(|octet| *octet == 0).unwrap_or(self.octets.len());
        let text = self.octets.get(..end).unwrap_or_default();
        String::from_utf8_lossy(text).trim_end().to_owned()
    }

    /// Whether who sends under this name sends under that of its host.
    pub(crate) fn is_of_host(&self) -> bool {
        matches!(self.suffix, WORKSTATION | SERVER)
    }

    /// Whether what is sent to this name is for the browsers of a domain or workgroup.
    pub(super) fn is_of_browsers(&self) -> bool {
        matches!(self.suffix, MASTER_BROWSER | ELECTION)
    }

    /// What holding this name says. Names for messages to users have other suffixes.
    pub(super) fn facts(&self, is_group: bool) -> Vec<(Attribute, String)> {
        let name = self.text();
        let role = |role: &str| (Attribute::Role, role.to_owned());
        // Internet Information Services is a group of its own among the domain controllers: `INet~Services`.
        if name.contains('~') {
            return Vec::new();
        }
        match (self.suffix, is_group) {
            (WORKSTATION | SERVER, false) => vec![(Attribute::HostName, name)],
            (WORKSTATION | ELECTION, true) => vec![(Attribute::Domain, name)],
            (DOMAIN_CONTROLLERS, true) => vec![(Attribute::Domain, name), role("domain-controller")],
            (DOMAIN_MASTER_BROWSER | MASTER_BROWSER, false) => {
                vec![(Attribute::Domain, name), role("master-browser")]
            }
            (BROWSERS, true) => vec![role("master-browser")],
            _ => Vec::new(),
        }
    }
}

fn half(letter: u8) -> Option<u8> {
    letter.checked_sub(b'A').filter(|half| *half < 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_standard_writes_them() {
        // "The NetBIOS name" of RFC 1001, 14.1, in the scope SCOPE.ID.COM; there "h" is written as GH, which is "g".
        let encoded = b"\x20FEGIGFCAEOGFHEECEJEPFDCAGOGBGNGF\x05SCOPE\x02ID\x03COM\x00rest";
        let (name, rest) = Name::read(encoded).expect("a name");
        assert_eq!((name, rest), (Name::of(*b"The NetBIOS name"), &b"rest"[..]));
        for other in [
            &encoded[..33],
            b"\x20QEGIGFCAEOGFHEECEJEPFDCAGOGBGNGF\x00",
            b"\x1FFEGIGFCAEOGFHEECEJEPFDCAGOGBGNG\x00",
        ] {
            assert_eq!(Name::read(other), None);
        }
    }

    #[test]
    fn users_and_web_servers_are_no_hosts_and_no_domains() {
        assert!(Name::of(*b"JDOE           \x03").facts(false).is_empty());
        assert!(Name::of(*b"INet~Services  \x1C").facts(true).is_empty());
        assert!(Name::of(*b"IS~PACS        \x00").facts(false).is_empty());
    }
}
