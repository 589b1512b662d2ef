//! The messages that entries are made of. Tags are never reused.

use std::str::{Utf8Error, from_utf8};
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use wardwatch_proto::address;
use wardwatch_proto::v1::ImportTable;

use crate::decision::Decision;
use crate::dossier::{Conversation, FindingKey, Interval, Told};
use crate::identity::{self, EndpointId};
use crate::scope::Scope;
use crate::statement::{Statement, StatementKey};

#[derive(Clone, PartialEq, Message)]
pub(super) struct DossierState {
    #[prost(message, optional, tag = "1")]
    pub(super) id: Option<EndpointState>,
    #[prost(bool, tag = "2")]
    pub(super) exists: bool,
    #[prost(fixed64, tag = "3")]
    pub(super) first_seen: u64,
    #[prost(fixed64, tag = "4")]
    pub(super) last_seen: u64,
    #[prost(message, repeated, tag = "5")]
    pub(super) statements: Vec<StatementState>,
    #[prost(message, repeated, tag = "6")]
    pub(super) conversations: Vec<ConversationState>,
    #[prost(uint32, repeated, tag = "7")]
    pub(super) vlans: Vec<u32>,
    #[prost(string, repeated, tag = "8")]
    pub(super) sensors: Vec<String>,
    #[prost(message, repeated, tag = "9")]
    pub(super) findings: Vec<FindingState>,
    #[prost(message, repeated, tag = "10")]
    pub(super) tellers: Vec<TellerState>,
    #[prost(message, repeated, tag = "11")]
    pub(super) bindings: Vec<IntervalState>,
    #[prost(message, repeated, tag = "12")]
    pub(super) outside: Vec<IntervalState>,
    /// First and last minutes in turn.
    #[prost(uint32, repeated, tag = "13")]
    pub(super) in_use: Vec<u32>,
}

/// An interface has a MAC address alone; an address has an IP address; a third device has a key.
#[derive(Clone, PartialEq, Message)]
pub(super) struct EndpointState {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) mac: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) ip: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(super) key: String,
    #[prost(message, optional, boxed, tag = "4")]
    pub(super) teller: Option<Box<EndpointState>>,
    /// Of the address: the digest of its scope's name.
    #[prost(fixed64, tag = "5")]
    pub(super) scope: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StatementState {
    #[prost(int32, tag = "1")]
    pub(super) attribute: i32,
    #[prost(string, tag = "2")]
    pub(super) value: String,
    #[prost(int32, tag = "3")]
    pub(super) protocol: i32,
    /// In UTF-8. All of a dossier's have the same few, which are not copied for each of them.
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) sensor: Bytes,
    #[prost(int32, tag = "5")]
    pub(super) role: i32,
    #[prost(bytes = "vec", tag = "6")]
    pub(super) teller: Vec<u8>,
    #[prost(fixed64, tag = "7")]
    pub(super) teller_at: u64,
    #[prost(fixed64, tag = "8")]
    pub(super) first_seen: u64,
    #[prost(fixed64, tag = "9")]
    pub(super) last_seen: u64,
    #[prost(uint64, tag = "10")]
    pub(super) count: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ConversationState {
    #[prost(int32, tag = "1")]
    pub(super) protocol: i32,
    #[prost(bool, tag = "2")]
    pub(super) initiated: bool,
    #[prost(bool, tag = "3")]
    pub(super) internet: bool,
    #[prost(fixed64, tag = "4")]
    pub(super) last_seen: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FindingState {
    #[prost(int32, tag = "1")]
    pub(super) attribute: i32,
    #[prost(string, tag = "2")]
    pub(super) value: String,
    #[prost(int32, tag = "3")]
    pub(super) protocol: i32,
    #[prost(string, tag = "4")]
    pub(super) peer: String,
    #[prost(fixed64, tag = "5")]
    pub(super) at: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TellerState {
    #[prost(message, optional, tag = "1")]
    pub(super) id: Option<EndpointState>,
    #[prost(fixed64, tag = "2")]
    pub(super) first_seen: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct IntervalState {
    #[prost(fixed64, tag = "4")]
    pub(super) scope: u64,
    #[prost(bytes = "vec", tag = "1")]
    pub(super) ip: Vec<u8>,
    #[prost(fixed64, tag = "2")]
    pub(super) first: u64,
    #[prost(fixed64, tag = "3")]
    pub(super) last: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DeviceState {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) mac: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) ip: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(super) third_key: String,
    /// The device behind which the key means something; empty for the whole site.
    #[prost(bytes = "vec", tag = "4")]
    pub(super) within: Vec<u8>,
    /// A [`crate::DeviceRecord`] as far as it is kept; of former versions, a whole one.
    #[prost(bytes = "vec", optional, tag = "5")]
    pub(super) record: Option<Vec<u8>>,
    #[prost(message, repeated, tag = "6")]
    pub(super) chosen: Vec<ChosenState>,
    // 7 was the hour in which it was last resolved.
    #[prost(message, repeated, tag = "8")]
    pub(super) decisions: Vec<DecisionState>,
    /// Of the address: the digest of its scope's name.
    #[prost(fixed64, tag = "9")]
    pub(super) scope: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DecisionState {
    #[prost(string, tag = "1")]
    pub(super) field: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
    #[prost(string, tag = "3")]
    pub(super) author: String,
    #[prost(string, tag = "4")]
    pub(super) note: String,
    #[prost(fixed64, tag = "5")]
    pub(super) at: u64,
    #[prost(uint32, tag = "6")]
    pub(super) incarnation: u32,
    #[prost(uint64, tag = "7")]
    pub(super) offset: u64,
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
pub(super) struct ChosenState {
    #[prost(int32, tag = "1")]
    pub(super) attribute: i32,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// `None` for a field of a newer version.
pub(super) fn decision(state: DecisionState) -> Option<(&'static str, Decision)> {
    let DecisionState { field, value, author, note, at, incarnation, offset } = state;
    let field = wardwatch_proto::command::field(&field)?;
    Some((field, Decision { value, author, note, at, place: (incarnation, offset) }))
}

pub(super) fn endpoint(state: EndpointState) -> Option<EndpointId> {
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

pub(super) fn interval(state: &IntervalState) -> Option<Interval> {
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

/// The statements of a dossier as they are stored.
pub(super) fn statements<'a>(all: impl Iterator<Item = &'a Statement>) -> Vec<StatementState> {
    let mut sensor = Bytes::new();
    let stored = all.map(|statement| {
        if sensor != statement.key.sensor.as_bytes() {
            sensor = Bytes::copy_from_slice(statement.key.sensor.as_bytes());
        }
        StatementState {
            attribute: statement.key.attribute,
            value: statement.key.value.to_string(),
            protocol: statement.key.protocol,
            sensor: sensor.clone(),
            role: statement.role,
            teller: statement.teller.map(address::ip_bytes).unwrap_or_default(),
            teller_at: statement.teller_at,
            first_seen: statement.first_seen,
            last_seen: statement.last_seen,
            count: statement.count,
        }
    });
    stored.collect()
}

/// `sensor` finds the text that all share who heard from that sensor.
pub(super) fn statement(
    state: StatementState,
    sensor: impl FnOnce(&str) -> Arc<str>,
) -> Result<Statement, Utf8Error> {
    Ok(Statement {
        key: StatementKey {
            attribute: state.attribute,
            value: state.value.into(),
            protocol: state.protocol,
            sensor: sensor(from_utf8(&state.sensor)?),
        },
        role: state.role,
        teller: address::ip(&state.teller),
        teller_at: state.teller_at,
        first_seen: state.first_seen,
        last_seen: state.last_seen,
        count: state.count,
        is_touched: false,
    })
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
