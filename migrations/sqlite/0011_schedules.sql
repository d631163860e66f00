-- What is done by the clock, and when it is due next; a schedule that isn't in force has no row.
CREATE TABLE schedules (
    -- What kind of thing it is that is due: a crawler.
    owner_kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    next_at TEXT NOT NULL,
    PRIMARY KEY (owner_kind, owner)
);
CREATE INDEX schedules_by_time ON schedules (next_at);
INSERT INTO schedules (owner_kind, owner, next_at)
    SELECT 'crawler', name, next_crawl_at FROM crawlers WHERE next_crawl_at IS NOT NULL;
ALTER TABLE crawlers DROP COLUMN next_crawl_at;
