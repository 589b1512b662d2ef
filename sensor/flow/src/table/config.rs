//! Bounds and timeouts.

use std::time::Duration;

use super::{clock::ticks, flow::Class};

/// Bounds and timeouts of a table. Durations are of packet time. Timeouts are at most 30 days, and exact to about 0.1 s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The most flows kept at a time; each takes about 200 bytes.
    pub max_flows: usize,
    /// A flow that lasts states a record this often (exact to about a second, at most nine hours); one that is about to be idle waits for that, so that most flows
    /// state only one.
    pub active_interval: Duration,
    /// Idle timeout of TCP of which only SYN and SYN-ACK were seen.
    pub tcp_opening: Duration,
    /// Idle timeout of TCP connections.
    pub tcp_established: Duration,
    /// Idle time after both FINs or an RST, in which late packets still count with the flow.
    pub tcp_closing: Duration,
    /// Idle timeout of UDP.
    pub udp: Duration,
    /// Idle timeout of ICMP and ICMPv6.
    pub icmp: Duration,
    /// Idle timeout of other IP protocols.
    pub other: Duration,
    /// VNIs and GRE keys of tunnels in which a mirror sends its copies: they keep no flows apart.
    pub mirrors: Vec<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_flows: 1_000_000,
            active_interval: Duration::from_mins(1),
            // Linux repeats a SYN at intervals of up to 64 s.
            tcp_opening: Duration::from_secs(70),
            tcp_established: Duration::from_mins(5),
            tcp_closing: Duration::from_secs(10),
            udp: Duration::from_mins(1),
            icmp: Duration::from_secs(30),
            other: Duration::from_mins(1),
            mirrors: Vec::new(),
        }
    }
}

/// Timeout of a class, and how coarsely its list is kept in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdleRule {
    pub(super) timeout: u32,
    /// A flow moves to the end of its list when its last packet's tick enters a new unit of 2^epoch ticks.
    pub(super) epoch: u32,
}

impl IdleRule {
    fn new(timeout: Duration) -> Self {
        let timeout = ticks(timeout);
        // A sixteenth of the timeout: busy flows are moved seldom, idle ones end late by no more than that.
        Self { timeout, epoch: (timeout / 16).checked_ilog2().unwrap_or(0) }
    }
}

/// The rule of each class.
pub(super) fn idle_rules(config: &Config) -> [IdleRule; Class::COUNT] {
    let mut idle_rules = [IdleRule { timeout: 0, epoch: 0 }; Class::COUNT];
    for (class, timeout) in [
        (Class::TcpOpening, config.tcp_opening),
        (Class::TcpEstablished, config.tcp_established),
        (Class::TcpClosing, config.tcp_closing),
        (Class::Udp, config.udp),
        (Class::Icmp, config.icmp),
        (Class::Other, config.other),
    ] {
        idle_rules[class as usize] = IdleRule::new(timeout);
    }
    idle_rules
}
