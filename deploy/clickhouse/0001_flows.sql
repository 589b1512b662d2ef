-- Flows: APPEND-ONLY. One row is one interval of one flow as one sensor saw it; counters are deltas, so sums are
-- right and count() is the number of intervals. Two sensors that saw one flow have two rows: group by `sensor`, or
-- take the larger of the two, before adding up.
--
-- `initiator` and `responder` name the endpoint that a person would look for: the id of the device as it was resolved
-- when the row was written, or `ip:<address>` / `mac:<address>` for an endpoint that is no device of the site. What
-- stood in the packets stays beside it, unresolved.
--
-- `received` is the broker's time of the batch, not the sensor's clock: partitions and retention go by it, so that a
-- capture from last year that is replayed today is neither scattered over old partitions nor removed at once.
-- No retention is set here; `wardwatch migrate` sets it from the configuration (store.retention.flows).
--
-- source_* is the place in the log that gave rise to the row. One insert is one block in one partition, so the highest
-- position a partition holds says what has been written: the projection answers that without reading the rows.
CREATE TABLE IF NOT EXISTS flows
(
    site                    LowCardinality(String),
    sensor                  LowCardinality(String),
    epoch                   UInt64                  CODEC(Delta, ZSTD(1)),
    sequence                UInt64                  CODEC(Delta, ZSTD(1)),
    flow_id                 UInt64                  CODEC(T64, ZSTD(1)),
    segment                 UInt32                  CODEC(T64, ZSTD(1)),
    community_id            String                  CODEC(ZSTD(1)),
    initiator               String                  CODEC(ZSTD(1)),
    initiator_device        String                  CODEC(ZSTD(1)),
    initiator_mac           LowCardinality(String),
    initiator_ip            IPv6                    CODEC(ZSTD(1)),
    initiator_port          UInt16                  CODEC(ZSTD(1)),
    responder               String                  CODEC(ZSTD(1)),
    responder_device        String                  CODEC(ZSTD(1)),
    responder_mac           LowCardinality(String),
    responder_ip            IPv6                    CODEC(ZSTD(1)),
    responder_port          UInt16                  CODEC(ZSTD(1)),
    ip_protocol             UInt8                   CODEC(ZSTD(1)),
    protocol                LowCardinality(String),
    vlans                   Array(UInt16)           CODEC(ZSTD(1)),
    start                   DateTime64(9, 'UTC')    CODEC(Delta, ZSTD(1)),
    end                     DateTime64(9, 'UTC')    CODEC(Delta, ZSTD(1)),
    initiator_packets       UInt64                  CODEC(T64, ZSTD(1)),
    initiator_frame_bytes   UInt64                  CODEC(T64, ZSTD(1)),
    initiator_ip_bytes      UInt64                  CODEC(T64, ZSTD(1)),
    initiator_payload_bytes UInt64                  CODEC(T64, ZSTD(1)),
    responder_packets       UInt64                  CODEC(T64, ZSTD(1)),
    responder_frame_bytes   UInt64                  CODEC(T64, ZSTD(1)),
    responder_ip_bytes      UInt64                  CODEC(T64, ZSTD(1)),
    responder_payload_bytes UInt64                  CODEC(T64, ZSTD(1)),
    end_reason              LowCardinality(String),
    initiator_guessed       Bool,
    initiator_tcp_flags     UInt16                  CODEC(ZSTD(1)),
    responder_tcp_flags     UInt16                  CODEC(ZSTD(1)),
    received                DateTime64(3, 'UTC')    CODEC(DoubleDelta, ZSTD(1)),
    source_incarnation      UInt32                  CODEC(ZSTD(1)),
    source_partition        UInt32                  CODEC(ZSTD(1)),
    source_offset           UInt64                  CODEC(Delta, ZSTD(1)),
    source_index            UInt32                  CODEC(Delta, ZSTD(1)),
    PROJECTION written
    (
        SELECT source_partition, source_incarnation, max(source_offset)
        GROUP BY source_partition, source_incarnation
    )
)
ENGINE = MergeTree
PARTITION BY toDate(received)
ORDER BY (site, initiator, start)
SETTINGS non_replicated_deduplication_window = 10000;
