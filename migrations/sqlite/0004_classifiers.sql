-- Classifiers that people define. The body is Glue's Classifier: an object with one member, named like its kind.
CREATE TABLE classifiers (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

ALTER TABLE crawlers ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
-- When the schedule is due next; nothing where it is not in force.
ALTER TABLE crawlers ADD COLUMN next_crawl_at TEXT;

ALTER TABLE crawls ADD COLUMN stop_requested BOOLEAN NOT NULL DEFAULT FALSE;
