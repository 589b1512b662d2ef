//! Where a device is on the network: its addresses, and for a nested device the one that it is behind.

use std::collections::BTreeSet;

use wardwatch_proto::address;

use crate::conclusion::DeviceRecord;
use crate::device::Device;
use crate::dossier::Dossier;
use crate::hour::hour;
use crate::identity::{DeviceKey, EndpointId, Mac};
use crate::register::Register;
use crate::scope::Ip;

/// An address is in use until it has not been seen for this long before the device's last sighting: 7 days.
const IN_USE: u64 = 7 * 86_400 * 1_000_000_000;
/// Addresses that are listed.
const MOST_ADDRESSES: usize = 64;

pub(crate) fn describe(
    record: &mut DeviceRecord,
    register: &Register,
    device: &Device,
    dossiers: &[&Dossier],
) {
    let now = hour(record.last_seen);
    let is_current = |last: u64| hour(last).saturating_add(IN_USE) >= now;
    let mut ips: BTreeSet<Ip> = BTreeSet::new();
    for dossier in dossiers {
        if let EndpointId::Address(_, ip) = dossier.id
            && dossier.exists
            && is_current(dossier.last_seen())
        {
            ips.insert(ip);
        }
        ips.extend(
            dossier.bindings.iter().filter(|binding| is_current(binding.last)).map(|binding| binding.ip),
        );
    }
    let macs: BTreeSet<Mac> = dossiers.iter().filter_map(|dossier| dossier.id.interface()).collect();
    if !macs.is_empty() {
        record.macs = macs.iter().map(|mac| address::mac_text(mac)).collect();
        // What has gone over to another interface since, and what is answered for others, is not its own.
        ips.retain(|ip| macs.iter().any(|mac| register.has_address(*mac, *ip)));
    }
    let scopes = ips.iter().filter_map(|ip| register.scopes.get(&ip.scope));
    record.scopes = scopes.map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().collect();
    record.ips = ips.into_iter().take(MOST_ADDRESSES).map(|ip| ip.ip.to_string()).collect();
    if !matches!(device.key, DeviceKey::Third(..)) {
        return;
    }
    let tellers = dossiers.iter().flat_map(|dossier| &dossier.tellers).filter_map(|(teller, first)| {
        let known = register.links.get(register.find(teller)? as usize)?.device?;
        Some((*first, register.devices.get(known as usize)?.id))
    });
    if let Some((_, parent)) = tellers.min() {
        record.parent = parent.to_string();
        record.path = vec![record.parent.clone()];
    }
}
