//! SMB 2 and 3 (MS-SMB2, 2.2): NEGOTIATE and SESSION_SETUP.

use wardwatch_proto::v1::Attribute;

use super::Smb;
use crate::Facts;
use crate::access::ntlm;
use crate::octets::{le16, le32, part};

const NEGOTIATE: u16 = 0;
const SESSION_SETUP: u16 = 1;

/// Set in a server's messages (2.2.1.2).
const SERVER_TO_REDIR: u32 = 1;

/// Length of the header; bodies follow.
const HEADER: usize = 64;

pub(super) fn is_read(command: u16) -> bool {
    matches!(command, NEGOTIATE | SESSION_SETUP)
}

/// States what a message says, and tells whether a session is set up now. Offsets are from the header's beginning.
pub(super) fn state(message: &[u8], smb: &mut Smb, facts: &mut Facts<'_>) -> bool {
    let (Some(status), Some(command), Some(flags)) = (le32(message, 8), le16(message, 12), le32(message, 16))
    else {
        return false;
    };
    let is_answer = flags & SERVER_TO_REDIR != 0;
    match (command, is_answer) {
        (NEGOTIATE, false) => {
            facts.of_sender(Attribute::Role, "smb-client");
            false
        }
        (NEGOTIATE, true) if status == 0 => {
            facts.of_sender(Attribute::Role, "smb-server");
            if let Some(dialect) = le16(message, HEADER + 4).and_then(dialect) {
                facts.of_sender(Attribute::SmbDialect, dialect);
            }
            false
        }
        (SESSION_SETUP, false) => {
            if let Some(token) = buffer(message, HEADER + 12) {
                smb.proof(token, facts);
            }
            false
        }
        (SESSION_SETUP, true) => {
            if let Some(token) = buffer(message, HEADER + 4) {
                ntlm::state(token, facts);
            }
            smb.verdict(status, facts)
        }
        _ => false,
    }
}

/// 02FF only tells a client that began with SMB 1 to go on in SMB 2 (2.2.4).
fn dialect(revision: u16) -> Option<&'static str> {
    Some(match revision {
        0x0202 => "2.0.2",
        0x0210 => "2.1",
        0x0300 => "3.0",
        0x0302 => "3.0.2",
        0x0311 => "3.1.1",
        _ => return None,
    })
}

/// The security buffer whose offset and length stand here.
fn buffer(message: &[u8], at: usize) -> Option<&[u8]> {
    part(message, usize::from(le16(message, at)?), usize::from(le16(message, at + 2)?))
}
