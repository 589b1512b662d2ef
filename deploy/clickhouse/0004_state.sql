-- The memory of the enricher and of the alerter: APPEND-ONLY deltas, compacted by the service that owns the partition.
--
-- One insert holds the entries that a range of offsets changed, each with its whole new value, and carries the end of
-- the range (the first offset that is not in it). It is the commit point: what it names has been written everywhere
-- else before. An empty value means that the entry is gone.
--
-- The last row of each insert has an empty key: the completeness row. Its value is the number of entries in the range.
-- A range without it was cut off and does not count. To load a partition: take the highest (incarnation, offset_end)
-- that has a completeness row, then the newest value of each key up to there.
--
-- Compaction: when the deltas outgrow the entries, the owner writes the newest value of every key under the position it
-- has reached and then deletes what is older than that position.
CREATE TABLE IF NOT EXISTS enricher_state
(
    partition   UInt32,
    incarnation UInt32,
    offset_end  UInt64 CODEC(Delta, ZSTD(1)),
    key         String CODEC(ZSTD(1)),
    value       String CODEC(ZSTD(3)),
    written     DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (partition, incarnation, offset_end, key)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS alerter_state
(
    partition   UInt32,
    incarnation UInt32,
    offset_end  UInt64 CODEC(Delta, ZSTD(1)),
    key         String CODEC(ZSTD(1)),
    value       String CODEC(ZSTD(3)),
    written     DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (partition, incarnation, offset_end, key)
SETTINGS non_replicated_deduplication_window = 10000;

-- How often each topic was made: APPEND-ONLY, the highest incarnation of a topic is the one in use. Offsets restart with
-- a new topic and positions must not. identity is what the bus knows the topic by, empty where it has no such thing.
CREATE TABLE IF NOT EXISTS topic_incarnations
(
    topic       LowCardinality(String),
    incarnation UInt32,
    identity    String,
    began       DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (topic, incarnation);
