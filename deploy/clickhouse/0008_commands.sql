-- What people decided: APPEND-ONLY. One row is one command as it stands in one partition of `wardwatch.facts`; one for all
-- sites (site is empty) has a row for each partition.
--
-- action: acknowledge_alert, reopen_alert, override_attribute, load_knowledge_pack. subject: the alert, the device or the
-- pack. outcome: applied; forwarded to the alerter, which decides what comes of it; ignored, and why. A command that was
-- sent again under the same id has no second row.
CREATE TABLE IF NOT EXISTS commands
(
    site               LowCardinality(String),
    id                 String,
    author             LowCardinality(String),
    at                 DateTime64(9, 'UTC')    CODEC(Delta, ZSTD(1)),
    action             LowCardinality(String),
    subject            String                  CODEC(ZSTD(1)),
    detail             String                  CODEC(ZSTD(1)),
    note               String                  CODEC(ZSTD(1)),
    outcome            LowCardinality(String),
    reason             String                  CODEC(ZSTD(1)),
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
ORDER BY (site, at, id, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- Each command once, with what came of it. partitions: how many have worked on it so far. What the alerter made of a
-- command is read from the alert's history; one about an alert that does not exist is ignored.
CREATE OR REPLACE VIEW v_commands AS
WITH
    whole AS
    (
        SELECT
            id,
            any(site) AS of_site,
            any(author) AS by_author,
            any(at) AS made_at,
            any(action) AS kind,
            any(subject) AS about,
            any(detail) AS details,
            any(note) AS noted,
            multiIf(countIf(outcome = 'ignored') = count(), 'ignored', any(outcome) = 'forwarded', 'forwarded', 'applied')
                AS came_of_it,
            arrayStringConcat(arraySort(groupUniqArrayIf(reason, reason != '')), '; ') AS because,
            count() AS in_partitions,
            min(received) AS first_received
        FROM commands
        GROUP BY id
    ),
    told AS
    (
        SELECT DISTINCT site, alert, author, at, 1 AS is_told
        FROM alert_events
        WHERE action IN ('acknowledged', 'reopened')
    ),
    known AS
    (
        SELECT site, alert, status
        FROM alerts FINAL
    )
SELECT
    whole.id AS id,
    whole.of_site AS site,
    whole.by_author AS author,
    whole.made_at AS at,
    whole.kind AS action,
    whole.about AS subject,
    whole.details AS detail,
    whole.noted AS note,
    multiIf(
        whole.came_of_it != 'forwarded', whole.came_of_it,
        told.is_told = 1, 'applied',
        known.status = '', 'ignored',
        known.status = if(whole.kind = 'reopen_alert', 'open', 'acknowledged'), 'applied',
        'forwarded') AS outcome,
    if(whole.came_of_it = 'forwarded' AND told.is_told = 0 AND known.status = '', 'unknown-alert', whole.because)
        AS reason,
    whole.in_partitions AS partitions,
    whole.first_received AS received
FROM whole
LEFT JOIN told ON told.site = whole.of_site AND told.alert = whole.about AND told.author = whole.by_author
    AND told.at = whole.made_at
LEFT JOIN known ON known.site = whole.of_site AND known.alert = whole.about;
