-- Alerts: CURRENT STATE, keyed by the alert's stable id; the highest version wins (incarnation of `wardwatch.events` in
-- the upper 24 bits, offset in the lower 40). Read it through v_alerts or with FINAL.
CREATE TABLE IF NOT EXISTS alerts
(
    site                LowCardinality(String),
    alert               String,
    detector            LowCardinality(String),
    severity            LowCardinality(String),
    status              LowCardinality(String),
    title               String,
    explanation         String,
    evidence            Array(String),
    remedy              String,
    attack_technique    LowCardinality(String),
    device              String,
    device_name         String,
    device_category     LowCardinality(String),
    device_type         LowCardinality(String),
    device_manufacturer LowCardinality(String),
    device_model        LowCardinality(String),
    device_macs         Array(String),
    device_ips          Array(String),
    peer                String,
    peer_name           String,
    peer_ips            Array(String),
    first_seen          DateTime64(9, 'UTC'),
    last_seen           DateTime64(9, 'UTC'),
    acknowledged_by     String,
    note                String,
    source_incarnation  UInt32,
    source_partition    UInt32,
    source_offset       UInt64,
    source_index        UInt32,
    version             UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (site, alert)
SETTINGS non_replicated_deduplication_window = 10000;

-- The life of each alert: APPEND-ONLY. action: raised, repeated, acknowledged, reopened.
CREATE TABLE IF NOT EXISTS alert_events
(
    site               LowCardinality(String),
    alert              String,
    at                 DateTime64(9, 'UTC')    CODEC(Delta, ZSTD(1)),
    action             LowCardinality(String),
    detector           LowCardinality(String),
    severity           LowCardinality(String),
    status             LowCardinality(String),
    device             String,
    author             String,
    note               String                  CODEC(ZSTD(1)),
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
ORDER BY (site, alert, at, source_offset, source_index)
SETTINGS non_replicated_deduplication_window = 10000;
