-- What operators write down about devices, and what they ask of the inventory from day to day.

-- Notes on devices: APPEND-ONLY. One row is one note; device is the one that stood for it when the note was made.
CREATE TABLE IF NOT EXISTS device_notes
(
    site               LowCardinality(String),
    device             String,
    at                 DateTime64(9, 'UTC')    CODEC(Delta, ZSTD(1)),
    author             LowCardinality(String),
    text               String                  CODEC(ZSTD(1)),
    command            String,
    received           DateTime64(3, 'UTC')    CODEC(DoubleDelta, ZSTD(1)),
    source_incarnation UInt32                  CODEC(ZSTD(1)),
    source_partition   UInt32                  CODEC(ZSTD(1)),
    source_offset      UInt64                  CODEC(Delta, ZSTD(1)),
    source_index       UInt32                  CODEC(Delta, ZSTD(1)),
    PROJECTION written
    (
        SELECT source_partition, source_incarnation, max(source_offset)
        GROUP BY source_partition, source_incarnation
    )
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received)
ORDER BY (site, device, at, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- For each id that a device ever had, the device that stands for it now. A device that became part of one that became
-- part of another is followed three times, which is more than is seen.
CREATE OR REPLACE VIEW v_device_ids AS
WITH ids AS (SELECT site, device, superseded_by FROM devices FINAL)
SELECT
    a.site AS site,
    a.device AS id,
    multiIf(c.superseded_by != '', c.superseded_by, b.superseded_by != '', b.superseded_by,
        a.superseded_by != '', a.superseded_by, a.device) AS device
FROM ids AS a
LEFT JOIN ids AS b ON b.site = a.site AND b.device = a.superseded_by
LEFT JOIN ids AS c ON c.site = b.site AND c.device = b.superseded_by;

-- Notes, under the device that stands for the one they were made on.
CREATE OR REPLACE VIEW v_device_notes AS
SELECT
    n.site AS site,
    if(i.device = '', n.device, i.device) AS device,
    n.at AS at,
    n.author AS author,
    n.text AS text,
    n.command AS command
FROM device_notes AS n
LEFT JOIN v_device_ids AS i ON i.site = n.site AND i.id = n.device;

-- A row is a field of a device's profile. standing: known; conflicting (known, and sources of equal standing disagree);
-- not-seen; not-applicable. value, source, evidence and confidence are those of what is shown; source is empty and
-- confidence 0 for what is read off the traffic itself, such as addresses. completed_by: what would fill it, or settle it.
CREATE OR REPLACE VIEW v_device_fields AS
SELECT
    site,
    device,
    name,
    one.1 AS field,
    one.2 AS value,
    if(gap = 0, 'known', toString(gap_reasons[gap])) AS standing,
    why_statements[reason] AS source,
    why_evidence[reason] AS evidence,
    why_confidence[reason] AS confidence,
    gap_completed_by[gap] AS completed_by
FROM
(
    SELECT
        *,
        indexOf(gap_fields, one.1) AS gap,
        arrayFirstIndex((of, is) -> of = one.1 AND is = one.2, why_fields, why_values) AS reason
    FROM
    (
        SELECT
            site, device, name, why_fields, why_values, why_statements, why_evidence, why_confidence, gap_fields,
            gap_reasons, gap_completed_by,
            arrayJoin(arrayConcat(
                arrayFilter(known -> known.2 != '', arrayConcat(
                    [
                        ('name', name), ('category', toString(category)), ('subcategory', toString(subcategory)),
                        ('device_type', toString(type)), ('manufacturer', toString(manufacturer)),
                        ('model', toString(model)), ('serial_number', serial_number),
                        ('hardware_version', toString(hardware_version)),
                        ('firmware_version', toString(firmware_version)), ('software_name', toString(software_name)),
                        ('software_version', toString(software_version)), ('udi_di', udi_di),
                        ('location', toString(location)), ('department', toString(department)),
                        ('institution', toString(institution)), ('host_names', arrayStringConcat(host_names, ', ')),
                        ('macs', arrayStringConcat(macs, ', ')), ('ips', arrayStringConcat(ips, ', ')),
                        ('mac_manufacturer', toString(mac_manufacturer)), ('vlans', arrayStringConcat(vlans, ', ')),
                        ('parent', parent)
                    ],
                    arrayMap((word, said) -> (toString(word), said), mapKeys(details), mapValues(details)))),
                arrayMap((word, because) -> (toString(word), ''),
                    arrayFilter((word, because) -> because != 'conflicting', gap_fields, gap_reasons),
                    arrayFilter(because -> because != 'conflicting', gap_reasons)))) AS one
        FROM v_devices
    )
);

-- Nested devices under those that told of them: pumps and monitors behind a gateway. path: from the network down.
CREATE OR REPLACE VIEW v_device_children AS
SELECT
    c.site AS site,
    c.parent AS parent,
    p.name AS parent_name,
    c.device AS device,
    c.name AS name,
    c.type AS type,
    c.manufacturer AS manufacturer,
    c.model AS model,
    c.serial_number AS serial_number,
    c.path AS path,
    c.first_seen AS first_seen,
    c.last_seen AS last_seen
FROM (SELECT * FROM v_devices WHERE parent != '') AS c
LEFT JOIN v_devices AS p ON p.site = c.site AND p.device = c.parent;

-- When each device was there. online: seen within the last 15 minutes, by the server's clock against the sensors'.
CREATE OR REPLACE VIEW v_presence AS
SELECT
    site,
    device,
    name,
    type,
    first_seen,
    last_seen,
    last_seen >= now64(9) - INTERVAL 15 MINUTE AS online,
    dateDiff('second', last_seen, now64(9)) / 3600 AS hours_since
FROM v_devices;

-- What became of each device, under the one that stands for it now. event: appeared; learned (a field that was not known is);
-- moved (where it is plugged in or stands, of another place); version (of its software or hardware); address; merged and split
-- (it turned out to be part of another, or not to be); kind (what it is); changed (any other field).
CREATE OR REPLACE VIEW v_device_history AS
SELECT
    h.site AS site,
    if(i.device = '', h.id, i.device) AS device,
    h.id AS id,
    h.at AS at,
    h.event AS event,
    h.field AS field,
    h.before AS before,
    h.after AS after
FROM
(
    SELECT site, device AS id, first_seen AS at, 'appeared' AS event, '' AS field, '' AS before, '' AS after
    FROM devices FINAL
    UNION ALL
    SELECT
        site, device, at,
        multiIf(
            field = 'superseded_by' AND after = '', 'split',
            field = 'superseded_by', 'merged',
            before = '', 'learned',
            field IN ('switch', 'switch_port', 'access_point', 'ssid', 'location', 'building', 'floor', 'room',
                'department', 'institution', 'zone', 'parent'), 'moved',
            field IN ('firmware_version', 'software_version', 'hardware_version', 'operating_system',
                'operating_system_version', 'software_name'), 'version',
            field IN ('ips', 'macs', 'host_names', 'vlans', 'vlan_name'), 'address',
            field IN ('category', 'subcategory', 'device_type', 'type_family', 'manufacturer', 'model', 'model_family'), 'kind',
            'changed'),
        field, before, after
    FROM changes
) AS h
LEFT JOIN v_device_ids AS i ON i.site = h.site AND i.id = h.id;

-- How much a device was used on a day (UTC), from what it said on the network; a day without traffic has no row.
--
-- online_hours: hours of the day with any traffic of it. in_use_hours: hours in which it exchanged payload in a clinical
-- protocol, or as SOAP over HTTP where it is a medical device (SDC). That is an upper bound: devices that report every few seconds, examined or not, are in use by it all day. How long
-- it was in use within an hour is not known.
--
-- image_associations: TCP connections in DICOM that an imaging device opened and sent more than 16 KiB of payload in, which
-- no query and no empty association does (a proposal of 128 presentation contexts has about 13 KB) and every image does.
-- Devices that store images for others (archives, routers, workstations) have none. Of several sensors the one that saw
-- most counts.
--
-- examinations: runs of such connections without a pause of 10 minutes, counted on the day a run begins on, since many
-- scanners open a connection for each image or series. It is an estimate: two patients within 10 minutes are one, images
-- sent again or sent late are one more, and an examination that sends nothing (fluoroscopy, many ultrasound scans) is none.
-- Images that go over TLS are not seen as DICOM, and count nothing.
CREATE OR REPLACE VIEW v_utilisation AS
WITH
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
        LEFT JOIN v_devices AS d ON d.site = i.site AND d.device = i.device
        GROUP BY site, device, day
    ),
    senders AS
    (
        SELECT site, device FROM v_devices
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
