-- What the program wrote into the tables of migration 1, on either database: the table `shop.sales` in its second version
-- with two partitions, the crawler `in` that made it, the job `copy` with a run that is over and a batch that isn't, and a
-- task that failed.
INSERT INTO databases (name, body, created_at, updated_at) VALUES
    ('shop', '{"name":"shop","description":"What is sold","location":"s3://lake/shop/","parameters":{"team":"sales"}}',
        '2023-11-14T21:00:00+00:00', '2023-11-14T21:00:00+00:00');

INSERT INTO tables (id, database_name, name, version, body, created_at, updated_at) VALUES
    ('00000000-0000-7000-7000-000000000001', 'shop', 'sales', 1,
        '{"name":"sales","description":"Every sale","table_type":"EXTERNAL_TABLE","storage":{"columns":[{"name":"n","type":"bigint","comment":"How many"}],"location":"s3://lake/shop/sales/"},"partition_keys":[{"name":"day","type":"int"}],"parameters":{"classification":"csv"}}',
        '2023-11-14T21:00:00+00:00', '2023-11-14T21:10:00+00:00');

INSERT INTO table_versions (table_id, version, body, updated_at) VALUES
    ('00000000-0000-7000-7000-000000000001', 0,
        '{"name":"sales","table_type":"EXTERNAL_TABLE","storage":{"columns":[{"name":"n","type":"int"}],"location":"s3://lake/shop/sales/"},"partition_keys":[{"name":"day","type":"int"}],"parameters":{"classification":"csv"}}',
        '2023-11-14T21:00:00+00:00');

INSERT INTO partitions (table_id, values_key, body, created_at, updated_at) VALUES
    ('00000000-0000-7000-7000-000000000001', '10',
        '{"values":["10"],"storage":{"columns":[{"name":"n","type":"bigint"}],"location":"s3://lake/shop/sales/day=10/"},"parameters":{"rows":"7"}}',
        '2023-11-14T21:00:00+00:00', '2023-11-14T21:00:00+00:00'),
    ('00000000-0000-7000-7000-000000000001', '9',
        '{"values":["9"],"storage":{"columns":[{"name":"n","type":"int"}],"location":"s3://lake/shop/sales/day=9/"},"parameters":{}}',
        '2023-11-14T21:00:00+00:00', '2023-11-14T21:00:00+00:00');

INSERT INTO crawlers (name, body, created_at, updated_at) VALUES
    ('in', '{"name":"in","role":null,"database":"shop","description":"Sales","targets":[{"path":"s3://lake/shop/","exclusions":["*.tmp"]}],"table_prefix":null}',
        '2023-11-14T21:00:00+00:00', '2023-11-14T21:00:00+00:00');

INSERT INTO crawls (id, crawler_name, dry_run, state, request, progress, plan, error, created_at, started_at, finished_at) VALUES
    ('00000000-0000-7000-7000-000000000002', 'in', FALSE, 'SUCCEEDED',
        '{"crawler":"in","database":"shop","targets":[{"path":"s3://lake/shop/","exclusions":["*.tmp"]}],"table_prefix":null,"dry_run":false}',
        '{"objects":3,"files_read":2,"bytes_read":8}',
        '{"changes":[{"op":"add","kind":"table","name":"shop.sales","detail":"csv, 1 column","reason":"new"}],"set_aside":[{"path":"s3://lake/shop/notes.doc","reason":"no format that is known"}],"tables":[]}',
        NULL, '2023-11-14T21:00:00+00:00', '2023-11-14T21:00:01+00:00', '2023-11-14T21:00:02+00:00');

INSERT INTO jobs (name, version, definition, definition_text, script, created_at, updated_at) VALUES
    ('copy', 3,
        '{"engine":"sql","script":"copy.sql","parameters":{"d":{}},"inputs":{"t":{"location":"s3://lake/in/{d}/*.csv","columns":{},"optional":false}},"output":{"location":"s3://lake/out/d={d}/","format":"csv","files":1,"mode":"overwrite"},"triggers":[{"on":"object_created","match":"s3://lake/in/{d}/*.csv","batch_window":"60000ms"}]}',
        '
engine = "sql"
script = "copy.sql"

[parameters]
d = {}

[inputs]
t = "s3://lake/in/{d}/*.csv"

[output]
location = "s3://lake/out/d={d}/"
format = "csv"

[[triggers]]
on = "object_created"
match = "s3://lake/in/{d}/*.csv"
batch_window = "1m"
',
        'SELECT n FROM t', '2023-11-14T21:00:00+00:00', '2023-11-14T21:00:00+00:00');

INSERT INTO triggers (name, job_name, definition, enabled) VALUES
    ('copy-1', 'copy', '{"on":"object_created","match":"s3://lake/in/{d}/*.csv","batch_window":"60000ms"}', TRUE);

INSERT INTO events (id, body, received_at) VALUES
    ('00000000-0000-7000-7000-000000000003',
        '{"bucket":"lake","key":"in/1/a.csv","kind":"created","size":4,"etag":"e4f091c6cdb66907c6fa318d8fa27299","sequencer":"0055AED6DCD90281E5","source":"lake"}',
        '2023-11-14T21:00:00+00:00'),
    ('00000000-0000-7000-7000-000000000004',
        '{"bucket":"lake","key":"in/2/a.csv","kind":"created","size":4,"etag":"38177d8bb0bf23b625bacd612540411f","sequencer":null,"source":"webhook"}',
        '2023-11-14T22:00:00+00:00');

INSERT INTO runs (id, job_name, state, attempt, cancel_requested, body, created_at, started_at, finished_at) VALUES
    ('00000000-0000-7000-7000-000000000005', 'copy', 'SUCCEEDED', 1, FALSE,
        '{"parameters":{"d":"1"},"trigger":"copy-1","events":["00000000-0000-7000-7000-000000000003"],"rows_in":1,"rows_out":1,"bytes_in":4,"bytes_out":4,"inputs":[{"name":"t","path":"s3://lake/in/1/a.csv","size":4,"etag":"e4f091c6cdb66907c6fa318d8fa27299","rows":1}],"outputs":[{"path":"s3://lake/out/d=1/part-00000.csv","size":4,"rows":1,"etag":"e4f091c6cdb66907c6fa318d8fa27299"}],"error":null}',
        '2023-11-14T21:01:00+00:00', '2023-11-14T21:01:00+00:00', '2023-11-14T21:01:02+00:00');

INSERT INTO run_logs (run_id, seq, at, level, message) VALUES
    ('00000000-0000-7000-7000-000000000005', 1, '2023-11-14T21:01:00+00:00', 'info', 'reading 1 object'),
    ('00000000-0000-7000-7000-000000000005', 2, '2023-11-14T21:01:02+00:00', 'warn', 'one row only');

INSERT INTO output_commits (run_id, attempt, state, manifest, updated_at) VALUES
    ('00000000-0000-7000-7000-000000000005', 1, 'COMMITTED',
        '{"folder":"s3://lake/out/d=1/","uploads":[],"files":[],"replaced":["out/d=1/part-00001.csv"],"columns":[["n","bigint"]]}',
        '2023-11-14T21:01:02+00:00');

INSERT INTO objects (bucket, object_key, etag, sequencer, updated_at) VALUES
    ('lake', 'in/1/a.csv', 'e4f091c6cdb66907c6fa318d8fa27299', '0055AED6DCD90281E5', '2023-11-14T21:00:00+00:00'),
    ('lake', 'in/2/a.csv', '38177d8bb0bf23b625bacd612540411f', NULL, '2023-11-14T22:00:00+00:00');

INSERT INTO event_outcomes (event_id, trigger_name, state, batch_id, run_id, detail) VALUES
    ('00000000-0000-7000-7000-000000000003', 'copy-1', 'started', NULL, '00000000-0000-7000-7000-000000000005', NULL),
    ('00000000-0000-7000-7000-000000000004', 'copy-1', 'batched', '00000000-0000-7000-7000-000000000006', NULL, NULL);

INSERT INTO batches (id, trigger_name, group_key, parameters, is_open, due_at) VALUES
    ('00000000-0000-7000-7000-000000000006', 'copy-1', 'copy-1 {"d":"2"}', '{"d":"2"}', TRUE, '2023-11-14T22:01:00+00:00');

INSERT INTO tasks (id, kind, payload, state, run_at, attempt, max_attempts, serial_key, error, created_at) VALUES
    ('00000000-0000-7000-7000-000000000007', 'close_batch',
        '{"kind":"close_batch","batch":"00000000-0000-7000-7000-000000000006"}', 'READY',
        '2023-11-14T22:01:00+00:00', 0, 5, NULL, NULL, '2023-11-14T22:00:00+00:00'),
    ('00000000-0000-7000-7000-000000000008', 'run',
        '{"kind":"run","run":"00000000-0000-7000-7000-000000000005"}', 'FAILED',
        '2023-11-14T21:01:00+00:00', 5, 5, NULL, 'the worker is gone', '2023-11-14T21:01:00+00:00');
