-- The event of the version that was last acted on. Null: it was there before any trigger.
ALTER TABLE objects ADD COLUMN event_id TEXT;
CREATE INDEX batches_by_group ON batches (group_key);
-- The runs that came of one another, and what is still to be learned of the object: a document of its own beside the event.
ALTER TABLE events ADD COLUMN taken TEXT;

-- What runs wrote, so that an output replaces its own and nothing else. The etag is unknown while the output is published.
CREATE TABLE written_objects (
    bucket TEXT NOT NULL,
    object_key TEXT NOT NULL,
    job_name TEXT NOT NULL,
    run_id TEXT NOT NULL,
    etag TEXT,
    -- Readers by the catalog don't see it: it is part of an output that isn't whole yet, or that was replaced.
    hidden BOOLEAN NOT NULL,
    PRIMARY KEY (bucket, object_key)
);
CREATE INDEX written_objects_hidden ON written_objects (bucket, object_key) WHERE hidden;
CREATE INDEX written_objects_by_job ON written_objects (job_name, bucket, object_key);

-- One row: how often triggers were changed, so that who keeps them parsed knows whether they still are in force.
CREATE TABLE trigger_changes (
    id BIGINT PRIMARY KEY,
    changes BIGINT NOT NULL
);
INSERT INTO trigger_changes (id, changes) VALUES (1, 1);
