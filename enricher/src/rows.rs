//! Rows as they stand in ClickHouse, see `deploy/clickhouse`. Their columns are matched by name and checked against the
//! table's types by the client.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use clickhouse::Row;
use compact_str::{CompactString, format_compact};
use serde::{Deserialize, Serialize};
use wardwatch_inventory::{AttributeRecord, Change, DeviceRecord, EnrichedFlow, LogMoment, SightingRecord};
use wardwatch_proto::address;
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Counters, Endpoint};
use wardwatch_store::version;

/// A row of `flows`. There are millions: names are shared, and short texts take no memory of their own.
#[derive(Clone, Debug, Row, Serialize)]
pub(crate) struct FlowRow {
    pub(crate) site: Arc<str>,
    pub(crate) sensor: Arc<str>,
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
    pub(crate) flow_id: u64,
    pub(crate) segment: u32,
    pub(crate) community_id: String,
    pub(crate) initiator: Arc<str>,
    pub(crate) initiator_device: Arc<str>,
    pub(crate) initiator_mac: CompactString,
    pub(crate) initiator_ip: Ipv6Addr,
    pub(crate) initiator_port: u16,
    pub(crate) responder: Arc<str>,
    pub(crate) responder_device: Arc<str>,
    pub(crate) responder_mac: CompactString,
    pub(crate) responder_ip: Ipv6Addr,
    pub(crate) responder_port: u16,
    pub(crate) ip_protocol: u8,
    pub(crate) protocol: &'static str,
    pub(crate) vlans: Vec<u16>,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) initiator_packets: u64,
    pub(crate) initiator_frame_bytes: u64,
    pub(crate) initiator_ip_bytes: u64,
    pub(crate) initiator_payload_bytes: u64,
    pub(crate) responder_packets: u64,
    pub(crate) responder_frame_bytes: u64,
    pub(crate) responder_ip_bytes: u64,
    pub(crate) responder_payload_bytes: u64,
    pub(crate) end_reason: &'static str,
    pub(crate) initiator_guessed: bool,
    pub(crate) initiator_tcp_flags: u16,
    pub(crate) responder_tcp_flags: u16,
    pub(crate) received: i64,
    pub(crate) source_incarnation: u32,
    pub(crate) source_partition: u32,
    pub(crate) source_offset: u64,
    pub(crate) source_index: u32,
}

/// Which batch a flow came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchIdentity<'a> {
    pub(crate) site: &'a Arc<str>,
    pub(crate) sensor: &'a Arc<str>,
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
}

impl FlowRow {
    /// The row of the flow that stands at this place in its batch.
    pub(crate) fn new(of: BatchIdentity<'_>, enriched: EnrichedFlow, at: LogMoment, index: u32) -> Self {
        let EnrichedFlow { flow, initiator_device, responder_device } = enriched;
        let (end_reason, protocol) = (flow.end_reason(), flow.protocol());
        let initiator = flow.initiator.unwrap_or_default();
        let responder = flow.responder.unwrap_or_default();
        let from_initiator = flow.from_initiator.unwrap_or_default();
        let from_responder = flow.from_responder.unwrap_or_default();
        let Counters { packets, frame_bytes, ip_bytes, payload_bytes } = from_responder;
        Self {
            site: Arc::clone(of.site),
            sensor: Arc::clone(of.sensor),
            epoch: of.epoch,
            sequence: of.sequence,
            flow_id: flow.id,
            segment: flow.segment,
            community_id: address::community_id_text(&flow.community_id),
            initiator: endpoint_id(&initiator_device, &initiator),
            initiator_device,
            initiator_mac: mac_column(&initiator.mac),
            initiator_ip: ip_column(&initiator.ip),
            initiator_port: port_column(initiator.port),
            responder: endpoint_id(&responder_device, &responder),
            responder_device,
            responder_mac: mac_column(&responder.mac),
            responder_ip: ip_column(&responder.ip),
            responder_port: port_column(responder.port),
            ip_protocol: u8::try_from(flow.ip_protocol).unwrap_or(u8::MAX),
            protocol: protocol.name(),
            vlans: flow.vlans.iter().map(|vlan| port_column(*vlan)).collect(),
            start: nanoseconds(flow.start),
            end: nanoseconds(flow.end),
            initiator_packets: from_initiator.packets,
            initiator_frame_bytes: from_initiator.frame_bytes,
            initiator_ip_bytes: from_initiator.ip_bytes,
            initiator_payload_bytes: from_initiator.payload_bytes,
            responder_packets: packets,
            responder_frame_bytes: frame_bytes,
            responder_ip_bytes: ip_bytes,
            responder_payload_bytes: payload_bytes,
            end_reason: end_reason.name(),
            initiator_guessed: flow.initiator_guessed,
            initiator_tcp_flags: port_column(flow.initiator_tcp_flags),
            responder_tcp_flags: port_column(flow.responder_tcp_flags),
            received: milliseconds(at.log_time),
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            source_index: index,
        }
    }
}

/// A row of `devices`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct DeviceRow {
    site: String,
    device: String,
    name: String,
    category: String,
    subcategory: String,
    r#type: String,
    manufacturer: String,
    model: String,
    serial_number: String,
    hardware_version: String,
    firmware_version: String,
    software_name: String,
    software_version: String,
    udi_di: String,
    location: String,
    department: String,
    institution: String,
    host_names: Vec<String>,
    roles: Vec<String>,
    macs: Vec<String>,
    ips: Vec<String>,
    mac_manufacturer: String,
    vlans: Vec<u16>,
    sensors: Vec<String>,
    protocols: Vec<String>,
    parent: String,
    path: Vec<String>,
    first_seen: i64,
    last_seen: i64,
    score: u8,
    #[serde(rename = "factors.name")]
    factor_names: Vec<String>,
    #[serde(rename = "factors.points")]
    factor_points: Vec<u32>,
    #[serde(rename = "factors.evidence")]
    factor_evidence: Vec<String>,
    #[serde(rename = "factors.explanation")]
    factor_explanations: Vec<String>,
    #[serde(rename = "factors.remedy")]
    factor_remedies: Vec<String>,
    confidence: u8,
    #[serde(rename = "why.field")]
    why_fields: Vec<String>,
    #[serde(rename = "why.value")]
    why_values: Vec<String>,
    #[serde(rename = "why.statement")]
    why_statements: Vec<String>,
    #[serde(rename = "why.evidence")]
    why_evidence: Vec<String>,
    #[serde(rename = "why.confidence")]
    why_confidence: Vec<u8>,
    knowledge: String,
    superseded_by: String,
    details: BTreeMap<String, String>,
    #[serde(rename = "gaps.field")]
    gap_fields: Vec<Arc<str>>,
    #[serde(rename = "gaps.reason")]
    gap_reasons: Vec<Cow<'static, str>>,
    #[serde(rename = "gaps.completed_by")]
    gap_completed_by: Vec<Arc<str>>,
    visibility: u8,
    scopes: Vec<String>,
    source_incarnation: u32,
    source_partition: u32,
    source_offset: u64,
    version: u64,
}

impl DeviceRow {
    /// The row of a device as it is known after the message at this place.
    pub(crate) fn new(site: &str, record: DeviceRecord, at: LogMoment) -> Self {
        let factors = record
            .factors
            .into_iter()
            .map(|factor| (factor.name, factor.points, factor.evidence, factor.explanation, factor.remedy));
        let (factor_names, factor_points, factor_evidence, factor_explanations, factor_remedies) =
            factors.collect();
        let why = record
            .why
            .into_iter()
            .map(|why| (why.field, why.value, why.statement, why.evidence, percent(why.confidence)));
        let (why_fields, why_values, why_statements, why_evidence, why_confidence) = why.collect();
        let gaps =
            record.gaps.into_iter().map(|gap| (gap.field, Cow::Borrowed(gap.reason), gap.completed_by));
        let (gap_fields, gap_reasons, gap_completed_by) = gaps.collect();
        Self {
            site: site.to_owned(),
            device: record.id,
            name: record.name,
            category: record.category,
            subcategory: record.subcategory,
            r#type: record.device_type,
            manufacturer: record.manufacturer,
            model: record.model,
            serial_number: record.serial_number,
            hardware_version: record.hardware_version,
            firmware_version: record.firmware_version,
            software_name: record.software_name,
            software_version: record.software_version,
            udi_di: record.udi_di,
            location: record.location,
            department: record.department,
            institution: record.institution,
            host_names: record.host_names,
            roles: record.roles,
            macs: record.macs,
            ips: record.ips,
            mac_manufacturer: record.mac_manufacturer,
            vlans: record.vlans.iter().map(|vlan| port_column(*vlan)).collect(),
            sensors: record.sensors,
            protocols: record.protocols,
            parent: record.parent,
            path: record.path,
            first_seen: nanoseconds(record.first_seen),
            last_seen: nanoseconds(record.last_seen),
            score: percent(record.score),
            factor_names,
            factor_points,
            factor_evidence,
            factor_explanations,
            factor_remedies,
            confidence: percent(record.confidence),
            why_fields,
            why_values,
            why_statements,
            why_evidence,
            why_confidence,
            knowledge: record.knowledge,
            superseded_by: record.superseded_by,
            gap_fields,
            gap_reasons,
            gap_completed_by,
            details: record.details.into_iter().map(|detail| (detail.field, detail.value)).collect(),
            visibility: percent(record.visibility),
            scopes: record.scopes,
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            version: version(at.incarnation, at.offset),
        }
    }
}

/// A row of `sightings`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct SightingRow {
    site: String,
    device: String,
    last_seen: i64,
    source_incarnation: u32,
    source_partition: u32,
    source_offset: u64,
    version: u64,
}

impl SightingRow {
    /// The row of a device that was seen again in the message at this place.
    pub(crate) fn new(site: &str, record: &SightingRecord, at: LogMoment) -> Self {
        Self {
            site: site.to_owned(),
            device: record.device.to_string(),
            last_seen: nanoseconds(record.last_seen),
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            version: version(at.incarnation, at.offset),
        }
    }
}

/// A row of `attributes`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct AttributeRow {
    site: String,
    device: String,
    attribute: String,
    value: String,
    protocol: String,
    sensor: String,
    role: String,
    teller: String,
    first_seen: i64,
    last_seen: i64,
    count: u64,
    confidence: u8,
    chosen: bool,
    source_incarnation: u32,
    source_partition: u32,
    source_offset: u64,
    version: u64,
}

/// What tells rows of `attributes` apart: site, device, attribute, value, protocol, sensor.
pub(crate) type AttributeKey = [String; 6];

impl AttributeRow {
    /// The row of a statement as it stands after the message at this place.
    pub(crate) fn new(site: &str, record: AttributeRecord, at: LogMoment) -> Self {
        Self {
            site: site.to_owned(),
            device: record.device.to_string(),
            attribute: record.attribute.to_owned(),
            value: record.value.into_string(),
            protocol: record.protocol.to_owned(),
            sensor: record.sensor.to_string(),
            role: record.role.to_owned(),
            teller: record.teller.map(|ip| ip.to_string()).unwrap_or_default(),
            first_seen: nanoseconds(record.first_seen),
            last_seen: nanoseconds(record.last_seen),
            count: record.count,
            confidence: percent(record.confidence),
            chosen: record.chosen,
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            version: version(at.incarnation, at.offset),
        }
    }

    /// What tells it apart.
    pub(crate) fn key(&self) -> AttributeKey {
        [&self.site, &self.device, &self.attribute, &self.value, &self.protocol, &self.sensor]
            .map(String::clone)
    }
}

/// A row of `changes`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub(crate) struct ChangeRow {
    site: String,
    device: String,
    field: String,
    before: String,
    after: String,
    at: i64,
    received: i64,
    source_incarnation: u32,
    source_partition: u32,
    pub(crate) source_offset: u64,
    source_index: u32,
}

impl ChangeRow {
    /// The row of the change that stands at this place among those of its message.
    pub(crate) fn new(site: &str, change: Change, at: LogMoment, index: u32) -> Self {
        Self {
            site: site.to_owned(),
            device: change.device,
            field: change.field,
            before: change.before,
            after: change.after,
            at: nanoseconds(change.at),
            received: milliseconds(at.log_time),
            source_incarnation: at.incarnation,
            source_partition: at.partition,
            source_offset: at.offset,
            source_index: index,
        }
    }
}

/// The device's id, or the address of an endpoint that is no device of the site; empty where the link has neither.
fn endpoint_id(device: &Arc<str>, endpoint: &Endpoint) -> Arc<str> {
    if !device.is_empty() {
        return Arc::clone(device);
    }
    if let Some(ip) = address::ip(&endpoint.ip) {
        return Arc::from(format_compact!("ip:{ip}").as_str());
    }
    match mac_column(&endpoint.mac) {
        mac if mac.is_empty() => Arc::default(),
        mac => Arc::from(format_compact!("mac:{mac}").as_str()),
    }
}

/// Empty where there is no address.
fn mac_column(bytes: &[u8]) -> CompactString {
    let mut text = CompactString::default();
    // Writing into memory does not fail.
    let _ = address::write_mac(bytes, &mut text);
    text
}

/// `::` where there is no address; IPv4 mapped (RFC 4291, 2.5.5.2).
fn ip_column(bytes: &[u8]) -> Ipv6Addr {
    match address::ip(bytes) {
        Some(IpAddr::V4(v4)) => v4.to_ipv6_mapped(),
        Some(IpAddr::V6(v6)) => v6,
        None => Ipv6Addr::UNSPECIFIED,
    }
}

/// Ports, VLAN ids and TCP flags have 16 bits or fewer on the wire; a message that says more says nothing.
fn port_column(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(0)
}

/// What a DateTime64(9) holds; it ends in the year 2262.
pub(crate) fn nanoseconds(since_epoch: u64) -> i64 {
    i64::try_from(since_epoch).unwrap_or(i64::MAX)
}

/// What a DateTime64(3) holds, from nanoseconds.
pub(crate) fn milliseconds(nanoseconds: u64) -> i64 {
    (nanoseconds / 1_000_000).cast_signed()
}

pub(crate) fn percent(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_named_by_its_device_else_by_its_address() {
        let endpoint = Endpoint { mac: vec![0, 9, 0xfb, 1, 2, 3], ip: vec![192, 0, 2, 7], port: 80 };
        let nobody = Arc::default();
        assert_eq!(&*endpoint_id(&Arc::from("d1"), &endpoint), "d1");
        assert_eq!(&*endpoint_id(&nobody, &endpoint), "ip:192.0.2.7");
        assert_eq!(mac_column(&endpoint.mac), address::mac_text(&endpoint.mac));
        assert_eq!(&*endpoint_id(&nobody, &Endpoint { ip: vec![], ..endpoint }), "mac:00:09:fb:01:02:03");
        assert_eq!(&*endpoint_id(&nobody, &Endpoint::default()), "");
    }

    #[test]
    fn what_does_not_fit_its_column_does_not_panic() {
        assert_eq!(ip_column(&[1, 2, 3]), Ipv6Addr::UNSPECIFIED);
        assert_eq!(ip_column(&[192, 0, 2, 7]).to_string(), "::ffff:192.0.2.7");
        assert_eq!(port_column(70_000), 0);
        assert_eq!(nanoseconds(u64::MAX), i64::MAX);
        assert_eq!(milliseconds(u64::MAX), 18_446_744_073_709);
    }
}
