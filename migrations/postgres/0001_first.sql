CREATE TABLE databases (
    name TEXT COLLATE "C" PRIMARY KEY,
    body JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE tables (
    id TEXT PRIMARY KEY,
    database_name TEXT COLLATE "C" NOT NULL REFERENCES databases (name) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    body JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (database_name, name)
);

-- Former states of tables: the current one is in tables alone.
CREATE TABLE table_versions (
    table_id TEXT NOT NULL REFERENCES tables (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    body JSONB NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (table_id, version)
);

-- values_key is the values as one text that sorts and compares (model::partition::values_key).
CREATE TABLE partitions (
    table_id TEXT NOT NULL REFERENCES tables (id) ON DELETE CASCADE,
    values_key TEXT COLLATE "C" NOT NULL,
    body JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (table_id, values_key)
);

CREATE TABLE crawlers (
    name TEXT COLLATE "C" PRIMARY KEY,
    body JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

-- A crawl of a bare prefix has no crawler.
CREATE TABLE crawls (
    id TEXT COLLATE "C" PRIMARY KEY,
    crawler_name TEXT COLLATE "C" REFERENCES crawlers (name) ON DELETE CASCADE,
    dry_run BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    request JSONB NOT NULL,
    progress JSONB NOT NULL,
    plan JSONB,
    error TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ
);
CREATE INDEX crawls_by_crawler ON crawls (crawler_name, id);

CREATE TABLE jobs (
    name TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    definition JSONB NOT NULL,
    definition_text TEXT NOT NULL,
    script TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE triggers (
    name TEXT COLLATE "C" PRIMARY KEY,
    job_name TEXT COLLATE "C" NOT NULL REFERENCES jobs (name) ON DELETE CASCADE,
    definition JSONB NOT NULL,
    enabled BOOLEAN NOT NULL
);

-- A run outlives its job.
CREATE TABLE runs (
    id TEXT COLLATE "C" PRIMARY KEY,
    job_name TEXT COLLATE "C" NOT NULL,
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    cancel_requested BOOLEAN NOT NULL,
    body JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ
);
CREATE INDEX runs_by_job ON runs (job_name, id);

CREATE TABLE run_logs (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
);

-- The journal of an output: what is staged, and, once the state is COMMITTING, what anybody may finish.
CREATE TABLE output_commits (
    run_id TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    state TEXT NOT NULL,
    manifest JSONB NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX output_commits_by_state ON output_commits (state);

-- The version of each object that was last acted on.
CREATE TABLE objects (
    bucket TEXT COLLATE "C" NOT NULL,
    object_key TEXT COLLATE "C" NOT NULL,
    etag TEXT,
    sequencer TEXT,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (bucket, object_key)
);

CREATE TABLE events (
    id TEXT COLLATE "C" PRIMARY KEY,
    body JSONB NOT NULL,
    received_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE event_outcomes (
    event_id TEXT COLLATE "C" NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    trigger_name TEXT COLLATE "C" NOT NULL,
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
    parameters JSONB NOT NULL,
    is_open BOOLEAN NOT NULL,
    due_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX one_open_batch ON batches (group_key) WHERE is_open;

-- The queue. A task is READY, LEASED, DONE or FAILED.
CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    payload JSONB NOT NULL,
    state TEXT NOT NULL,
    run_at TIMESTAMPTZ NOT NULL,
    attempt BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    lease TEXT,
    lease_until TIMESTAMPTZ,
    serial_key TEXT,
    error TEXT,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX tasks_to_claim ON tasks (run_at, id) WHERE state IN ('READY', 'LEASED');
-- Of the tasks that share a serial key, one is at work at a time.
CREATE UNIQUE INDEX one_leased_task ON tasks (serial_key) WHERE state = 'LEASED' AND serial_key IS NOT NULL;
