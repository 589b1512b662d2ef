//! What a relay agent, or a switch that watches over leases, adds to a client's message: option 82 (RFC 3046).
//!
//! The circuit identifier names the port that the message came in through, the remote identifier the agent itself or
//! whoever is behind the port: a telephone number or a user's name by the standard's own examples, so that only the
//! form that holds a hardware address is read. Subscribers (RFC 3993) are persons, and are not read at all.

use crate::octets::{be16, piece};

/// What is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Agent {
    /// The port at which the client hangs.
    pub(super) port: Option<String>,
    /// The agent's hardware address.
    pub(super) mac: Option<[u8; 6]>,
}

/// Reads the option's suboptions: code, length, value.
pub(super) fn agent(mut option: &[u8]) -> Agent {
    let mut agent = Agent::default();
    while let Some(([code, length], rest)) = option.split_first_chunk::<2>() {
        let Some((value, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
        match code {
            1 => agent.port = circuit(value),
            // Type 0 and six octets: the agent's own address.
            2 => agent.mac = value.strip_prefix(&[0, 6]).and_then(|mac| mac.try_into().ok()),
            _ => {}
        }
        option = rest;
    }
    agent
}

/// VLAN, module and port in the form that Cisco's switches began with and others took over (type 0, length 4); otherwise
/// a name in letters.
fn circuit(value: &[u8]) -> Option<String> {
    if let Some(rest) = value.strip_prefix(&[0, 4])
        && let (Some(vlan), Some([module, port])) = (be16(rest, 0), piece(rest, 2))
        && rest.len() == 4
    {
        return Some(format!("vlan {vlan} port {module}/{port}"));
    }
    // Type 1 is a name with its length.
    let name = match value {
        [1, length, name @ ..] if usize::from(*length) == name.len() => name,
        _ => value,
    };
    let is_printed = name.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    str::from_utf8(name).ok().filter(|_| is_printed).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_names_its_port_by_numbers_and_itself_by_its_address() {
        let told = agent(&[1, 6, 0, 4, 0, 20, 1, 5, 2, 8, 0, 6, 0, 9, 0xfb, 1, 2, 3]);
        assert_eq!(told.port.as_deref(), Some("vlan 20 port 1/5"));
        assert_eq!(told.mac, Some([0, 9, 0xfb, 1, 2, 3]));
    }

    #[test]
    fn a_port_may_have_a_name() {
        assert_eq!(agent(b"\x01\x0age-0/0/4.0").port.as_deref(), Some("ge-0/0/4.0"));
        assert_eq!(agent(b"\x01\x06\x01\x04eth7").port.as_deref(), Some("eth7"));
    }

    #[test]
    fn who_is_behind_the_port_is_not_read() {
        let told = agent(b"\x02\x08jane.doe\x06\x08jane.doe");
        assert_eq!(told, Agent::default());
    }

    #[test]
    fn what_runs_over_the_end_or_is_no_text_is_left() {
        assert_eq!(agent(&[1, 9, b'e']), Agent::default());
        assert_eq!(agent(&[1, 3, 1, 2, 0xFF]), Agent::default());
    }
}
