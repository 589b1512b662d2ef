-- When a device was seen last, where nothing else has become different since its row in `devices`: CURRENT STATE, the highest
-- version wins (incarnation of the topic in the upper 24 bits, offset in the lower 40). Most devices are seen every minute and
-- described once an hour, and a description takes a hundred times as many bytes. Read it through v_devices.
CREATE TABLE IF NOT EXISTS sightings
(
    site               LowCardinality(String),
    device             String,
    last_seen          DateTime64(9, 'UTC'),
    source_incarnation UInt32,
    source_partition   UInt32,
    source_offset      UInt64,
    version            UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (site, device)
SETTINGS non_replicated_deduplication_window = 10000;

-- As in 0012, with the last sighting.
CREATE OR REPLACE VIEW v_devices AS
SELECT
    site, device, name, category, subcategory, type, manufacturer, model, serial_number, hardware_version,
    firmware_version, software_name, software_version, udi_di, location, department, institution, host_names, roles,
    macs, ips, mac_manufacturer, vlans, sensors, protocols, parent, path, first_seen,
    if(seen_version > version, seen_at, d.last_seen) AS last_seen,
    score,
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
    knowledge,
    visibility,
    scopes,
    details['operating_system'] AS operating_system,
    details['operating_system_version'] AS operating_system_version,
    details['type_family'] AS type_family,
    details['model_family'] AS model_family,
    details['product_code'] AS product_code,
    details['fda_class'] AS fda_class,
    details['criticality'] AS criticality,
    details['mobility'] AS mobility,
    details['phi_transmits'] AS phi_transmits,
    details['phi_stores'] AS phi_stores,
    details['connection_type'] AS connection_type,
    details['ip_assignment'] AS ip_assignment,
    details['asset_tag'] AS asset_tag,
    details,
    gaps.field AS gap_fields,
    gaps.reason AS gap_reasons,
    gaps.completed_by AS gap_completed_by
FROM devices AS d FINAL
LEFT JOIN
(
    SELECT site AS seen_site, device AS seen_device, last_seen AS seen_at, version AS seen_version FROM sightings FINAL
) AS s ON s.seen_site = d.site AND s.seen_device = d.device
WHERE superseded_by = '';

-- As in 0014. It reads `devices` itself, since it does not ask when they were seen last: with v_devices, which joins two
-- tables now, ClickHouse 26.7 does not find a plan for it ("Left and right columns have same names").
CREATE OR REPLACE VIEW v_utilisation AS
WITH
    known AS
    (
        SELECT site, device, category, subcategory, roles, protocols FROM devices FINAL WHERE superseded_by = ''
    ),
    traffic AS
    (
        SELECT
            i.site AS site,
            i.device AS device,
            toDate(c.hour) AS day,
            uniqExact(c.hour) AS online_hours,
            uniqExactIf(c.hour, c.sent_payload_bytes + c.received_payload_bytes > 0 AND (
                c.protocol IN ('dicom', 'hl7', 'astm', 'poct1', 'intellivue', 'ieee20601', 'unity', 'medibus', 'bcc')
                OR c.protocol = 'http' AND d.category = 'medical' AND has(d.protocols, 'soap'))) AS in_use_hours
        FROM conversations AS c
        INNER JOIN v_device_ids AS i ON i.site = c.site AND i.id = c.endpoint
        LEFT JOIN known AS d ON d.site = i.site AND d.device = i.device
        GROUP BY site, device, day
    ),
    senders AS
    (
        SELECT site, device FROM known
        WHERE subcategory = 'imaging' AND NOT has(roles, 'dicom-storage-scp')
    ),
    associations AS
    (
        SELECT i.site AS site, i.device AS device, f.sensor AS sensor, f.began AS began, f.ended AS ended
        FROM
        (
            SELECT
                site, sensor, epoch, flow_id, any(initiator_device) AS opener, min(start) AS began, max(end) AS ended,
                sum(initiator_payload_bytes) AS payload
            FROM flows
            WHERE protocol = 'dicom' AND initiator_device != ''
            GROUP BY site, sensor, epoch, flow_id
            HAVING payload > 16384
        ) AS f
        INNER JOIN v_device_ids AS i ON i.site = f.site AND i.id = f.opener
        INNER JOIN senders AS s ON s.site = i.site AND s.device = i.device
    ),
    sent AS
    (
        SELECT site, device, day, max(by_sensor) AS image_associations
        FROM
        (
            SELECT site, device, toDate(began) AS day, sensor, count() AS by_sensor
            FROM associations GROUP BY site, device, day, sensor
        )
        GROUP BY site, device, day
    ),
    runs AS
    (
        SELECT site, device, toDate(began) AS day, countIf(is_first) AS examinations
        FROM
        (
            SELECT
                site, device, began,
                row_number() OVER before = 1 OR began > max(ended) OVER before + INTERVAL 10 MINUTE AS is_first
            FROM associations
            WINDOW before AS (PARTITION BY site, device ORDER BY began, ended ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
        GROUP BY site, device, day
    )
SELECT
    t.site AS site,
    t.device AS device,
    t.day AS day,
    t.online_hours AS online_hours,
    t.in_use_hours AS in_use_hours,
    s.image_associations AS image_associations,
    r.examinations AS examinations
FROM traffic AS t
LEFT JOIN sent AS s ON s.site = t.site AND s.device = t.device AND s.day = t.day
LEFT JOIN runs AS r ON r.site = t.site AND r.device = t.device AND r.day = t.day;
