//! What hosts announce to the browsers of their network ([MS-BRWS] 2.2, within [MS-MAIL] and [MS-CIFS] 2.2.4.33).

use wardwatch_proto::v1::Attribute;

use super::name::Name;
use crate::octets::{be16, part, piece};

/// `HostAnnouncement`, `LocalMasterAnnouncement` and `DomainAnnouncement` ([MS-BRWS] 2.2.1, 2.2.6, 2.2.7).
const HOST: u8 = 0x01;
const DOMAIN: u8 = 0x0C;
const LOCAL_MASTER: u8 = 0x0F;

/// What a server is: bits of its type ([MS-BRWS] 2.2.1, [MS-RAP] 2.5.5.4), and the role.
const ROLES: &[(u32, &str)] = &[
    (0x0000_0004, "sql-server"),
    (0x0000_0018, "domain-controller"),
    (0x0000_0200, "print-server"),
    (0x000C_0000, "master-browser"),
    (0x0200_0000, "terminal-server"),
];

/// Windows of either line, and a server that runs on Unix and says it is like Windows in all else.
const WINDOWS: u32 = 0x0040_9000;
const UNIX: u32 = 0x0000_0800;

/// What the host says in this datagram's data, which was sent to this name.
pub(super) fn announced(data: &[u8], to: &Name) -> Vec<(Attribute, String)> {
    let Some(message) = mailslot(data) else { return Vec::new() };
    read(message, to).unwrap_or_default()
}

fn read(message: &[u8], to: &Name) -> Option<Vec<(Attribute, String)>> {
    let (kind, _) = message.split_first()?;
    // Here all sixteen octets may be the name's.
    let name: [u8; 16] = piece(message, 6)?;
    let name = String::from_utf8_lossy(name.split(|octet| *octet == 0).next()?).trim_end().to_owned();
    let [major, minor] = piece(message, 22)?;
    let types = u32::from_le_bytes(piece(message, 24)?);
    if *kind == DOMAIN {
        // The name is the domain's, and who announces it is its master browser.
        return Some(vec![(Attribute::Domain, name), (Attribute::Role, "master-browser".to_owned())]);
    }
    let is_signed = be16(message, 30)? == 0x55AA;
    if !matches!(*kind, HOST | LOCAL_MASTER) || !is_signed {
        return None;
    }
    let mut facts = vec![(Attribute::HostName, name)];
    if to.is_of_browsers() {
        facts.push((Attribute::Domain, to.text()));
    }
    if types & WINDOWS != 0 && types & UNIX == 0 {
        facts.push((Attribute::OperatingSystem, "Windows".to_owned()));
        facts.push((Attribute::OperatingSystemVersion, format!("{major}.{minor}")));
    }
    let roles = ROLES.iter().filter(|(bits, _)| types & bits != 0);
    facts.extend(roles.map(|(_, role)| (Attribute::Role, (*role).to_owned())));
    Some(facts)
}

/// The message in a write to the browsers' mailslot: a transaction of SMB.
fn mailslot(smb: &[u8]) -> Option<&[u8]> {
    const MAILSLOT: &[u8] = b"\\MAILSLOT\\BROWSE\0";
    const HEADER: usize = 32;
    let rest = smb.strip_prefix(b"\xFFSMB\x25")?;
    let words = usize::from(*rest.get(HEADER - 5)?);
    // Behind the words two octets count the bytes, which begin with the name.
    let name = part(smb, HEADER + 1 + 2 * words + 2, MAILSLOT.len())?;
    if words < 13 || !name.eq_ignore_ascii_case(MAILSLOT) {
        return None;
    }
    let number = |at| piece(smb, HEADER + 1 + at).map(u16::from_le_bytes);
    part(smb, usize::from(number(24)?), usize::from(number(22)?))
}
