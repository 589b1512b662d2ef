//! Facts as JSON, one object a line: what `wardwatch-sensor decode` prints.

use std::io::{self, Write};

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use wardwatch_proto::address::{community_id_text, ip_text, mac_text};
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Counters, Endpoint, Fact, Flow, Observation, fact};

#[derive(Serialize)]
struct EndpointJson {
    #[serde(skip_serializing_if = "String::is_empty")]
    mac: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    ip: String,
    #[serde(skip_serializing_if = "is_zero")]
    port: u32,
}

#[derive(Serialize)]
struct CountersJson {
    packets: u64,
    frame_bytes: u64,
    ip_bytes: u64,
    payload_bytes: u64,
}

#[derive(Serialize)]
struct TunnelJson {
    kind: &'static str,
    #[serde(skip_serializing_if = "is_zero")]
    id: u32,
}

#[derive(Serialize)]
struct FlowJson<'a> {
    r#type: &'static str,
    flow: u64,
    segment: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    community_id: String,
    start: String,
    end: String,
    initiator: EndpointJson,
    responder: EndpointJson,
    ip_protocol: u32,
    transport: &'static str,
    protocol: &'static str,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    vlans: &'a [u32],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tunnels: Vec<TunnelJson>,
    #[serde(skip_serializing_if = "str::is_empty")]
    network: &'a str,
    from_initiator: CountersJson,
    from_responder: CountersJson,
    end_reason: &'static str,
    initiator_guessed: bool,
}

#[derive(Serialize)]
struct SubjectJson<'a> {
    role: &'static str,
    #[serde(flatten)]
    endpoint: EndpointJson,
    #[serde(skip_serializing_if = "str::is_empty")]
    key: &'a str,
}

#[derive(Serialize)]
struct ObservationJson<'a> {
    r#type: &'static str,
    attribute: &'static str,
    value: &'a str,
    protocol: &'static str,
    subject: SubjectJson<'a>,
    at: String,
    #[serde(skip_serializing_if = "is_none")]
    flow: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    network: &'a str,
    count: u64,
}

/// Writes one fact as one line.
pub(crate) fn write(out: &mut impl Write, fact: &Fact) -> io::Result<()> {
    match &fact.fact {
        Some(fact::Fact::Flow(flow)) => serde_json::to_writer(&mut *out, &flow_json(flow))?,
        Some(fact::Fact::Observation(observation)) => {
            serde_json::to_writer(&mut *out, &observation_json(observation))?;
        }
        None => return Ok(()),
    }
    out.write_all(b"\n")
}

fn flow_json(flow: &Flow) -> FlowJson<'_> {
    FlowJson {
        r#type: "flow",
        flow: flow.id,
        segment: flow.segment,
        community_id: community_id_text(&flow.community_id),
        start: timestamp(flow.start),
        end: timestamp(flow.end),
        initiator: endpoint_json(flow.initiator.as_ref()),
        responder: endpoint_json(flow.responder.as_ref()),
        ip_protocol: flow.ip_protocol,
        transport: transport(flow.ip_protocol),
        protocol: flow.protocol().name(),
        vlans: &flow.vlans,
        tunnels: flow
            .tunnels
            .iter()
            .map(|tunnel| TunnelJson { kind: tunnel.kind().name(), id: tunnel.id })
            .collect(),
        network: &flow.network,
        from_initiator: counters_json(flow.from_initiator.as_ref()),
        from_responder: counters_json(flow.from_responder.as_ref()),
        end_reason: flow.end_reason().name(),
        initiator_guessed: flow.initiator_guessed,
    }
}

fn observation_json(observation: &Observation) -> ObservationJson<'_> {
    let subject = observation.subject.as_ref();
    ObservationJson {
        r#type: "observation",
        attribute: observation.attribute().name(),
        value: &observation.value,
        protocol: observation.protocol().name(),
        subject: SubjectJson {
            role: subject.map_or("", |subject| subject.role().name()),
            endpoint: endpoint_json(subject.and_then(|subject| subject.endpoint.as_ref())),
            key: subject.map_or("", |subject| &subject.key),
        },
        at: timestamp(observation.at),
        flow: observation.flow,
        network: &observation.network,
        count: observation.count,
    }
}

fn endpoint_json(endpoint: Option<&Endpoint>) -> EndpointJson {
    let absent = Endpoint::default();
    let endpoint = endpoint.unwrap_or(&absent);
    EndpointJson { mac: mac_text(&endpoint.mac), ip: ip_text(&endpoint.ip), port: endpoint.port }
}

fn counters_json(counters: Option<&Counters>) -> CountersJson {
    let Counters { packets, frame_bytes, ip_bytes, payload_bytes } = counters.copied().unwrap_or_default();
    CountersJson { packets, frame_bytes, ip_bytes, payload_bytes }
}

/// RFC 3339 in UTC with nanoseconds; the number itself where no calendar has it.
fn timestamp(nanoseconds: u64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanoseconds))
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| nanoseconds.to_string())
}

/// The usual word for the common IANA protocol numbers.
fn transport(ip_protocol: u32) -> &'static str {
    match ip_protocol {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        58 => "icmpv6",
        132 => "sctp",
        _ => "other",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(port: &u32) -> bool {
    *port == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_none(flow: &u64) -> bool {
    *flow == 0
}
