-- What global search finds records by: tokens between spaces, as the domain takes texts apart. The row is found by an
-- index that each database keeps in its own way.
CREATE TABLE search_entries (
    id {serial},
    record_kind TEXT NOT NULL,
    record_id {uuid} NOT NULL,
    title TEXT NOT NULL,
    number TEXT,
    words TEXT NOT NULL,
    contact_words TEXT NOT NULL
);
CREATE UNIQUE INDEX search_entries_record_id ON search_entries (record_id);
CREATE INDEX search_entries_record_kind ON search_entries (record_kind, id);

{on postgres} ALTER TABLE search_entries ADD COLUMN tokens TSVECTOR NOT NULL GENERATED ALWAYS AS (
    array_to_tsvector(array_remove(string_to_array(words || ' ' || contact_words, ' '), ''))
) STORED;
{on postgres} CREATE INDEX search_entries_tokens ON search_entries USING GIN (tokens);
-- The planner takes every rare token to be in half a percent of the rows. This looks in the index, whatever it thinks.
{on postgres} CREATE FUNCTION search_hits (wanted TSQUERY, most BIGINT) RETURNS SETOF BIGINT LANGUAGE SQL STABLE
    SET enable_seqscan = off SET enable_indexscan = off
    AS 'SELECT id FROM search_entries WHERE tokens @@ wanted LIMIT most';

-- Tokens are plain already: SQLite is only to look for the spaces between them.
{on sqlite} CREATE VIRTUAL TABLE search_index USING fts5 (
    words, contact_words, content = 'search_entries', content_rowid = 'id',
    tokenize = "ascii tokenchars '~='", prefix = '1 2 3', detail = 'column', columnsize = 0
);
-- Which tokens the index has, to see that they are those of the table.
{on sqlite} CREATE VIRTUAL TABLE search_vocabulary USING fts5vocab (search_index, instance);
{on sqlite} CREATE TRIGGER search_entries_inserted AFTER INSERT ON search_entries BEGIN
    INSERT INTO search_index (rowid, words, contact_words) VALUES (new.id, new.words, new.contact_words); END;
{on sqlite} CREATE TRIGGER search_entries_deleted AFTER DELETE ON search_entries BEGIN
    INSERT INTO search_index (search_index, rowid, words, contact_words)
        VALUES ('delete', old.id, old.words, old.contact_words); END;
{on sqlite} CREATE TRIGGER search_entries_updated AFTER UPDATE ON search_entries BEGIN
    INSERT INTO search_index (search_index, rowid, words, contact_words)
        VALUES ('delete', old.id, old.words, old.contact_words); -- and then
    INSERT INTO search_index (rowid, words, contact_words) VALUES (new.id, new.words, new.contact_words); END;
