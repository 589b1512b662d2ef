//! SMB 1 (MS-CIFS, 2.2.4.52 and 53; MS-SMB, 2.2.4.5 and 6): NEGOTIATE and SESSION_SETUP_ANDX.

use wardwatch_proto::attribute;
use wardwatch_proto::v1::Attribute;

use super::Smb;
use crate::Facts;
use crate::access::ntlm;
use crate::octets::{find, le16, le32, part, utf16le};

const NEGOTIATE: u8 = 0x72;
const SESSION_SETUP_ANDX: u8 = 0x73;

/// Length of the header; the count of words follows.
const HEADER: usize = 32;

/// Longest text that is read, in octets.
const LONGEST_TEXT: usize = 256;

/// Flags: the server's answer. Flags2: texts in UTF-16. Capabilities: the negotiation goes on in GSS-API.
const REPLY: u8 = 0x80;
const UNICODE: u16 = 0x8000;
const EXTENDED_SECURITY: u32 = 0x8000_0000;

/// Names of workgroups that Windows gives of itself: no domains.
const WORKGROUPS: [&str; 2] = ["WORKGROUP", "MSHOME"];

pub(super) fn is_read(command: u8) -> bool {
    matches!(command, NEGOTIATE | SESSION_SETUP_ANDX)
}

/// A message taken apart.
struct Message<'a> {
    whole: &'a [u8],
    words: &'a [u8],
    /// Where the bytes behind the words begin, and they.
    at: usize,
    bytes: &'a [u8],
    is_unicode: bool,
}

/// States what a message says, and tells whether a session is set up now.
pub(super) fn state(whole: &[u8], smb: &mut Smb, facts: &mut Facts<'_>) -> bool {
    let (Some(command), Some(status), Some(flags), Some(flags2)) =
        (whole.get(4), le32(whole, 5), whole.get(9), le16(whole, 10))
    else {
        return false;
    };
    let Some(words) = whole.get(HEADER).and_then(|count| part(whole, HEADER + 1, 2 * usize::from(*count)))
    else {
        return false;
    };
    let at = HEADER + 1 + words.len() + 2;
    let length = le16(whole, at - 2).map_or(0, usize::from);
    let bytes = part(whole, at, length).unwrap_or_default();
    let message = Message { whole, words, at, bytes, is_unicode: flags2 & UNICODE != 0 };
    match (*command, flags & REPLY != 0) {
        (NEGOTIATE, false) => {
            facts.of_sender(Attribute::Role, "smb-client");
            // Who can do better says so in the same list ("SMB 2.???").
            if find(bytes, b"SMB 2").is_none() && !bytes.is_empty() {
                facts.of_sender(Attribute::WeakProtocol, "smb1");
            }
            false
        }
        (NEGOTIATE, true) => {
            // 0xFFFF: none of the dialects.
            if status == 0 && le16(words, 0).is_some_and(|dialect| dialect != 0xFFFF) {
                message.state_server(smb, facts);
                message.state_names(facts);
            }
            false
        }
        (SESSION_SETUP_ANDX, false) => {
            message.state_request(smb, facts);
            false
        }
        (SESSION_SETUP_ANDX, true) => {
            message.state_answer(smb, facts);
            smb.verdict(status, facts)
        }
        _ => false,
    }
}

impl Message<'_> {
    fn state_server(&self, smb: &mut Smb, facts: &mut Facts<'_>) {
        if !std::mem::replace(&mut smb.is_weak, true) {
            facts.of_sender(Attribute::Role, "smb-server");
            facts.of_sender(Attribute::WeakProtocol, "smb1");
        }
        // Only this dialect has 17 words.
        if self.words.len() == 34 {
            facts.of_sender(Attribute::SmbDialect, "NT LM 0.12");
        }
    }

    /// A server without extended security gives its domain and its name behind the challenge.
    fn state_names(&self, facts: &mut Facts<'_>) {
        let Some(capabilities) = le32(self.words, 19) else { return };
        if self.words.len() != 34 || capabilities & EXTENDED_SECURITY != 0 {
            return;
        }
        let challenge = self.words.get(33).map_or(0, |length| usize::from(*length));
        // These two are not padded to an even offset (MS-CIFS, 2.2.4.52.2).
        let mut texts = Texts { message: self.whole, at: self.at + challenge, is_unicode: self.is_unicode };
        let (domain, name) = (texts.unaligned(), texts.unaligned());
        if let Some(domain) = domain.filter(|domain| !WORKGROUPS.contains(&domain.as_str())) {
            facts.of_sender(Attribute::Domain, &domain);
        }
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            facts.of_sender(Attribute::HostName, &name);
        }
    }

    fn state_request(&self, smb: &mut Smb, facts: &mut Facts<'_>) {
        let secret = |at: usize| le16(self.words, at).map_or(0, usize::from);
        let behind = match self.words.len() {
            // Extended security.
            24 => {
                let token = part(self.bytes, 0, secret(14)).unwrap_or_default();
                smb.proof(token, facts);
                token.len()
            }
            26 => {
                let (lan_manager, nt) = (secret(14), secret(16));
                smb.method = Some("ntlm");
                // The proof of NTLMv2 is longer.
                if nt == 24 {
                    facts.of_sender(Attribute::WeakProtocol, "ntlmv1");
                }
                lan_manager + nt
            }
            _ => return,
        };
        let mut texts = Texts { message: self.whole, at: self.at + behind, is_unicode: self.is_unicode };
        if self.words.len() == 26 {
            // The user, and the user's domain.
            texts.pass();
            texts.pass();
        }
        state_system(texts.aligned(), texts.aligned(), facts);
    }

    fn state_answer(&self, smb: &mut Smb, facts: &mut Facts<'_>) {
        let token = match self.words.len() {
            6 => 0,
            8 => le16(self.words, 6).map_or(0, usize::from),
            _ => return,
        };
        self.state_server(smb, facts);
        let challenge = part(self.bytes, 0, token).and_then(|token| ntlm::state(token, facts));
        smb.has_challenged |= challenge == Some(ntlm::Message::Challenge);
        let mut texts = Texts { message: self.whole, at: self.at + token, is_unicode: self.is_unicode };
        let (system, software) = (texts.aligned(), texts.aligned());
        // A challenge names the same Windows by its build.
        let system = system.filter(|system| !(smb.has_challenged && system.starts_with("Windows")));
        state_system(system, software, facts);
    }
}

/// `Windows 7 Professional 7601 Service Pack 1`, `Unix`, and the software: `Windows 7 Professional 6.1`, `Samba 4.7.6`.
fn state_system(system: Option<String>, software: Option<String>, facts: &mut Facts<'_>) {
    let system = system.unwrap_or_default();
    let software = software.unwrap_or_default();
    if let Some(version) = software.strip_prefix("Samba") {
        facts.of_sender(Attribute::SoftwareName, "Samba");
        if !version.is_empty() {
            facts.of_sender(Attribute::SoftwareVersion, version);
        }
        // Samba claims to be some Windows where clients want one.
        if system == "Unix" {
            facts.of_sender(Attribute::OperatingSystem, &system);
        }
        return;
    }
    let (name, version) = match system.strip_prefix("Windows ") {
        Some(version) => ("Windows", version),
        // No part is stated of what may not be stated as a whole.
        None if attribute::accept(Attribute::OperatingSystem, &system).is_none() => return,
        None => match system.find(|c: char| c.is_ascii_digit()) {
            Some(at) => system.split_at(at),
            None => (system.as_str(), ""),
        },
    };
    if !name.is_empty() {
        facts.of_sender(Attribute::OperatingSystem, name.trim_end().trim_end_matches(" version"));
    }
    if !version.is_empty() {
        facts.of_sender(Attribute::OperatingSystemVersion, version);
    }
}

/// Texts one behind the other, each ended by a zero.
struct Texts<'a> {
    message: &'a [u8],
    at: usize,
    is_unicode: bool,
}

impl<'a> Texts<'a> {
    /// The next text; in UTF-16 it begins at an even offset from the header.
    fn aligned(&mut self) -> Option<String> {
        if self.is_unicode {
            self.at += self.at % 2;
        }
        self.unaligned()
    }

    fn unaligned(&mut self) -> Option<String> {
        let text = self.octets()?;
        if text.len() > LONGEST_TEXT {
            return None;
        }
        if self.is_unicode { utf16le(text) } else { str::from_utf8(text).ok().map(str::to_owned) }
    }

    /// Passes over a text without looking at it.
    fn pass(&mut self) {
        if self.is_unicode {
            self.at += self.at % 2;
        }
        self.octets();
    }

    /// The octets of the next text.
    fn octets(&mut self) -> Option<&'a [u8]> {
        let rest = self.message.get(self.at..)?;
        let (length, end) = if self.is_unicode {
            let (units, _) = rest.as_chunks::<2>();
            (2 * units.iter().position(|unit| *unit == [0, 0]).unwrap_or(units.len()), 2)
        } else {
            (rest.iter().position(|octet| *octet == 0).unwrap_or(rest.len()), 1)
        };
        self.at = self.at.saturating_add(length + end);
        rest.get(..length)
    }
}
