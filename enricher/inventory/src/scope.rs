//! Network scopes: address spaces of a site that have nothing to do with each other, though the same addresses occur in both
//! (two hospitals behind one sensor's site, a tenant's network, a laboratory behind address translation). A sensor says in
//! which scope it stands, and of a fact from a tunnel that is a network of its own, which network that is: a scope within the
//! sensor's. An address means something within its scope only; a MAC address is one interface's everywhere.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use uuid::Uuid;

use crate::identity::NAMESPACE;
use crate::register::Register;

/// The longest name of a scope, in octets; a longer one was not stated by a sensor.
const LONGEST_NAME: usize = 128;

/// A scope, by a digest of its name; 0 for the one that a site has by default, which has no name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Scope(pub(crate) u64);

/// An address in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ip {
    pub(crate) scope: Scope,
    pub(crate) ip: IpAddr,
}

impl Scope {
    /// The scope of this name; the default one for a name that cannot be one.
    pub(crate) fn named(name: &str) -> Self {
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
            return Self::default();
        }
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()).as_u64_pair().0)
    }

    pub(crate) fn at(self, ip: IpAddr) -> Ip {
        Ip { scope: self, ip }
    }
}

/// The scopes of one message's facts.
#[derive(Debug)]
pub(crate) struct Scopes<'a> {
    /// Of the one where the sensor stands.
    name: &'a str,
    own: Scope,
    /// By the names of the networks within it.
    within: BTreeMap<String, Scope>,
}

impl<'a> Scopes<'a> {
    pub(crate) fn new(name: &'a str, register: &mut Register) -> Self {
        Self { name, own: register.scope(name), within: BTreeMap::new() }
    }

    /// The scope of a network, which is remembered: `campus/vxlan-5001`. No network is the sensor's own.
    pub(crate) fn enter(&mut self, network: &str, register: &mut Register) -> Scope {
        if network.is_empty() || self.within.contains_key(network) {
            return self.of(network);
        }
        let scope = if self.name.is_empty() {
            register.scope(network)
        } else {
            register.scope(&format!("{}/{network}", self.name))
        };
        self.within.insert(network.to_owned(), scope);
        scope
    }

    /// The scope of a network that was met in this message.
    pub(crate) fn of(&self, network: &str) -> Scope {
        self.within.get(network).copied().unwrap_or(self.own)
    }
}

impl fmt::Display for Ip {
    /// As people write it; in a scope with a name, its digest follows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scope {
            Scope(0) => write!(f, "{}", self.ip),
            Scope(digest) => write!(f, "{}%{digest:016x}", self.ip),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_apart_by_its_scope() {
        let ip = IpAddr::from([10, 0, 0, 1]);
        assert_eq!(Scope::named("").at(ip).to_string(), "10.0.0.1");
        assert_ne!(Scope::named("east").at(ip), Scope::named("west").at(ip));
        assert_ne!(Scope::named("east").at(ip).to_string(), Scope::named("west").at(ip).to_string());
        assert_eq!(Scope::named(&"n".repeat(200)), Scope::default());
    }
}
