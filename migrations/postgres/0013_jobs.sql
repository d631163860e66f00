-- What a client of the Glue API said of a job, where one made it.
ALTER TABLE jobs ADD COLUMN glue JSONB;

-- Of the tasks of a group, so many are at work at a time, each at a slot of its own.
ALTER TABLE tasks ADD COLUMN group_key TEXT;
ALTER TABLE tasks ADD COLUMN group_limit BIGINT;
ALTER TABLE tasks ADD COLUMN slot BIGINT;
CREATE UNIQUE INDEX one_task_at_a_slot ON tasks (group_key, slot) WHERE state = 'LEASED' AND group_key IS NOT NULL;

-- Of those that are due, the higher goes first.
ALTER TABLE tasks ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
DROP INDEX tasks_to_claim;
CREATE INDEX tasks_to_claim ON tasks (priority DESC, run_at, id) WHERE state IN ('READY', 'LEASED');

-- How many runs of a job aren't over.
CREATE INDEX runs_under_way ON runs (job_name) WHERE state IN ('QUEUED', 'RUNNING');

-- What was asked for under a key, and the run that came of it: asked for again, it is that run.
CREATE TABLE run_requests (
    job_name TEXT COLLATE "C" NOT NULL,
    request_key TEXT COLLATE "C" NOT NULL,
    request TEXT NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (job_name, request_key)
);
CREATE INDEX run_requests_by_run ON run_requests (run_id);
