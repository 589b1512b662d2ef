//! What survives a restart: one entry for each dossier, each device and each part of another system's table, each holding
//! its absolute state.
//!
//! They are protobuf messages (`format`) of the inventory's own. What follows from the dossiers (which device
//! each belongs to, which interfaces are routers) is not stored but concluded again.

use bytes::Bytes;
use prost::Message;
use uuid::Uuid;
use wardwatch_proto::address;

use crate::activity::Activity;
use crate::chosen::Chosen;
use crate::device::Device;
use crate::dossier::{Conversation, Dossier, Told};
use crate::identity::{self, DeviceKey};
use crate::known::Known;
use crate::register::Register;
use crate::scope::Scope;
use crate::sensors::Sensors;
use crate::statement::Statements;

mod format;

pub(crate) use format::ImportState;
use format::{
    ChosenState, ConversationState, DecisionState, DeviceState, DossierState, EndpointState, FindingState,
    IntervalState, TellerState, decision, endpoint, interval, statement,
};

/// One piece of an inventory's state. The newest entry of each key, in any order, rebuilds the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateEntry {
    /// Unique within the site.
    pub key: String,
    /// Protobuf; empty for an entry that is no longer needed.
    pub value: Vec<u8>,
}

/// A state entry that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A key that this version does not know.
    #[error("state entry {key:?} is of no known kind")]
    UnknownKind {
        /// The entry's key.
        key: String,
    },
    /// A value that does not fit its key.
    #[error("state entry {key:?} cannot be read: {problem}")]
    Unreadable {
        /// The entry's key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Puts what an entry holds into the register.
pub(crate) fn restore(register: &mut Register, key: &str, value: &[u8]) -> Result<(), StateError> {
    let unreadable =
        |problem: &str| StateError::Unreadable { key: key.to_owned(), problem: problem.to_owned() };
    let undecodable = |error: prost::DecodeError| unreadable(&error.to_string());
    if let Some(pair) = key.strip_prefix("ruling/") {
        return register.rulings.restore(pair, value).map_err(|problem| unreadable(&problem));
    }
    if let Some(digest) = key.strip_prefix("scope/") {
        let name = std::str::from_utf8(value).map_err(|error| unreadable(&error.to_string()))?;
        if Scope::named(name) != Scope(u64::from_str_radix(digest, 16).unwrap_or_default()) {
            return Err(unreadable("its name is another scope's"));
        }
        register.scopes.insert(Scope::named(name), name.into());
        return Ok(());
    }
    let is_dossier = key.starts_with("dossier/");
    let is_import = key.starts_with("import/");
    if !is_dossier && !is_import && !key.starts_with("device/") {
        return Err(StateError::UnknownKind { key: key.to_owned() });
    }
    if value.is_empty() {
        return Ok(());
    }
    if is_import {
        return register.imports.restore(key, value);
    }
    if is_dossier {
        let state = DossierState::decode(Bytes::copy_from_slice(value)).map_err(undecodable)?;
        let dossier = dossier(state, &mut register.sensors).map_err(|problem| unreadable(&problem))?;
        register.restore_dossier(dossier);
    } else {
        let state = DeviceState::decode(value).map_err(undecodable)?;
        let (known, record) =
            Known::from_stored(state.record.as_deref().unwrap_or_default()).map_err(undecodable)?;
        let mut device = device(state, &register.site).ok_or_else(|| unreadable("it names no device"))?;
        device.known = known;
        register.restore_device(device, &record);
    }
    Ok(())
}

/// The entries for the scopes that were met first since the last call.
pub(crate) fn of_new_scopes(register: &mut Register) -> Vec<StateEntry> {
    let new = std::mem::take(&mut register.new_scopes).into_iter();
    let entry = |scope: Scope| {
        let name = register.scopes.get(&scope)?;
        Some(StateEntry { key: format!("scope/{:016x}", scope.0), value: name.as_bytes().to_vec() })
    };
    new.filter_map(entry).collect()
}

/// The entry for a dossier.
pub(crate) fn of_dossier(dossier: &Dossier) -> StateEntry {
    let state = DossierState {
        id: Some(EndpointState::from(&dossier.id)),
        exists: dossier.exists,
        first_seen: dossier.first_seen,
        last_seen: dossier.last_minute,
        statements: format::statements(dossier.statements.iter()),
        conversations: dossier.conversations.iter().map(ConversationState::from).collect(),
        vlans: dossier.vlans.clone(),
        sensors: dossier.sensors.iter().map(ToString::to_string).collect(),
        findings: dossier.findings.iter().map(FindingState::from).collect(),
        tellers: dossier
            .tellers
            .iter()
            .map(|(id, first_seen)| TellerState { id: Some(id.into()), first_seen: *first_seen })
            .collect(),
        bindings: dossier.bindings.iter().map(IntervalState::from).collect(),
        outside: dossier.outside.iter().map(IntervalState::from).collect(),
        in_use: dossier.activity.times().iter().flat_map(|(first, last)| [*first, *last]).collect(),
    };
    StateEntry { key: format!("dossier/{}", dossier.id), value: state.encode_to_vec() }
}

/// The entry for a device.
pub(crate) fn of_device(device: &Device) -> StateEntry {
    let mut state = DeviceState {
        record: Some(device.known.to_stored(&device.id_text())),
        chosen: device
            .chosen
            .iter()
            .map(|(attribute, value)| ChosenState { attribute, value: value.to_owned() })
            .collect(),
        decisions: device.decisions.iter().map(DecisionState::from).collect(),
        ..DeviceState::default()
    };
    match &device.key {
        DeviceKey::Mac(mac) => state.mac = mac.to_vec(),
        DeviceKey::Ip(ip) => {
            state.ip = address::ip_bytes(ip.ip);
            state.scope = ip.scope.0;
        }
        DeviceKey::Third(within, key) => {
            state.third_key = key.to_string();
            state.within = within.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        }
    }
    StateEntry { key: format!("device/{}", device.id), value: state.encode_to_vec() }
}

fn dossier(state: DossierState, sensors: &mut Sensors) -> Result<Dossier, String> {
    let id = state.id.and_then(endpoint).ok_or("it names no endpoint")?;
    let mut dossier = Dossier::new(id);
    dossier.exists = state.exists;
    dossier.first_seen = state.first_seen;
    dossier.last_minute = state.last_seen;
    let statements = state.statements.into_iter().map(|state| statement(state, |name| sensors.of(name)));
    let statements = statements.collect::<Result<_, _>>();
    let statements = statements.map_err(|error| format!("a sensor's name is no text: {error}"))?;
    dossier.statements = Statements::from_unsorted(statements);
    dossier.conversations = state.conversations.iter().map(Conversation::from).collect();
    dossier.vlans = state.vlans;
    dossier.sensors = state.sensors.iter().map(|name| sensors.of(name)).collect();
    dossier.findings = state.findings.into_iter().map(Told::from).collect();
    dossier.tellers = state
        .tellers
        .into_iter()
        .filter_map(|teller| Some((endpoint(teller.id?)?, teller.first_seen)))
        .collect();
    dossier.bindings = state.bindings.iter().filter_map(interval).collect();
    dossier.outside = state.outside.iter().filter_map(interval).collect();
    dossier.activity =
        Activity::from_times(state.in_use.as_chunks().0.iter().map(|[first, last]| (*first, *last)));
    Ok(dossier)
}

fn device(state: DeviceState, site: &Uuid) -> Option<Device> {
    let key = match (identity::mac(&state.mac), address::ip(&state.ip), state.third_key) {
        (Some(mac), ..) => DeviceKey::Mac(mac),
        (None, Some(ip), _) => DeviceKey::Ip(Scope(state.scope).at(ip)),
        (None, None, key) if !key.is_empty() => {
            DeviceKey::Third(Uuid::from_slice(&state.within).ok(), key.into())
        }
        _ => return None,
    };
    let mut device = Device::new(key, site);
    device.chosen = Chosen::of(state.chosen.iter().map(|chosen| (chosen.attribute, chosen.value.as_str())));
    device.decisions = state.decisions.into_iter().filter_map(decision).collect();
    Some(device)
}
