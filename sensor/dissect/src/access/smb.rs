//! SMB 1, 2 and 3 (MS-CIFS, MS-SMB, MS-SMB2) directly on TCP and in NetBIOS sessions (RFC 1001, 1002), on any port.
//!
//! Only the negotiation and the session setup are read: which dialect was agreed on, what both ends say of themselves in
//! NTLM (see [`super::ntlm`]), what SMB 1 has them say of their systems, the names of a NetBIOS session, and that a log-in was
//! refused. All else is passed over by its length, unseen: shares, files and users are never read. With the first session
//! that is set up the flow is let go of.
//!
//! A flow may be joined at any message, and goes on behind a hole at the next one.

mod netbios;
mod version1;
mod version2;

use wardwatch_proto::v1::{Attribute, Protocol};

use super::ntlm;
use crate::octets::{find, le16, part, piece};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

/// SMB on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Smb, probe, start: || Box::new(Smb::default()) };

/// Longest negotiation or session setup that is read: tickets with many groups stay below.
const LONGEST_READ: usize = 128 * 1024;

/// Bytes of one direction that are searched for a message before the flow is given up.
const LONGEST_SEARCH: usize = 1024 * 1024;

/// The packet's header (RFC 1002, 4.3.1): kind, and 24 bits of length.
const HEADER: usize = 4;

/// What messages begin with: of SMB 1, of SMB 2 and 3, encrypted ones, compressed ones.
const SMB1: [u8; 4] = *b"\xffSMB";
const SMB2: [u8; 4] = *b"\xfeSMB";
const ENCRYPTED: [u8; 4] = *b"\xfdSMB";
const COMPRESSED: [u8; 4] = *b"\xfcSMB";

/// Codes by which a server refuses who somebody says he is (MS-ERREF, 2.3.1): no such user, wrong password, logon
/// failure, account restriction, account disabled, account locked out.
const REFUSALS: [u32; 6] = [0xC000_0064, 0xC000_006A, 0xC000_006D, 0xC000_006E, 0xC000_0072, 0xC000_0234];

/// How a token for Kerberos begins within GSS-API (RFC 4121, 4.1): the mechanism, and AP-REQ.
const KERBEROS_REQUEST: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00";

#[derive(Default)]
struct Smb {
    /// For each direction, how many bytes were searched for a message since its framing was lost.
    searched: [Option<usize>; 2],
    /// How the client tries to prove who it is: a kind of log-in.
    method: Option<&'static str>,
    /// The name by which the client called the server in a NetBIOS session.
    called: Option<String>,
    /// The server gave a challenge of NTLM.
    has_challenged: bool,
    /// That the server speaks SMB 1 was said.
    is_weak: bool,
}

fn probe(input: &Input<'_>) -> Probe {
    let Some([kind, _, high, low]) = piece(input.bytes, 0) else {
        let may_be = matches!(input.bytes, [] | [0x00, ..] | [0x81, 0, ..]);
        return if may_be { Probe::Unsure } else { Probe::NotForUs };
    };
    match kind {
        netbios::MESSAGE => match piece(input.bytes, HEADER) {
            Some(SMB1 | ENCRYPTED) => Probe::Certain,
            // The header's own length, which is always 64.
            Some(SMB2) => match le16(input.bytes, HEADER + 4) {
                Some(64) => Probe::Certain,
                Some(_) => Probe::NotForUs,
                None => Probe::Unsure,
            },
            Some(_) => Probe::NotForUs,
            None => Probe::Unsure,
        },
        netbios::SESSION_REQUEST => {
            let length = usize::from(u16::from_be_bytes([high, low]));
            match part(input.bytes, HEADER, length) {
                Some(names) if netbios::names(names).is_some() => Probe::Certain,
                None if length <= netbios::LONGEST_REQUEST => Probe::Unsure,
                _ => Probe::NotForUs,
            }
        }
        _ => Probe::NotForUs,
    }
}

impl Dissector for Smb {
    fn protocol(&self) -> Protocol {
        Protocol::Smb
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let searched = self.searched.get(input.direction.index()).copied().flatten();
        match searched {
            Some(searched) => self.search(input, searched, facts),
            None => self.packet(input, facts),
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        self.lose(direction, Some(0));
        true
    }
}

impl Smb {
    fn lose(&mut self, direction: Direction, searched: Option<usize>) {
        if let Some(side) = self.searched.get_mut(direction.index()) {
            *side = searched;
        }
    }

    /// Looks for the next message of SMB 1 or 2.
    fn search(&mut self, input: &Input<'_>, searched: usize, facts: &mut Facts<'_>) -> Progress {
        let begins = |bytes: &[u8]| {
            let packet = Input { bytes, ..*input };
            matches!(bytes, [netbios::MESSAGE, ..]) && probe(&packet) == Probe::Certain
        };
        let mut from = 0;
        while let Some(at) = input.bytes.get(from..).and_then(|rest| find(rest, b"SMB")) {
            // The packet's header and the octet before the letters.
            if let Some(start) = (from + at).checked_sub(HEADER + 1)
                && input.bytes.get(start..).is_some_and(begins)
            {
                self.lose(input.direction, None);
                return if start == 0 { self.packet(input, facts) } else { Progress::Consumed(start) };
            }
            from += at + 1;
        }
        // A message may begin in the last octets.
        let passed = input.bytes.len().saturating_sub(2 * HEADER + 2);
        if passed == 0 {
            return Progress::NeedMore;
        }
        if searched > LONGEST_SEARCH {
            return Progress::Broken("no message to go on at");
        }
        self.lose(input.direction, Some(searched.saturating_add(passed)));
        Progress::Consumed(passed)
    }

    fn packet(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some([kind, high, middle, low]) = piece(input.bytes, 0) else { return Progress::NeedMore };
        let length = usize::try_from(u32::from_be_bytes([0, high, middle, low])).unwrap_or(usize::MAX);
        let whole = HEADER + length;
        match kind {
            netbios::MESSAGE => self.message(input, whole, facts),
            netbios::SESSION_REQUEST if length <= netbios::LONGEST_REQUEST => {
                let Some(names) = part(input.bytes, HEADER, length) else { return Progress::NeedMore };
                if let Some([called, calling]) = netbios::names(names) {
                    if let Some(calling) = calling {
                        facts.of_sender(Attribute::HostName, &calling);
                    }
                    self.called = called;
                }
                Progress::Consumed(whole)
            }
            netbios::POSITIVE_RESPONSE if length == 0 => {
                // It answers to the name by which it was called.
                if let Some(called) = self.called.take().filter(|name| !name.starts_with('*')) {
                    facts.of_sender(Attribute::HostName, &called);
                }
                Progress::Consumed(whole)
            }
            netbios::NEGATIVE_RESPONSE | netbios::RETARGET | netbios::KEEPALIVE if length <= 6 => {
                Progress::Consumed(whole)
            }
            _ => Progress::Broken("not a packet of a session"),
        }
    }

    fn message(&mut self, input: &Input<'_>, whole: usize, facts: &mut Facts<'_>) -> Progress {
        let Some(mark) = piece(input.bytes, HEADER) else { return Progress::NeedMore };
        let is_read = match mark {
            SMB1 => input.bytes.get(HEADER + 4).map(|command| version1::is_read(*command)),
            SMB2 => le16(input.bytes, HEADER + 12).map(version2::is_read),
            // Only a session that is set up encrypts or compresses.
            ENCRYPTED | COMPRESSED => return Progress::Done,
            _ => return Progress::Broken("neither SMB 1 nor 2"),
        };
        match is_read {
            None => Progress::NeedMore,
            Some(true) if whole <= LONGEST_READ => {
                let Some(message) = input.bytes.get(HEADER..whole) else { return Progress::NeedMore };
                let is_set_up = if mark == SMB1 {
                    version1::state(message, self, facts)
                } else {
                    version2::state(message, self, facts)
                };
                if is_set_up { Progress::Done } else { Progress::Consumed(whole) }
            }
            Some(_) => Progress::Consumed(whole),
        }
    }

    /// The token of a client that would like to set up a session.
    fn proof(&mut self, token: &[u8], facts: &mut Facts<'_>) {
        if ntlm::state(token, facts).is_some() {
            self.method = Some("ntlm");
        } else if find(token, KERBEROS_REQUEST).is_some() {
            self.method = Some("kerberos");
        }
    }

    /// The server's answer to it; whether a session is set up now.
    fn verdict(&self, status: u32, facts: &mut Facts<'_>) -> bool {
        if REFUSALS.contains(&status)
            && let Some(method) = self.method
        {
            facts.of_receiver(Attribute::FailedLogin, method);
        }
        status == 0
    }
}

#[cfg(test)]
mod tests;
