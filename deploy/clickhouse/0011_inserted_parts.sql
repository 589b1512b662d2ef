-- What an insert writes stays one file for all columns up to 64 MiB, uncompressed (the engine's default is 10 MiB): a range of
-- the enricher is some tens of MiB, and with a file or two for each of forty columns, each synced to disk, it costs the file
-- system more than writing the rows costs. What merges make of some ranges is larger, and has a file for each column as usual.
ALTER TABLE flows MODIFY SETTING min_bytes_for_wide_part = 67108864;
ALTER TABLE conversations MODIFY SETTING min_bytes_for_wide_part = 67108864;
-- Parts are merged by tens rather than fives: under load most of the engine's work is merging, and each row is merged as often
-- as the logarithm to this base says. What is read is more parts at a time, by as much.
ALTER TABLE flows MODIFY SETTING merge_selector_base = 10;
ALTER TABLE conversations MODIFY SETTING merge_selector_base = 10;
