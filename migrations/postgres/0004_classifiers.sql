-- Classifiers that people define. The body is Glue's Classifier: an object with one member, named like its kind.
CREATE TABLE classifiers (
    name TEXT COLLATE "C" PRIMARY KEY,
    body JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

ALTER TABLE crawlers ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
-- When the schedule is due next; nothing where it is not in force.
ALTER TABLE crawlers ADD COLUMN next_crawl_at TIMESTAMPTZ;

ALTER TABLE crawls ADD COLUMN stop_requested BOOLEAN NOT NULL DEFAULT FALSE;
