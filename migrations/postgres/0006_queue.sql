-- A task tells apart what used up its tries (failures), what it merely waited for (waits, since first_failed_at), and how
-- many workers in a row died with it (deaths).
ALTER TABLE tasks ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN waits BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN deaths BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN first_failed_at TIMESTAMPTZ;
ALTER TABLE tasks ADD COLUMN failed_at TIMESTAMPTZ;
ALTER TABLE tasks ADD COLUMN refused_since TIMESTAMPTZ;
ALTER TABLE tasks ADD COLUMN hint TEXT;
CREATE INDEX tasks_by_state ON tasks (state, id);

-- What a queued run waits for, where it isn't just its turn.
ALTER TABLE runs ADD COLUMN waiting TEXT;

-- Written now and then, to see whether the database can be written.
CREATE TABLE readiness (
    id BIGINT PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL
);
