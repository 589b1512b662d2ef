-- What the work on each partition of the log has added up to, since there is one: every message counted exactly once,
-- however often a service was killed and whoever worked on it, since the counts are stored with the memory that they are
-- of (key `ledger` in enricher_state and alerter_state). counter is named as in /metrics.json, which counts since the start
-- of a process; label is its label, if it has one.
--
-- incarnation and offset_end say up to where the partition has been worked on: the first offset that is not in it.
CREATE OR REPLACE VIEW v_ledger AS
SELECT
    service,
    partition,
    position.1                             AS incarnation,
    position.2                             AS offset_end,
    extract(entry.1, '^[^{]+')             AS counter,
    extract(entry.1, '[{]([^=]*)=')        AS label,
    extract(entry.1, '=(.*)[}]$')          AS value,
    entry.2                                AS count
FROM
(
    SELECT
        service,
        partition,
        max((incarnation, offset_end)) AS position,
        argMax(ledger, (incarnation, offset_end)) AS counts
    FROM
    (
        SELECT 'enricher' AS service, partition, incarnation, offset_end, value AS ledger
        FROM enricher_state WHERE key = 'ledger'
        UNION ALL
        SELECT 'alerter' AS service, partition, incarnation, offset_end, value AS ledger
        FROM alerter_state WHERE key = 'ledger'
    )
    GROUP BY service, partition
)
ARRAY JOIN JSONExtractKeysAndValues(counts, 'UInt64') AS entry;
