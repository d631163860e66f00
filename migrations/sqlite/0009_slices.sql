-- The time that all changes of a crawl bear that are made in several transactions.
ALTER TABLE crawls ADD COLUMN applied_at TEXT;

-- What is left to do of a crawl's plan, in the order in which it is done. JSON, which no database looks into.
CREATE TABLE crawl_slices (
    crawl_id TEXT NOT NULL REFERENCES crawls (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (crawl_id, seq)
);
