-- What operators read: current-state tables with FINAL applied, addresses as people write them. Views hold no data and
-- may be replaced; columns are only ever added.

CREATE OR REPLACE VIEW v_flows AS
SELECT
    site,
    sensor,
    start,
    end,
    initiator,
    initiator_device,
    initiator_mac,
    multiIf(initiator_ip = toIPv6('::'), '', startsWith(IPv6NumToString(initiator_ip), '::ffff:'),
        substring(IPv6NumToString(initiator_ip), 8), IPv6NumToString(initiator_ip)) AS initiator_address,
    initiator_port,
    responder,
    responder_device,
    responder_mac,
    multiIf(responder_ip = toIPv6('::'), '', startsWith(IPv6NumToString(responder_ip), '::ffff:'),
        substring(IPv6NumToString(responder_ip), 8), IPv6NumToString(responder_ip)) AS responder_address,
    responder_port,
    ip_protocol,
    protocol,
    vlans,
    initiator_packets,
    initiator_frame_bytes,
    initiator_ip_bytes,
    initiator_payload_bytes,
    responder_packets,
    responder_frame_bytes,
    responder_ip_bytes,
    responder_payload_bytes,
    end_reason,
    initiator_guessed,
    initiator_tcp_flags,
    responder_tcp_flags,
    community_id,
    flow_id,
    segment,
    epoch,
    sequence,
    received
FROM flows;

-- Devices that stand for themselves. factor_* and why_* are lists of equal length, to be read side by side
-- (arrayZip). What a device was before it turned out to be part of another is in `devices`.
CREATE OR REPLACE VIEW v_devices AS
SELECT
    site, device, name, category, subcategory, type, manufacturer, model, serial_number, hardware_version,
    firmware_version, software_name, software_version, udi_di, location, department, institution, host_names, roles,
    macs, ips, mac_manufacturer, vlans, sensors, protocols, parent, path, first_seen, last_seen, score,
    factors.name AS factor_names,
    factors.points AS factor_points,
    factors.evidence AS factor_evidence,
    factors.explanation AS factor_explanations,
    factors.remedy AS factor_remedies,
    confidence,
    why.field AS why_fields,
    why.value AS why_values,
    why.statement AS why_statements,
    why.evidence AS why_evidence,
    why.confidence AS why_confidence,
    knowledge
FROM devices FINAL
WHERE superseded_by = '';

-- What was said about each device and has not moved to another since.
CREATE OR REPLACE VIEW v_attributes AS
SELECT
    site, device, attribute, value, protocol, sensor, role, teller, first_seen, last_seen, count, confidence, chosen
FROM attributes FINAL
WHERE count > 0;

CREATE OR REPLACE VIEW v_alerts AS
SELECT
    site, alert, detector, severity, status, title, explanation, evidence, remedy, attack_technique, device,
    device_name, device_category, device_type, device_manufacturer, device_model, device_macs, device_ips, peer,
    peer_name, peer_ips, first_seen, last_seen, acknowledged_by, note
FROM alerts FINAL;
