-- Devices that were taken out of service, by a person's word or a table of another system. details['lifecycle']: `retired`,
-- `retired-but-seen` (on the network, after it was retired), `in-service` (a person says so); empty where nobody says.

-- When each device was there. online: seen within the last 15 minutes, by the server's clock against the sensors'. state:
-- retired-but-seen and retired, whoever says so; else online, or offline: not seen since last_seen, which says nothing of why.
-- retired_since and seen_after_retirement are UTC. presumed_retired: an estimate by nothing but absence, not seen for 180 days
-- and nobody says whether it is in service; such a device may as well stand in a cupboard or where no sensor sees it.
CREATE OR REPLACE VIEW v_presence AS
SELECT
    site,
    device,
    name,
    type,
    first_seen,
    last_seen,
    last_seen >= now64(9) - INTERVAL 15 MINUTE AS online,
    dateDiff('second', last_seen, now64(9)) / 3600 AS hours_since,
    multiIf(
        details['lifecycle'] IN ('retired', 'retired-but-seen'), details['lifecycle'],
        online, 'online', 'offline') AS state,
    parseDateTimeBestEffortOrNull(details['retired_since'], 'UTC') AS retired_since,
    parseDateTimeBestEffortOrNull(details['seen_after_retirement'], 'UTC') AS seen_after_retirement,
    details['lifecycle'] = '' AND last_seen < now64(9) - INTERVAL 180 DAY AS presumed_retired
FROM v_devices;

-- What became of each device, under the one that stands for it now. event: appeared; learned (a field that was not known is);
-- moved (where it is plugged in or stands, of another place); version (of its software or hardware); address; merged and split
-- (it turned out to be part of another, or not to be); kind (what it is); retired (it was taken out of service), returned (it was
-- seen after that) and reinstated (it is not retired, after all); changed (any other field).
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
            field = 'lifecycle' AND after = 'retired-but-seen', 'returned',
            field = 'lifecycle' AND after = 'retired', 'retired',
            field = 'lifecycle' AND before LIKE 'retired%', 'reinstated',
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
