-- The rest of a device's profile. details: the fields that have no column of their own, by name as in the knowledge pack
-- (`profile.toml`). gaps: the fields that are not known, each with the reason (not-seen, not-applicable, conflicting) and what
-- would fill it. scopes: the network scopes of its addresses; empty for the site's one scope. visibility: how much of what applies to its kind is known, in percent.
ALTER TABLE devices
    ADD COLUMN IF NOT EXISTS details Map(LowCardinality(String), String) AFTER superseded_by,
    ADD COLUMN IF NOT EXISTS `gaps.field` Array(LowCardinality(String)) AFTER details,
    ADD COLUMN IF NOT EXISTS `gaps.reason` Array(LowCardinality(String)) AFTER `gaps.field`,
    ADD COLUMN IF NOT EXISTS `gaps.completed_by` Array(LowCardinality(String)) AFTER `gaps.reason`,
    ADD COLUMN IF NOT EXISTS visibility UInt8 AFTER `gaps.completed_by`,
    ADD COLUMN IF NOT EXISTS scopes Array(LowCardinality(String)) AFTER visibility;

-- As in 0005, with the profile. gap_* are lists of equal length.
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
FROM devices FINAL
WHERE superseded_by = '';

-- Devices that turned out to be part of another, and why. The way leads on where that one is part of another in turn. What
-- was taken apart again stands in v_devices, and in `changes` (field superseded_by) as the history.
CREATE OR REPLACE VIEW v_aliases AS
SELECT
    site,
    device,
    name,
    superseded_by,
    arrayElement(why.statement, 1) AS reason,
    arrayElement(why.evidence, 1) AS evidence,
    first_seen,
    last_seen
FROM devices FINAL
WHERE superseded_by != '';
