-- What has come of each sensor, by its boots: CURRENT STATE, absolute values, the highest version wins (incarnation of
-- `wardwatch.facts` in the upper 24 bits, offset in the lower 40). Read it through v_sensors or with FINAL.
--
-- A sensor numbers its batches 1, 2, 3, ... within a boot, so what was lost before the log has a name here: batches have
-- come of highest, and missing have not: they wait in the sensor, or the sensor gave them up. What was still in memory
-- when a sensor was killed never had a number.
--
-- flows is how many rows of `flows` the boot has given rise to. As long as retention has removed none of them, they can be
-- counted there: count() of `flows` with the same site, sensor and epoch is equal to it. So is sum(records) of
-- `site_minute` over all boots of a sensor, and half of that of `conversations`.
CREATE TABLE IF NOT EXISTS sensor_boots
(
    site               LowCardinality(String),
    sensor             LowCardinality(String),
    -- Unix milliseconds at which the sensor started.
    epoch              UInt64,
    -- The highest number that has come, how many batches have, and how many below the highest have not.
    highest            UInt64,
    batches            UInt64,
    missing            UInt64,
    -- The newest holes in the numbers, 64 at most.
    holes              Nested(first UInt64, last UInt64),
    -- Batches that came again, and numbers that are no longer remembered: were they to come again, they would count twice.
    resent             UInt64,
    forgotten          UInt64,
    -- Facts in the batches; those that became rows of `flows`; observations that were believed.
    facts              UInt64,
    flows              UInt64,
    observations       UInt64,
    -- The broker's time of the first batch and of the newest.
    first_heard        DateTime64(3, 'UTC'),
    last_heard         DateTime64(3, 'UTC'),
    source_incarnation UInt32,
    source_partition   UInt32,
    source_offset      UInt64,
    version            UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (site, sensor, epoch)
SETTINGS non_replicated_deduplication_window = 10000;

-- Sensors, with what has come of all their boots and, last_*, of the newest.
CREATE OR REPLACE VIEW v_sensors AS
SELECT
    site,
    sensor,
    count()                         AS boots,
    sum(b.batches)                  AS batches,
    sum(b.missing)                  AS missing,
    sum(b.resent)                   AS resent,
    sum(b.facts)                    AS facts,
    sum(b.flows)                    AS flows,
    sum(b.observations)             AS observations,
    min(b.first_heard)              AS first_heard,
    max(b.last_heard)               AS last_heard,
    max(b.epoch)                    AS last_epoch,
    fromUnixTimestamp64Milli(toInt64(max(b.epoch)), 'UTC') AS last_started,
    argMax(b.highest, b.epoch)      AS last_highest,
    argMax(b.missing, b.epoch)      AS last_missing,
    argMax(arrayZip(b.holes.first, b.holes.last), b.epoch) AS last_holes
FROM sensor_boots AS b FINAL
GROUP BY site, sensor;
