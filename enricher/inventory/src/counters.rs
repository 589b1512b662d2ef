//! What was taken in and what was not, and why. Counted since the start of the process.

/// Every fact is either `flows`, `observations`, or `empty`; the other counters say what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Flow records taken in.
    pub flows: u64,
    /// Observations taken in.
    pub observations: u64,
    /// Facts of a kind that this version does not know.
    pub empty: u64,
    /// Observations whose value is outside its attribute's grammar, or whose attribute is not known.
    pub refused_values: u64,
    /// Observations whose subject names no interface, no host address and no key that a sensor makes.
    pub without_subject: u64,
    /// Observations about addresses outside the site that nothing binds to a MAC address.
    pub outside_site: u64,
    /// Facts about endpoints that there was no room for (`endpoints`).
    pub endpoints_full: u64,
    /// Observations from hearsay about endpoints that there was no room for (`hearsay`).
    pub hearsay_full: u64,
    /// Observations about third devices beyond what one teller may name (`third_devices_per_teller`).
    pub third_devices_full: u64,
    /// Statements given up for newer ones (`values_per_attribute`, `statements_per_endpoint`).
    pub statements_evicted: u64,
    /// Sightings of addresses not kept apart, because their interface has too many of them or they have too many
    /// interfaces.
    pub addresses_merged: u64,
    /// Address bindings given up for newer ones (`bound_addresses`).
    pub bindings_evicted: u64,
    /// Findings that may be told again early, because their memory was given up for newer ones.
    pub findings_forgotten: u64,
    /// Messages from a scope that there was no room for, taken as from the default one.
    pub scopes_full: u64,
    /// Times that more endpoints hung together by what they say of themselves than are compared, so that none was joined.
    pub joints_too_many: u64,
    /// Times on the wire that lay more than a day ahead of the broker's, and were replaced by it.
    pub clock_ahead: u64,
    /// Devices in the state that no evidence belongs to any more: the settings have changed.
    pub orphans: u64,
}
