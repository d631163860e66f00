ALTER TABLE crawls ADD COLUMN undone_at TIMESTAMPTZ;

-- What a crawl has to know to put back what it changed, in the order of the changes.
CREATE TABLE crawl_undo (
    crawl_id TEXT COLLATE "C" NOT NULL REFERENCES crawls (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    body JSONB NOT NULL,
    PRIMARY KEY (crawl_id, seq)
);

-- The version of a file that was read, and what it was. The judge is the version of the classifiers.
CREATE TABLE known_files (
    bucket TEXT COLLATE "C" NOT NULL,
    object_key TEXT COLLATE "C" NOT NULL,
    etag TEXT NOT NULL,
    size BIGINT NOT NULL,
    judge TEXT NOT NULL,
    verdict_id TEXT NOT NULL,
    PRIMARY KEY (bucket, object_key)
);
-- Many files are the same thing: it is kept once, under its digest. JSON, which no database looks into.
CREATE TABLE verdicts (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL
);

-- The folders of a crawler's targets as its last crawl saw them.
CREATE TABLE crawled_folders (
    crawler_name TEXT COLLATE "C" NOT NULL REFERENCES crawlers (name) ON DELETE CASCADE,
    bucket TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    body JSONB NOT NULL,
    PRIMARY KEY (crawler_name, bucket, path)
);

-- A table as a crawl last described it: what differs from this in the catalog is somebody else's.
CREATE TABLE crawled_tables (
    table_id TEXT PRIMARY KEY REFERENCES tables (id) ON DELETE CASCADE,
    body JSONB NOT NULL
);
