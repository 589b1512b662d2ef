-- Roll-ups: sums over `flows`, written by the enricher together with the rows that they sum up. They are no materialized
-- views: such a view is not atomic with its source, and a crash between the two would leave it short for ever, since
-- the replay finds the rows of its source written already.
--
-- Each sum carries source_offset, the last offset of the range of messages that it was made from, and a range is summed
-- up in one insert, which is one block in one partition, hence all there or not at all: a range lies within one day of
-- the broker's clock, by which the tables are partitioned. So the highest source_offset that a table holds of a
-- partition of the log is its mark: what came of offsets up to there is in it, what came of later ones is not. A replay
-- sums up only what lies above the mark, and a replay of the very range is left out whole.
--
-- Rows with equal keys are added up when parts merge, so read sums, never count(): sum(records), with GROUP BY.
-- A merge keeps the highest source_offset, and the projection that answers for the mark is made anew in the merge.
--
-- observer is the sensor. Two sensors that saw one conversation have a row each: the views below take the larger one.

-- Who talked to whom, by the hour: two rows a flow, one under each end, so that a device is found whichever end it was.
-- endpoint and peer are named as in `flows`: the device's id when the flow was written, else ip:<address> or
-- mac:<address>. port is the responder's. sent_* went from the endpoint to its peer, received_* came back.
CREATE TABLE IF NOT EXISTS conversations
(
    site                   LowCardinality(String),
    endpoint               String                                                CODEC(ZSTD(1)),
    -- The hour in which the intervals began, on the sensors' clock.
    hour                   DateTime('UTC')                                       CODEC(Delta, ZSTD(1)),
    peer                   String                                                CODEC(ZSTD(1)),
    -- What the endpoint was: initiator or responder.
    role                   LowCardinality(String),
    port                   UInt16                                                CODEC(ZSTD(1)),
    ip_protocol            UInt8                                                 CODEC(ZSTD(1)),
    protocol               LowCardinality(String),
    observer               LowCardinality(String),
    source_partition       UInt32                                                CODEC(ZSTD(1)),
    source_incarnation     UInt32                                                CODEC(ZSTD(1)),
    -- Rows of `flows`, and how many of them are the first interval of their flow.
    records                SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    flows                  SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    sent_packets           SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    sent_frame_bytes       SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    sent_ip_bytes          SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    sent_payload_bytes     SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    received_packets       SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    received_frame_bytes   SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    received_ip_bytes      SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    received_payload_bytes SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    first_seen             SimpleAggregateFunction(min, DateTime64(9, 'UTC'))    CODEC(Delta, ZSTD(1)),
    last_seen              SimpleAggregateFunction(max, DateTime64(9, 'UTC'))    CODEC(Delta, ZSTD(1)),
    received               SimpleAggregateFunction(max, DateTime64(3, 'UTC'))    CODEC(DoubleDelta, ZSTD(1)),
    source_offset          SimpleAggregateFunction(max, UInt64)                  CODEC(Delta, ZSTD(1)),
    PROJECTION written
    (
        SELECT source_partition, source_incarnation, max(source_offset)
        GROUP BY source_partition, source_incarnation
    )
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(received)
ORDER BY (site, endpoint, hour, peer, role, port, ip_protocol, protocol, observer, source_partition, source_incarnation)
SETTINGS non_replicated_deduplication_window = 10000, deduplicate_merge_projection_mode = 'rebuild';

-- How much each sensor saw of each site, by the minute and protocol: one row a flow.
CREATE TABLE IF NOT EXISTS site_minute
(
    site                    LowCardinality(String),
    -- The minute in which the intervals began, on the sensors' clock.
    minute                  DateTime('UTC')                                       CODEC(Delta, ZSTD(1)),
    protocol                LowCardinality(String),
    observer                LowCardinality(String),
    source_partition        UInt32                                                CODEC(ZSTD(1)),
    source_incarnation      UInt32                                                CODEC(ZSTD(1)),
    records                 SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    flows                   SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    initiator_packets       SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    initiator_frame_bytes   SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    initiator_ip_bytes      SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    initiator_payload_bytes SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    responder_packets       SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    responder_frame_bytes   SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    responder_ip_bytes      SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    responder_payload_bytes SimpleAggregateFunction(sum, UInt64)                  CODEC(T64, ZSTD(1)),
    received                SimpleAggregateFunction(max, DateTime64(3, 'UTC'))    CODEC(DoubleDelta, ZSTD(1)),
    source_offset           SimpleAggregateFunction(max, UInt64)                  CODEC(Delta, ZSTD(1)),
    PROJECTION written
    (
        SELECT source_partition, source_incarnation, max(source_offset)
        GROUP BY source_partition, source_incarnation
    )
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(received)
ORDER BY (site, minute, protocol, observer, source_partition, source_incarnation)
SETTINGS non_replicated_deduplication_window = 10000, deduplicate_merge_projection_mode = 'rebuild';

-- Conversations with each octet counted once: of the sensors that saw a conversation in an hour, the one that saw most
-- octets of it counts, and it alone. Sensors may disagree on the protocol, so they are compared over all protocols of
-- the conversation.
CREATE OR REPLACE VIEW v_conversations AS
SELECT
    site, endpoint, hour, peer, role, port, ip_protocol, protocol, observer, records, flows, sent_packets,
    sent_frame_bytes, sent_ip_bytes, sent_payload_bytes, received_packets, received_frame_bytes, received_ip_bytes,
    received_payload_bytes, first_seen, last_seen
FROM
(
    SELECT
        *,
        max((frame_bytes, observer)) OVER (PARTITION BY site, endpoint, hour, peer, role, port, ip_protocol) AS most
    FROM
    (
        SELECT
            *,
            sum(sent_frame_bytes + received_frame_bytes)
                OVER (PARTITION BY site, endpoint, hour, peer, role, port, ip_protocol, observer) AS frame_bytes
        FROM
        (
            SELECT
                site, endpoint, hour, peer, role, port, ip_protocol, protocol, observer,
                sum(records) AS records,
                sum(flows) AS flows,
                sum(sent_packets) AS sent_packets,
                sum(sent_frame_bytes) AS sent_frame_bytes,
                sum(sent_ip_bytes) AS sent_ip_bytes,
                sum(sent_payload_bytes) AS sent_payload_bytes,
                sum(received_packets) AS received_packets,
                sum(received_frame_bytes) AS received_frame_bytes,
                sum(received_ip_bytes) AS received_ip_bytes,
                sum(received_payload_bytes) AS received_payload_bytes,
                min(first_seen) AS first_seen,
                max(last_seen) AS last_seen
            FROM conversations
            GROUP BY site, endpoint, hour, peer, role, port, ip_protocol, protocol, observer
        )
    )
)
WHERE observer = most.2;

-- Traffic of a site by the minute and protocol: that of the sensor which saw most of it, alone, so that nothing counts
-- twice. Where sensors watch different parts of a site this is less than there was; what all of them saw together,
-- counted as often as it was seen, is all_frame_bytes. The truth lies between the two, which are equal where one
-- sensor watches; v_conversations has it.
CREATE OR REPLACE VIEW v_site_minute AS
SELECT
    site, minute, protocol, observer, records, flows, initiator_packets, initiator_frame_bytes, initiator_ip_bytes,
    initiator_payload_bytes, responder_packets, responder_frame_bytes, responder_ip_bytes, responder_payload_bytes,
    all_frame_bytes
FROM
(
    SELECT
        *,
        max((initiator_frame_bytes + responder_frame_bytes, observer)) OVER (PARTITION BY site, minute, protocol) AS most,
        sum(initiator_frame_bytes + responder_frame_bytes) OVER (PARTITION BY site, minute, protocol) AS all_frame_bytes
    FROM
    (
        SELECT
            site, minute, protocol, observer,
            sum(records) AS records,
            sum(flows) AS flows,
            sum(initiator_packets) AS initiator_packets,
            sum(initiator_frame_bytes) AS initiator_frame_bytes,
            sum(initiator_ip_bytes) AS initiator_ip_bytes,
            sum(initiator_payload_bytes) AS initiator_payload_bytes,
            sum(responder_packets) AS responder_packets,
            sum(responder_frame_bytes) AS responder_frame_bytes,
            sum(responder_ip_bytes) AS responder_ip_bytes,
            sum(responder_payload_bytes) AS responder_payload_bytes
        FROM site_minute
        GROUP BY site, minute, protocol, observer
    )
)
WHERE observer = most.2;
