-- What manufacturers say of their products: bills of materials (SBOM) and MDS2 forms, attached to a manufacturer, a model and,
-- if given, a version. All three tables are CURRENT STATE: the highest version wins. Read them through the views.
--
-- A document for all sites has an empty site; its commands stand in every partition of the log, and partition 0 alone writes its
-- rows, so that they are in one order.

-- Documents. kind: sbom, mds2. format: `CycloneDX 1.5`, `SPDX 2.3`, `MDS2 2019`. manufacturer is the name that the knowledge has
-- for the stated spelling; without one there, both are the same. version is empty for every version of the model. parts_held: how
-- many of the parts are stored. withdrawn: it is attached to nothing any more.
CREATE TABLE IF NOT EXISTS documents
(
    site                LowCardinality(String),
    document            String,
    kind                LowCardinality(String),
    format              LowCardinality(String),
    manufacturer        LowCardinality(String),
    manufacturer_stated LowCardinality(String),
    model               LowCardinality(String),
    model_version       LowCardinality(String),
    title               String,
    date                String,
    sha256              String,
    entries             UInt32,
    left_out            UInt32,
    parts               UInt32,
    parts_held          UInt32,
    author              LowCardinality(String),
    at                  DateTime64(9, 'UTC'),
    note                String,
    withdrawn           Bool,
    source_incarnation  UInt32,
    source_partition    UInt32,
    source_offset       UInt64,
    version             UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (site, document)
SETTINGS non_replicated_deduplication_window = 10000;

-- What a product is made of, hardware (kind `device`) too. entry counts from 1 within the document; parent is the entry that
-- contains it, 0 for none. release is the component's version.
CREATE TABLE IF NOT EXISTS components
(
    site               LowCardinality(String),
    document           String,
    entry              UInt32,
    kind               LowCardinality(String),
    name               String                  CODEC(ZSTD(1)),
    release            String                  CODEC(ZSTD(1)),
    supplier           LowCardinality(String),
    purl               String                  CODEC(ZSTD(1)),
    cpe                String                  CODEC(ZSTD(1)),
    licence            LowCardinality(String),
    hashes             Array(String)           CODEC(ZSTD(1)),
    parent             UInt32,
    depth              UInt8,
    source_incarnation UInt32,
    source_partition   UInt32,
    source_offset      UInt64,
    version            UInt64,
    INDEX by_name lower(name) TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (site, document, entry)
SETTINGS non_replicated_deduplication_window = 10000;

-- What a form says to each question. answer: Yes, No, N/A, See Note, or other words; empty where nothing was filled in.
CREATE TABLE IF NOT EXISTS mds2_answers
(
    site               LowCardinality(String),
    document           String,
    entry              UInt32,
    section            LowCardinality(String),
    question           LowCardinality(String),
    text               String                  CODEC(ZSTD(1)),
    answer             String                  CODEC(ZSTD(1)),
    note               String                  CODEC(ZSTD(1)),
    source_incarnation UInt32,
    source_partition   UInt32,
    source_offset      UInt64,
    version            UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (site, document, entry)
SETTINGS non_replicated_deduplication_window = 10000;

-- Documents that are attached to something. is_whole: all of its parts are stored.
CREATE OR REPLACE VIEW v_documents AS
SELECT
    site, document, kind, format, manufacturer, manufacturer_stated, model, model_version, title, date, sha256, entries,
    left_out, parts, parts_held, toBool(parts_held = parts) AS is_whole, author, at, note
FROM documents FINAL
WHERE NOT withdrawn;

CREATE OR REPLACE VIEW v_components AS
SELECT
    c.site AS site,
    c.document AS document,
    d.manufacturer AS manufacturer,
    d.model AS model,
    d.model_version AS model_version,
    c.entry AS entry,
    c.kind AS kind,
    c.name AS name,
    c.release AS release,
    c.supplier AS supplier,
    c.purl AS purl,
    c.cpe AS cpe,
    c.licence AS licence,
    c.hashes AS hashes,
    c.parent AS parent,
    c.depth AS depth
FROM (SELECT * FROM components FINAL) AS c
INNER JOIN v_documents AS d ON d.site = c.site AND d.document = c.document
WHERE d.kind = 'sbom' AND c.entry <= d.entries;

CREATE OR REPLACE VIEW v_mds2 AS
SELECT
    a.site AS site,
    a.document AS document,
    d.manufacturer AS manufacturer,
    d.model AS model,
    d.model_version AS model_version,
    d.format AS format,
    a.entry AS entry,
    a.section AS section,
    a.question AS question,
    a.text AS text,
    a.answer AS answer,
    a.note AS note
FROM (SELECT * FROM mds2_answers FINAL) AS a
INNER JOIN v_documents AS d ON d.site = a.site AND d.document = a.document
WHERE d.kind = 'mds2' AND a.entry <= d.entries;

-- Which documents a device has. The rule: a document that is whole, of the device's site or of all, whose manufacturer and model
-- are the device's (case and blanks around them do not matter), and whose version is the software or firmware version of the
-- device; if there is none with that version of its kind, those without a version. Several that match equally are all its own.
-- matched_by: version, model.
CREATE OR REPLACE VIEW v_device_documents AS
SELECT
    device_site AS site, device, device_name, document_site, document, kind, format, manufacturer, model, model_version,
    if(model_version = '', 'model', 'version') AS matched_by
FROM
(
    SELECT
        s.site AS device_site,
        s.device AS device,
        s.name AS device_name,
        d.site AS document_site,
        d.document AS document,
        d.kind AS kind,
        d.format AS format,
        d.manufacturer AS manufacturer,
        d.model AS model,
        d.model_version AS model_version,
        d.model_version != '' AS is_exact,
        max(d.model_version != '') OVER (PARTITION BY s.site, s.device, d.kind) AS has_exact
    FROM
    (
        SELECT
            site, device, name, manufacturer, model, software_version, firmware_version,
            arrayJoin(['', site]) AS of_site
        FROM devices FINAL
        WHERE superseded_by = '' AND manufacturer != '' AND model != ''
    ) AS s
    INNER JOIN (SELECT * FROM v_documents WHERE is_whole) AS d
        ON d.site = s.of_site
        AND lowerUTF8(trim(d.manufacturer)) = lowerUTF8(trim(s.manufacturer))
        AND lowerUTF8(trim(d.model)) = lowerUTF8(trim(s.model))
    WHERE d.model_version IN ('', s.software_version, s.firmware_version)
)
WHERE is_exact = has_exact;

-- What each device is made of, as its manufacturer says.
CREATE OR REPLACE VIEW v_device_components AS
SELECT
    d.site AS site,
    d.device AS device,
    d.device_name AS device_name,
    d.manufacturer AS manufacturer,
    d.model AS model,
    d.matched_by AS matched_by,
    c.document AS document,
    c.entry AS entry,
    c.kind AS kind,
    c.name AS name,
    c.release AS release,
    c.supplier AS supplier,
    c.purl AS purl,
    c.cpe AS cpe,
    c.licence AS licence,
    c.parent AS parent,
    c.depth AS depth
FROM v_device_documents AS d
INNER JOIN v_components AS c ON c.site = d.document_site AND c.document = d.document;

-- What the manufacturer of each device answered.
CREATE OR REPLACE VIEW v_device_mds2 AS
SELECT
    d.site AS site,
    d.device AS device,
    d.device_name AS device_name,
    d.manufacturer AS manufacturer,
    d.model AS model,
    d.matched_by AS matched_by,
    a.document AS document,
    a.format AS format,
    a.entry AS entry,
    a.section AS section,
    a.question AS question,
    a.text AS text,
    a.answer AS answer,
    a.note AS note
FROM v_device_documents AS d
INNER JOIN v_mds2 AS a ON a.site = d.document_site AND a.document = d.document;

-- Models of devices that stand on the network, with how many have a bill of materials and how many a form. lacks lists what no
-- device of the model has; a model of which some have one and some have not is told by the counts.
CREATE OR REPLACE VIEW v_model_documents AS
SELECT
    manufacturer,
    model,
    count() AS devices,
    countIf(has_sbom) AS devices_with_sbom,
    countIf(has_mds2) AS devices_with_mds2,
    arrayFilter(kind -> kind != '', [if(devices_with_sbom = 0, 'sbom', ''), if(devices_with_mds2 = 0, 'mds2', '')]) AS lacks,
    arraySort(groupUniqArrayIf(seen_version, seen_version != '')) AS versions
FROM
(
    SELECT
        s.manufacturer AS manufacturer,
        s.model AS model,
        s.seen_version AS seen_version,
        has(k.kinds, 'sbom') AS has_sbom,
        has(k.kinds, 'mds2') AS has_mds2
    FROM
    (
        SELECT
            site, device, manufacturer, model,
            if(software_version != '', software_version, firmware_version) AS seen_version
        FROM devices FINAL
        WHERE superseded_by = '' AND manufacturer != '' AND model != ''
    ) AS s
    LEFT JOIN
    (
        SELECT site, device, groupUniqArray(kind) AS kinds FROM v_device_documents GROUP BY site, device
    ) AS k ON k.site = s.site AND k.device = s.device
)
GROUP BY manufacturer, model;
