-- The run that waits for its turn already, which further arrivals join.
CREATE INDEX tasks_by_serial_key ON tasks (serial_key, id) WHERE state = 'READY' AND serial_key IS NOT NULL;

-- Whose turn it is to look after what several processes could look after: nobody else's until then.
CREATE TABLE turns (
    name TEXT COLLATE "C" PRIMARY KEY,
    until TIMESTAMPTZ NOT NULL
);
