//! A flow record in the words of the contract.

use wardwatch_flow::packet;
use wardwatch_flow::table::{self, FlowRecord};
use wardwatch_proto::address::ip_bytes;
use wardwatch_proto::v1::{Counters, EndReason, Endpoint, Fact, Flow, Tunnel, TunnelKind, fact};

/// `id` is the flow's number in the contract, `network` the name of the one that it is in; `protocol` is a number of [`wardwatch_proto::v1::Protocol`].
pub(super) fn from_record(record: &FlowRecord, id: u64, protocol: u32, network: String) -> Fact {
    let flow = Flow {
        id,
        segment: record.segment,
        community_id: record.community_id.0.to_vec(),
        initiator: Some(endpoint(&record.initiator)),
        responder: Some(endpoint(&record.responder)),
        ip_protocol: u32::from(record.ip_protocol),
        protocol: i32::try_from(protocol).unwrap_or_default(),
        vlans: record.vlan_ids().map(u32::from).collect(),
        start: record.start,
        end: record.end,
        from_initiator: Some(counters(&record.from_initiator)),
        from_responder: Some(counters(&record.from_responder)),
        end_reason: end_reason(record.end_reason).into(),
        initiator_guessed: record.initiator_guessed,
        initiator_tcp_flags: u32::from(record.tcp_flags_initiator),
        responder_tcp_flags: u32::from(record.tcp_flags_responder),
        tunnels: record.tunnels.iter().map(tunnel).collect(),
        network,
    };
    Fact { fact: Some(fact::Fact::Flow(flow)) }
}

fn endpoint(endpoint: &table::Endpoint) -> Endpoint {
    Endpoint {
        mac: endpoint.mac.map(|mac| mac.0.to_vec()).unwrap_or_default(),
        ip: ip_bytes(endpoint.ip),
        port: u32::from(endpoint.port),
    }
}

fn tunnel(tunnel: packet::Tunnel) -> Tunnel {
    let kind = match tunnel.kind {
        packet::TunnelKind::None => TunnelKind::Unspecified,
        packet::TunnelKind::Mpls => TunnelKind::Mpls,
        packet::TunnelKind::Pppoe => TunnelKind::Pppoe,
        packet::TunnelKind::Ip => TunnelKind::Ip,
        packet::TunnelKind::Gre => TunnelKind::Gre,
        packet::TunnelKind::Erspan => TunnelKind::Erspan,
        packet::TunnelKind::Vxlan => TunnelKind::Vxlan,
        packet::TunnelKind::Geneve => TunnelKind::Geneve,
        packet::TunnelKind::Gtp => TunnelKind::Gtp,
    };
    Tunnel { kind: kind.into(), id: tunnel.id }
}

fn counters(counters: &table::Counters) -> Counters {
    let table::Counters { packets, frame_bytes, ip_bytes, payload_bytes } = *counters;
    Counters { packets, frame_bytes, ip_bytes, payload_bytes }
}

fn end_reason(reason: table::EndReason) -> EndReason {
    match reason {
        table::EndReason::Active => EndReason::Active,
        table::EndReason::Idle => EndReason::Idle,
        table::EndReason::Finished => EndReason::Finished,
        table::EndReason::Evicted => EndReason::Evicted,
        table::EndReason::Reused => EndReason::Reused,
        table::EndReason::Shutdown => EndReason::Shutdown,
    }
}
