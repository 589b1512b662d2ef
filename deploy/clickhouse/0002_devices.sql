-- What is known about the devices.
--
-- version orders the states of one device: incarnation of the topic in the upper 24 bits, offset in the lower 40.
-- A site lives in one partition, so its offsets are in one order; when a site is moved to another partition, a new
-- incarnation has to begin.

-- Devices: CURRENT STATE. A row carries the whole state of a device; the highest version wins. Read it through
-- v_devices or with FINAL.
CREATE TABLE IF NOT EXISTS devices
(
    site               LowCardinality(String),
    device             String,
    name               String,
    category           LowCardinality(String),
    subcategory        LowCardinality(String),
    type               LowCardinality(String),
    manufacturer       LowCardinality(String),
    model              LowCardinality(String),
    serial_number      String,
    hardware_version   LowCardinality(String),
    firmware_version   LowCardinality(String),
    software_name      LowCardinality(String),
    software_version   LowCardinality(String),
    udi_di             String,
    location           LowCardinality(String),
    department         LowCardinality(String),
    institution        LowCardinality(String),
    host_names         Array(String),
    roles              Array(LowCardinality(String)),
    macs               Array(String),
    ips                Array(String),
    mac_manufacturer   LowCardinality(String),
    vlans              Array(UInt16),
    sensors            Array(LowCardinality(String)),
    protocols          Array(LowCardinality(String)),
    -- The device that told of this one (a gateway), and the way from the network down to it; empty for most.
    parent             String,
    path               Array(String),
    first_seen         DateTime64(9, 'UTC'),
    last_seen          DateTime64(9, 'UTC'),
    -- 0 to 100: the sum of the factors' points, capped.
    score              UInt8,
    factors            Nested(name String, points UInt32, evidence String, explanation String, remedy String),
    -- How sure the classification is, in percent, and why each field is believed.
    confidence         UInt8,
    why                Nested(field String, value String, statement String, evidence String, confidence UInt8),
    -- The version of the knowledge it was concluded with.
    knowledge          LowCardinality(String),
    -- The device that this one turned out to be part of; empty for a device that stands for itself.
    superseded_by      String,
    source_incarnation UInt32,
    source_partition   UInt32,
    source_offset      UInt64,
    version            UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (site, device)
SETTINGS non_replicated_deduplication_window = 10000;

-- Attributes: CURRENT STATE. Each value that was ever told about a device, in which protocol, heard by which sensor; role
-- and teller say who told it, the strongest so far. first_seen, last_seen and count are absolute, so a repeated row
-- changes nothing. A count of 0 withdraws the row. Read it through v_attributes or with FINAL.
CREATE TABLE IF NOT EXISTS attributes
(
    site               LowCardinality(String),
    device             String,
    attribute          LowCardinality(String),
    value              String,
    protocol           LowCardinality(String),
    sensor             LowCardinality(String),
    role               LowCardinality(String),
    teller             String,
    first_seen         DateTime64(9, 'UTC'),
    last_seen          DateTime64(9, 'UTC'),
    count              UInt64,
    confidence         UInt8,
    chosen             Bool,
    source_incarnation UInt32,
    source_partition   UInt32,
    source_offset      UInt64,
    version            UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (site, device, attribute, value, protocol, sensor)
SETTINGS non_replicated_deduplication_window = 10000;

-- Changes: APPEND-ONLY. One row is one field of one device that took another value at a time on the wire.
CREATE TABLE IF NOT EXISTS changes
(
    site               LowCardinality(String),
    device             String,
    field              LowCardinality(String),
    before             String                  CODEC(ZSTD(1)),
    after              String                  CODEC(ZSTD(1)),
    at                 DateTime64(9, 'UTC')    CODEC(Delta, ZSTD(1)),
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
ORDER BY (site, device, at, source_offset, source_index)
SETTINGS non_replicated_deduplication_window = 10000;
