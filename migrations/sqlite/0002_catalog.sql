-- The order that the keys of a table's partitions were made in (model::partition::key). Null: made by an earlier version.
ALTER TABLE tables ADD COLUMN partition_order TEXT;

-- What partitions of a table have in common, columns above all, once: a storage descriptor without what is a partition's own.
CREATE TABLE partition_shapes (
    table_id TEXT NOT NULL REFERENCES tables (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (table_id, id)
);
ALTER TABLE partitions ADD COLUMN shape_id TEXT;
-- Where the key falls among places that are alike full, so that a segment is a range of them.
ALTER TABLE partitions ADD COLUMN place BIGINT NOT NULL DEFAULT 0;
-- 1 where a value is none of its key's type.
ALTER TABLE partitions ADD COLUMN misfit BIGINT NOT NULL DEFAULT 0;
CREATE INDEX partitions_misfit ON partitions (table_id, values_key) WHERE misfit = 1;
CREATE INDEX partitions_by_place ON partitions (table_id, place, values_key);

CREATE TABLE partition_indexes (
    table_id TEXT NOT NULL REFERENCES tables (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (table_id, name)
);

CREATE TABLE table_statistics (
    table_id TEXT NOT NULL REFERENCES tables (id) ON DELETE CASCADE,
    column_name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (table_id, column_name)
);

CREATE TABLE partition_statistics (
    table_id TEXT NOT NULL,
    values_key TEXT NOT NULL,
    column_name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (table_id, values_key, column_name),
    FOREIGN KEY (table_id, values_key) REFERENCES partitions (table_id, values_key)
        ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE functions (
    database_name TEXT NOT NULL REFERENCES databases (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (database_name, name)
);

CREATE TABLE connections (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

-- A resource is the part of its ARN behind the account.
CREATE TABLE tags (
    resource TEXT NOT NULL,
    tag_key TEXT NOT NULL,
    tag_value TEXT NOT NULL,
    PRIMARY KEY (resource, tag_key)
);

-- The words that a table is found by.
CREATE TABLE table_texts (
    id INTEGER PRIMARY KEY,
    table_id TEXT NOT NULL UNIQUE REFERENCES tables (id) ON DELETE CASCADE,
    words TEXT NOT NULL
);
CREATE VIRTUAL TABLE table_words USING fts5 (words, content = 'table_texts', content_rowid = 'id');
CREATE TRIGGER table_texts_added AFTER INSERT ON table_texts BEGIN
    INSERT INTO table_words (rowid, words) VALUES (new.id, new.words);
END;
CREATE TRIGGER table_texts_removed AFTER DELETE ON table_texts BEGIN
    INSERT INTO table_words (table_words, rowid, words) VALUES ('delete', old.id, old.words);
END;
CREATE TRIGGER table_texts_changed AFTER UPDATE ON table_texts BEGIN
    INSERT INTO table_words (table_words, rowid, words) VALUES ('delete', old.id, old.words);
    INSERT INTO table_words (rowid, words) VALUES (new.id, new.words);
END;
