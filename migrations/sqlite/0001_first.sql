CREATE TABLE databases (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE tables (
    id TEXT PRIMARY KEY,
    database_name TEXT NOT NULL REFERENCES databases (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (database_name, name)
);

-- Former states of tables: the current one is in tables alone.
CREATE TABLE table_versions (
    table_id TEXT NOT NULL REFERENCES tables (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (table_id, version)
);

-- values_key is the values as one text that sorts and compares (model::partition::values_key).
CREATE TABLE partitions (
    table_id TEXT NOT NULL REFERENCES tables (id) ON DELETE CASCADE,
    values_key TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (table_id, values_key)
);

CREATE TABLE crawlers (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

-- A crawl of a bare prefix has no crawler.
CREATE TABLE crawls (
    id TEXT PRIMARY KEY,
    crawler_name TEXT REFERENCES crawlers (name) ON DELETE CASCADE,
    dry_run BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    request TEXT NOT NULL,
    progress TEXT NOT NULL,
    plan TEXT,
    error TEXT,
    created_at TEXT NOT NULL,
    started_at TEXT,
    finished_at TEXT
);
CREATE INDEX crawls_by_crawler ON crawls (crawler_name, id);

CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    definition TEXT NOT NULL,
    definition_text TEXT NOT NULL,
    script TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE triggers (
    name TEXT PRIMARY KEY,
    job_name TEXT NOT NULL REFERENCES jobs (name) ON DELETE CASCADE,
    definition TEXT NOT NULL,
    enabled BOOLEAN NOT NULL
);

-- A run outlives its job.
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    job_name TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    cancel_requested BOOLEAN NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    started_at TEXT,
    finished_at TEXT
);
CREATE INDEX runs_by_job ON runs (job_name, id);

CREATE TABLE run_logs (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    at TEXT NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
);

-- The journal of an output: what is staged, and, once the state is COMMITTING, what anybody may finish.
CREATE TABLE output_commits (
    run_id TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    state TEXT NOT NULL,
    manifest TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX output_commits_by_state ON output_commits (state);

-- The version of each object that was last acted on.
CREATE TABLE objects (
    bucket TEXT NOT NULL,
    object_key TEXT NOT NULL,
    etag TEXT,
    sequencer TEXT,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (bucket, object_key)
);

CREATE TABLE events (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    received_at TEXT NOT NULL
);

CREATE TABLE event_outcomes (
    event_id TEXT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    trigger_name TEXT NOT NULL,
    state TEXT NOT NULL,
    batch_id TEXT,
    run_id TEXT,
    detail TEXT,
    PRIMARY KEY (event_id, trigger_name)
);
CREATE INDEX event_outcomes_by_batch ON event_outcomes (batch_id);

-- Arrivals with the same parameters that will be one run.
CREATE TABLE batches (
    id TEXT PRIMARY KEY,
    trigger_name TEXT NOT NULL,
    group_key TEXT NOT NULL,
    parameters TEXT NOT NULL,
    is_open BOOLEAN NOT NULL,
    due_at TEXT NOT NULL
);
CREATE UNIQUE INDEX one_open_batch ON batches (group_key) WHERE is_open;

-- The queue. A task is READY, LEASED, DONE or FAILED.
CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    run_at TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    lease TEXT,
    lease_until TEXT,
    serial_key TEXT,
    error TEXT,
    created_at TEXT NOT NULL
);
CREATE INDEX tasks_to_claim ON tasks (run_at, id) WHERE state IN ('READY', 'LEASED');
-- Of the tasks that share a serial key, one is at work at a time.
CREATE UNIQUE INDEX one_leased_task ON tasks (serial_key) WHERE state = 'LEASED' AND serial_key IS NOT NULL;
