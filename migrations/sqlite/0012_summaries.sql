-- A plan stands apart from its crawl, and what lists show of it beside: who lists crawls reads no plan. The summaries of
-- earlier plans are made when the program opens the database.
CREATE TABLE crawl_plans (
    crawl_id TEXT PRIMARY KEY REFERENCES crawls (id) ON DELETE CASCADE,
    body TEXT NOT NULL
);
INSERT INTO crawl_plans (crawl_id, body) SELECT id, plan FROM crawls WHERE plan IS NOT NULL;
ALTER TABLE crawls DROP COLUMN plan;
ALTER TABLE crawls ADD COLUMN summary TEXT;

-- What crawlers are doing.
CREATE INDEX crawls_under_way ON crawls (crawler_name) WHERE state IN ('QUEUED', 'RUNNING');
