-- Up to when things of a kind were forgotten.
CREATE TABLE forgotten (
    noun TEXT PRIMARY KEY,
    until TEXT NOT NULL
);

-- What became of a run's arrivals, and which runs failed.
CREATE INDEX event_outcomes_by_run ON event_outcomes (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX runs_by_state ON runs (state, id);
