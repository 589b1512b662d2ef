//! NTLM (MS-NLMP): the tokens that SMB, LDAP, HTTP and RPC carry, wherever they stand.
//!
//! A server's challenge tells its name, its domain and the build of its Windows, to everybody who asks. A client's answer
//! tells the name of its machine, and by the length of its response whether it still proves itself by NTLMv1. The
//! names of users, and the domains that they belong to, are not read.
//!
//! Traps: a machine outside any domain gives its own name as that of the domain. Samba and others fill the version
//! with a build of 0, or with octets of FF. A client's version is not stated at all: macOS and many libraries claim to be
//! Windows 7 (6.1.7600).

use std::net::IpAddr;

use wardwatch_proto::v1::Attribute;

use crate::Facts;
use crate::octets::{find, le16, le32, part, utf16le};

/// What every token begins with (2.2.1).
const SIGNATURE: &[u8] = b"NTLMSSP\0";

/// Longest name that is read, in octets.
const LONGEST_NAME: usize = 512;

/// Names of the pairs in a challenge's target information (2.2.2.1).
const AV_EOL: u16 = 0;
const AV_NB_COMPUTER_NAME: u16 = 1;
const AV_NB_DOMAIN_NAME: u16 = 2;
const AV_DNS_COMPUTER_NAME: u16 = 3;
const AV_DNS_DOMAIN_NAME: u16 = 4;

/// Pairs that are read of one challenge; the standard has eleven kinds.
const MOST_PAIRS: usize = 32;

/// NTLMSSP_NEGOTIATE_UNICODE and NTLMSSP_NEGOTIATE_VERSION (2.2.2.5).
const UNICODE: u32 = 0x0000_0001;
const VERSION: u32 = 0x0200_0000;

/// Length of the response by which a client proves itself in NTLMv1 (2.2.2.6), session security or not.
const NTLMV1_RESPONSE: usize = 24;

/// The first builds of Windows 2000: what is below is none.
const LEAST_BUILD: u16 = 2195;

/// Which of the three messages a token is (2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// The client would like to.
    Negotiate,
    /// The server asks for a proof.
    Challenge,
    /// The client gives it.
    Authenticate,
}

/// States what the first token within these bytes says of the one that sends it: alone, within SPNEGO (RFC 4178), or
/// in anything that wraps it.
pub(crate) fn state(bytes: &[u8], facts: &mut Facts<'_>) -> Option<Message> {
    let token = bytes.get(find(bytes, SIGNATURE)?..)?;
    match le32(token, 8)? {
        1 => Some(Message::Negotiate),
        2 => {
            challenge(token, facts);
            Some(Message::Challenge)
        }
        3 => {
            authenticate(token, facts);
            Some(Message::Authenticate)
        }
        _ => None,
    }
}

/// CHALLENGE_MESSAGE (2.2.1.2).
fn challenge(token: &[u8], facts: &mut Facts<'_>) {
    let names = Names::of(field(token, 40).unwrap_or_default());
    let host = names.dns_host.as_ref().or(names.host.as_ref());
    if let Some(host) = host {
        facts.of_sender(Attribute::HostName, host);
    }
    if let Some(domain) = names.domain() {
        facts.of_sender(Attribute::Domain, domain);
    }
    if le32(token, 20).is_some_and(|flags| flags & VERSION != 0)
        && let Some([major, minor, build @ .., _, _, _, _]) = part(token, 48, 8)
        && let Some(build) = le16(build, 0)
        && matches!((major, minor), (5, 0..=2) | (6, 0..=3) | (10, 0))
        && build >= LEAST_BUILD
    {
        facts.of_sender(Attribute::OperatingSystem, "Windows");
        facts.of_sender(Attribute::OperatingSystemVersion, &format!("{major}.{minor}.{build}"));
    }
}

/// AUTHENTICATE_MESSAGE (2.2.1.3).
fn authenticate(token: &[u8], facts: &mut Facts<'_>) {
    if le16(token, 20).map(usize::from) == Some(NTLMV1_RESPONSE) {
        facts.of_sender(Attribute::WeakProtocol, "ntlmv1");
    }
    let is_unicode = le32(token, 60).is_some_and(|flags| flags & UNICODE != 0);
    let name = field(token, 44).and_then(|name| {
        if is_unicode { utf16le(name) } else { str::from_utf8(name).ok().map(str::to_owned) }
    });
    if let Some(name) = name.filter(|name| is_of_a_machine(name)) {
        facts.of_sender(Attribute::HostName, &name);
    }
}

/// Not an address, and not the word that programs give that have no name.
fn is_of_a_machine(name: &str) -> bool {
    let given = ["WORKSTATION", "LOCALHOST"].iter().any(|word| name.eq_ignore_ascii_case(word));
    !name.is_empty() && !given && name.parse::<IpAddr>().is_err()
}

/// A field's content: length, allocated length, offset from the token's beginning.
fn field(token: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(le16(token, at)?);
    let offset = usize::try_from(le32(token, at + 4)?).ok()?;
    part(token, offset, length)
}

/// What a server calls itself.
#[derive(Debug, Default)]
struct Names {
    host: Option<String>,
    dns_host: Option<String>,
    nt_domain: Option<String>,
    dns_domain: Option<String>,
}

impl Names {
    fn of(mut information: &[u8]) -> Self {
        let mut names = Self::default();
        for _ in 0..MOST_PAIRS {
            let (Some(id), Some(length)) = (le16(information, 0), le16(information, 2).map(usize::from))
            else {
                break;
            };
            let value = part(information, 4, length).filter(|value| value.len() <= LONGEST_NAME);
            let text = value.and_then(utf16le).filter(|text| !text.is_empty());
            match id {
                AV_EOL => break,
                AV_NB_COMPUTER_NAME => names.host = text,
                AV_NB_DOMAIN_NAME => names.nt_domain = text,
                AV_DNS_COMPUTER_NAME => names.dns_host = text,
                AV_DNS_DOMAIN_NAME => names.dns_domain = text,
                _ => {}
            }
            information = information.get(4 + length..).unwrap_or_default();
        }
        names
    }

    /// The domain that the machine belongs to, by its DNS name where it has one.
    fn domain(&self) -> Option<&String> {
        let is_own = |domain: &String| {
            [&self.host, &self.dns_host].into_iter().flatten().any(|host| host.eq_ignore_ascii_case(domain))
        };
        if self.nt_domain.as_ref().is_some_and(is_own) {
            return None;
        }
        self.dns_domain.as_ref().or(self.nt_domain.as_ref()).filter(|domain| !is_own(domain))
    }
}

#[cfg(test)]
pub(crate) mod tests;
