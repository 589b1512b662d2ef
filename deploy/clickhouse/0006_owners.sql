-- Who owns which partition of which service, and what they were about to write.
--
-- In the tables of 0004 a row with the key '=base' says that everything that is known up to its position stands at that
-- position: compaction writes the newest values first, then this row, and nothing below it is read any more. What is older
-- may be deleted at any time and in any order.

-- Claims: APPEND-ONLY. Whoever takes a partition up claims it with a number above all before; the highest (epoch, owner)
-- is the owner. Every insert that comes of the partition carries the condition that this is still so, which the server
-- checks: a stalled owner who wakes late is refused.
CREATE TABLE IF NOT EXISTS owners
(
    service   LowCardinality(String),
    partition UInt32,
    epoch     UInt64,
    owner     String,
    claimed   DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (service, partition, epoch)
SETTINGS non_replicated_deduplication_window = 10000;

-- Plans: CURRENT STATE, one of each claim. The range of offsets that the owner was about to write, recorded before anything
-- of it was. A new owner whose memory ends where the plan begins repeats exactly that range, so that its inserts carry the
-- tokens of those that may still be on the way. It is not synced: an output passes only while its plan is recorded, so a
-- power failure that takes the plan stops the owner as well.
CREATE TABLE IF NOT EXISTS plans
(
    service      LowCardinality(String),
    partition    UInt32,
    incarnation  UInt32,
    offset_first UInt64,
    offset_last  UInt64,
    epoch        UInt64,
    owner        String,
    -- incarnation in the upper 24 bits, offset_first in the lower 40
    version      UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (service, partition, epoch, owner)
SETTINGS non_replicated_deduplication_window = 10000;

-- Losses: CURRENT STATE. Messages that the log's retention removed before a service came to work on them: an outage was
-- longer than the retention of the topic. Told again, a loss stands here once; read it with FINAL.
CREATE TABLE IF NOT EXISTS losses
(
    service      LowCardinality(String),
    topic        LowCardinality(String),
    partition    UInt32,
    incarnation  UInt32,
    offset_first UInt64,
    offset_last  UInt64,
    reason       LowCardinality(String),
    noticed      DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (service, topic, partition, incarnation, offset_first)
SETTINGS non_replicated_deduplication_window = 10000;
