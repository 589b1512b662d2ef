-- Tables of other systems that were imported, and where they and what is observed differ.

-- Rows of imported tables: CURRENT STATE, by site, table and line of the file. The highest version wins. Read it through
-- v_import_rows or with FINAL.
--
-- import: what the table is called, such as cmms. source: the kind of system. import_version: the id of the command with its
-- first part. state: matched; guessed (confidence below 30, the device shows nothing of it); ambiguous: several devices say
-- what it says; not-seen; withdrawn: the row stands no longer, and says nothing. matched_by: the attribute. imported: what the
-- row says, by attribute. differences: where its device was observed to be otherwise, whichever is believed.
CREATE TABLE IF NOT EXISTS import_rows
(
    site               LowCardinality(String),
    import             LowCardinality(String),
    line               UInt32,
    source             LowCardinality(String),
    import_version     LowCardinality(String),
    author             LowCardinality(String),
    imported_at        DateTime64(9, 'UTC'),
    device             String,
    matched_by         LowCardinality(String),
    confidence         UInt8,
    state              LowCardinality(String),
    imported           Map(LowCardinality(String), String),
    differences        Nested(field String, imported String, observed String),
    source_incarnation UInt32,
    source_partition   UInt32,
    source_offset      UInt64,
    version            UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (site, import, line)
SETTINGS non_replicated_deduplication_window = 10000;

-- The rows that stand. difference_* are lists of equal length.
CREATE OR REPLACE VIEW v_import_rows AS
SELECT
    site, import, line, source, import_version, author, imported_at, device, matched_by, confidence, state, imported,
    differences.field AS difference_fields,
    differences.imported AS difference_imported,
    differences.observed AS difference_observed
FROM import_rows FINAL
WHERE state != 'withdrawn';

-- The tables that stand: who imported them and when, and what came of their rows.
CREATE OR REPLACE VIEW v_imports AS
SELECT
    site,
    import,
    any(source) AS of_source,
    any(author) AS imported_by,
    max(imported_at) AS at,
    count() AS rows,
    countIf(state = 'matched') AS matched,
    countIf(state = 'guessed') AS guessed,
    countIf(state = 'ambiguous') AS ambiguous,
    countIf(state = 'not-seen') AS not_seen,
    countIf(notEmpty(difference_fields)) AS differing
FROM v_import_rows
GROUP BY site, import;

-- Where imported tables and what is observed differ, one line each, both ways. kind: not-seen (a row without a device),
-- ambiguous (a row with several), differs (a field of a row and its device), not-imported (a device of a site with a CMMS
-- table, of which no CMMS has a row).
CREATE OR REPLACE VIEW v_import_differences AS
SELECT site, import, state AS kind, line, device, '' AS field,
    arrayStringConcat(arrayMap((name, value) -> concat(name, ' ', value), mapKeys(imported), mapValues(imported)), ', ')
        AS imported_value,
    '' AS observed_value
FROM v_import_rows
WHERE state IN ('not-seen', 'ambiguous')
UNION ALL
SELECT site, import, 'differs' AS kind, line, device, field, imported_value, observed_value
FROM v_import_rows
ARRAY JOIN difference_fields AS field, difference_imported AS imported_value, difference_observed AS observed_value
UNION ALL
SELECT v_devices.site AS site, 'cmms' AS import, 'not-imported' AS kind, toUInt32(0) AS line, v_devices.device AS device,
    '' AS field, '' AS imported_value, v_devices.name AS observed_value
FROM v_devices
WHERE v_devices.site IN (SELECT site FROM v_import_rows WHERE source = 'cmms')
    AND (v_devices.site, v_devices.device) NOT IN
        (SELECT site, device FROM v_import_rows WHERE source = 'cmms' AND state = 'matched');
