//! What survives a restart: one entry for each dossier, each device and each part of another system's table, each holding
//! its absolute state.
//!
//! The messages below are a format of their own: tags are never reused. What follows from the dossiers (which device
//! each belongs to, which interfaces are routers) is not stored but concluded again.

use std::sync::Arc;

use prost::Message;
use uuid::Uuid;
use wardwatch_proto::address;
use wardwatch_proto::v1::ImportTable;

use crate::activity::Activity;
use crate::chosen::Chosen;
use crate::decision::Decision;
use crate::device::Device;
use crate::dossier::{Conversation, Dossier, FindingKey, Interval, Told};
use crate::identity::{self, DeviceKey, EndpointId};
use crate::known::Known;
use crate::register::Register;
use crate::scope::Scope;
use crate::statement::{Statement, StatementKey, Statements};

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

#[derive(Clone, PartialEq, Message)]
struct DossierState {
    #[prost(message, optional, tag = "1")]
    id: Option<EndpointState>,
    #[prost(bool, tag = "2")]
    exists: bool,
    #[prost(fixed64, tag = "3")]
    first_seen: u64,
    #[prost(fixed64, tag = "4")]
    last_seen: u64,
    #[prost(message, repeated, tag = "5")]
    statements: Vec<StatementState>,
    #[prost(message, repeated, tag = "6")]
    conversations: Vec<ConversationState>,
    #[prost(uint32, repeated, tag = "7")]
    vlans: Vec<u32>,
    #[prost(string, repeated, tag = "8")]
    sensors: Vec<String>,
    #[prost(message, repeated, tag = "9")]
    findings: Vec<FindingState>,
    #[prost(message, repeated, tag = "10")]
    tellers: Vec<TellerState>,
    #[prost(message, repeated, tag = "11")]
    bindings: Vec<IntervalState>,
    #[prost(message, repeated, tag = "12")]
    outside: Vec<IntervalState>,
    /// First and last minutes in turn.
    #[prost(uint32, repeated, tag = "13")]
    in_use: Vec<u32>,
}

/// An interface has a MAC address alone; an address has an IP address; a third device has a key.
#[derive(Clone, PartialEq, Message)]
struct EndpointState {
    #[prost(bytes = "vec", tag = "1")]
    mac: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    ip: Vec<u8>,
    #[prost(string, tag = "3")]
    key: String,
    #[prost(message, optional, boxed, tag = "4")]
    teller: Option<Box<EndpointState>>,
    /// Of the address: the digest of its scope's name.
    #[prost(fixed64, tag = "5")]
    scope: u64,
}

#[derive(Clone, PartialEq, Message)]
struct StatementState {
    #[prost(int32, tag = "1")]
    attribute: i32,
    #[prost(string, tag = "2")]
    value: String,
    #[prost(int32, tag = "3")]
    protocol: i32,
    #[prost(string, tag = "4")]
    sensor: String,
    #[prost(int32, tag = "5")]
    role: i32,
    #[prost(bytes = "vec", tag = "6")]
    teller: Vec<u8>,
    #[prost(fixed64, tag = "7")]
    teller_at: u64,
    #[prost(fixed64, tag = "8")]
    first_seen: u64,
    #[prost(fixed64, tag = "9")]
    last_seen: u64,
    #[prost(uint64, tag = "10")]
    count: u64,
}

#[derive(Clone, PartialEq, Message)]
struct ConversationState {
    #[prost(int32, tag = "1")]
    protocol: i32,
    #[prost(bool, tag = "2")]
    initiated: bool,
    #[prost(bool, tag = "3")]
    internet: bool,
    #[prost(fixed64, tag = "4")]
    last_seen: u64,
}

#[derive(Clone, PartialEq, Message)]
struct FindingState {
    #[prost(int32, tag = "1")]
    attribute: i32,
    #[prost(string, tag = "2")]
    value: String,
    #[prost(int32, tag = "3")]
    protocol: i32,
    #[prost(string, tag = "4")]
    peer: String,
    #[prost(fixed64, tag = "5")]
    at: u64,
}

#[derive(Clone, PartialEq, Message)]
struct TellerState {
    #[prost(message, optional, tag = "1")]
    id: Option<EndpointState>,
    #[prost(fixed64, tag = "2")]
    first_seen: u64,
}

#[derive(Clone, PartialEq, Message)]
struct IntervalState {
    #[prost(fixed64, tag = "4")]
    scope: u64,
    #[prost(bytes = "vec", tag = "1")]
    ip: Vec<u8>,
    #[prost(fixed64, tag = "2")]
    first: u64,
    #[prost(fixed64, tag = "3")]
    last: u64,
}

#[derive(Clone, PartialEq, Message)]
struct DeviceState {
    #[prost(bytes = "vec", tag = "1")]
    mac: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    ip: Vec<u8>,
    #[prost(string, tag = "3")]
    third_key: String,
    /// The device behind which the key means something; empty for the whole site.
    #[prost(bytes = "vec", tag = "4")]
    within: Vec<u8>,
    /// A [`crate::DeviceRecord`] as far as it is kept; of former versions, a whole one.
    #[prost(bytes = "vec", optional, tag = "5")]
    record: Option<Vec<u8>>,
    #[prost(message, repeated, tag = "6")]
    chosen: Vec<ChosenState>,
    // 7 was the hour in which it was last resolved.
    #[prost(message, repeated, tag = "8")]
    decisions: Vec<DecisionState>,
    /// Of the address: the digest of its scope's name.
    #[prost(fixed64, tag = "9")]
    scope: u64,
}

#[derive(Clone, PartialEq, Message)]
struct DecisionState {
    #[prost(string, tag = "1")]
    field: String,
    #[prost(string, tag = "2")]
    value: String,
    #[prost(string, tag = "3")]
    author: String,
    #[prost(string, tag = "4")]
    note: String,
    #[prost(fixed64, tag = "5")]
    at: u64,
    #[prost(uint32, tag = "6")]
    incarnation: u32,
    #[prost(uint64, tag = "7")]
    offset: u64,
}

/// A part of another system's table.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ImportState {
    #[prost(message, optional, tag = "1")]
    pub(crate) table: Option<ImportTable>,
    #[prost(string, tag = "2")]
    pub(crate) author: String,
    #[prost(fixed64, tag = "3")]
    pub(crate) at: u64,
    #[prost(uint32, tag = "4")]
    pub(crate) incarnation: u32,
    #[prost(uint64, tag = "5")]
    pub(crate) offset: u64,
}

#[derive(Clone, PartialEq, Message)]
struct ChosenState {
    #[prost(int32, tag = "1")]
    attribute: i32,
    #[prost(string, tag = "2")]
    value: String,
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
        let state = DossierState::decode(value).map_err(undecodable)?;
        let dossier = dossier(state).ok_or_else(|| unreadable("it names no endpoint"))?;
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
        statements: dossier.statements.iter().map(StatementState::from).collect(),
        conversations: dossier.conversations.iter().map(ConversationState::from).collect(),
        vlans: dossier.vlans.clone(),
        sensors: dossier.sensors.clone(),
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

fn dossier(state: DossierState) -> Option<Dossier> {
    let mut dossier = Dossier::new(endpoint(state.id?)?);
    dossier.exists = state.exists;
    dossier.first_seen = state.first_seen;
    dossier.last_minute = state.last_seen;
    dossier.statements =
        Statements::from_unsorted(state.statements.into_iter().map(Statement::from).collect());
    dossier.conversations = state.conversations.iter().map(Conversation::from).collect();
    dossier.vlans = state.vlans;
    dossier.sensors = state.sensors;
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
    Some(dossier)
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

/// `None` for a field of a newer version.
fn decision(state: DecisionState) -> Option<(&'static str, Decision)> {
    let DecisionState { field, value, author, note, at, incarnation, offset } = state;
    let field = wardwatch_proto::command::field(&field)?;
    Some((field, Decision { value, author, note, at, place: (incarnation, offset) }))
}

fn endpoint(state: EndpointState) -> Option<EndpointId> {
    let mac = identity::mac(&state.mac);
    if !state.key.is_empty() {
        let teller = match state.teller {
            Some(teller) => Some(Box::new(endpoint(*teller)?)),
            None => None,
        };
        return Some(EndpointId::Third(teller, state.key.into()));
    }
    match (mac, address::ip(&state.ip)) {
        (mac, Some(ip)) => Some(EndpointId::Address(mac, Scope(state.scope).at(ip))),
        (Some(mac), None) => Some(EndpointId::Interface(mac)),
        (None, None) => None,
    }
}

fn interval(state: &IntervalState) -> Option<Interval> {
    Some(Interval {
        ip: Scope(state.scope).at(address::ip(&state.ip)?),
        first: state.first,
        last: state.last,
    })
}

impl From<&EndpointId> for EndpointState {
    fn from(id: &EndpointId) -> Self {
        match id {
            EndpointId::Interface(mac) => Self { mac: mac.to_vec(), ..Self::default() },
            EndpointId::Address(mac, ip) => Self {
                mac: mac.map(|mac| mac.to_vec()).unwrap_or_default(),
                ip: address::ip_bytes(ip.ip),
                scope: ip.scope.0,
                ..Self::default()
            },
            EndpointId::Third(teller, key) => Self {
                key: key.to_string(),
                teller: teller.as_ref().map(|teller| Box::new(Self::from(&**teller))),
                ..Self::default()
            },
            // Not stored: it follows from the table.
            EndpointId::Row(..) => Self::default(),
        }
    }
}

impl From<&Statement> for StatementState {
    fn from(statement: &Statement) -> Self {
        Self {
            attribute: statement.key.attribute,
            value: statement.key.value.to_string(),
            protocol: statement.key.protocol,
            sensor: statement.key.sensor.to_string(),
            role: statement.role,
            teller: statement.teller.map(address::ip_bytes).unwrap_or_default(),
            teller_at: statement.teller_at,
            first_seen: statement.first_seen,
            last_seen: statement.last_seen,
            count: statement.count,
        }
    }
}

impl From<StatementState> for Statement {
    fn from(state: StatementState) -> Self {
        Self {
            key: StatementKey {
                attribute: state.attribute,
                value: state.value.into(),
                protocol: state.protocol,
                sensor: Arc::from(state.sensor),
            },
            role: state.role,
            teller: address::ip(&state.teller),
            teller_at: state.teller_at,
            first_seen: state.first_seen,
            last_seen: state.last_seen,
            count: state.count,
            is_touched: false,
        }
    }
}

impl From<(&&'static str, &Decision)> for DecisionState {
    fn from((field, decision): (&&'static str, &Decision)) -> Self {
        let Decision { value, author, note, at, place: (incarnation, offset) } = decision.clone();
        Self { field: (*field).to_owned(), value, author, note, at, incarnation, offset }
    }
}

impl From<&Conversation> for ConversationState {
    fn from(conversation: &Conversation) -> Self {
        let Conversation { protocol, initiated, internet, last_seen } = *conversation;
        Self { protocol, initiated, internet, last_seen }
    }
}

impl From<&ConversationState> for Conversation {
    fn from(state: &ConversationState) -> Self {
        let ConversationState { protocol, initiated, internet, last_seen } = *state;
        Self { protocol, initiated, internet, last_seen }
    }
}

impl From<&Told> for FindingState {
    fn from(told: &Told) -> Self {
        let FindingKey { attribute, value, protocol, peer } = told.finding.clone();
        Self { attribute, value, protocol, peer, at: told.at }
    }
}

impl From<FindingState> for Told {
    fn from(state: FindingState) -> Self {
        let FindingState { attribute, value, protocol, peer, at } = state;
        Self { finding: FindingKey { attribute, value, protocol, peer }, at }
    }
}

impl From<&Interval> for IntervalState {
    fn from(interval: &Interval) -> Self {
        Self {
            scope: interval.ip.scope.0,
            ip: address::ip_bytes(interval.ip.ip),
            first: interval.first,
            last: interval.last,
        }
    }
}
