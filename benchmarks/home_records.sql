-- A large platform, for bench_home.py: {datasets} data sets, {files} files, {predictions} predictions. Every second entry is about penguins.
CREATE FUNCTION pg_temp.name_of(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$SELECT CASE WHEN n % 2 = 0 THEN 'penguins' ELSE 'copy' || lpad((1 + n % ({datasets} - 1))::text, 2, '0') END$$;

CREATE FUNCTION pg_temp.hash_of(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$SELECT lpad(to_hex(n), 64, '0')$$;

CREATE FUNCTION pg_temp.report() RETURNS jsonb LANGUAGE sql IMMUTABLE AS
$$SELECT '{"rows_read": 100, "rows_loaded": 97, "rows_rejected": 3, "rows_present": 0, "warnings": []}'::jsonb$$;

INSERT INTO uploads.arrivals (dataset, purpose, bucket, object_key, etag, last_modified, sha256, outcome, archived_key,
    report, arrived_at)
SELECT pg_temp.name_of(n), purpose, purpose, purpose || '_' || n || '.csv', 'e', at, pg_temp.hash_of(n),
    CASE WHEN n % 97 = 0 THEN 'rejected' WHEN purpose = 'test' THEN 'scored' ELSE 'loaded' END,
    'processed/' || n || '.csv', pg_temp.report(), at
FROM (SELECT n, CASE n % 4 WHEN 0 THEN 'test' ELSE 'train' END AS purpose, now() - n * interval '5 minutes' AS at
    FROM generate_series(1, {files}) AS n) AS files;

INSERT INTO uploads.ledger (dataset, purpose, sha256, object_key, etag, bytes, rows_read, rows_loaded, rows_rejected,
    report, claimed_at)
SELECT pg_temp.name_of(n), 'train', pg_temp.hash_of(n), 'train_' || n || '.csv', 'e', 1000, 100, 97, 3,
    pg_temp.report(), now() - n * interval '5 minutes'
FROM generate_series(1, {files}) AS n WHERE n % 4 <> 0;

INSERT INTO predictions.log (model, model_version, entity_key, event_time, probability, prediction, requested_at, source,
    result_key)
SELECT pg_temp.name_of(n), 1 + n % 20, jsonb_build_object('season', '2009', 'individual', 'N' || n % 50000), now(),
    random(), (ARRAY['Adelie', 'Gentoo', 'Chinstrap'])[1 + n % 3], now() - n * interval '3 seconds', 'batch',
    'penguins/' || n % 100 || '.csv'
FROM generate_series(1, {predictions}) AS n;

INSERT INTO models.versions (model, version, run_id, model_sha256, tags, recorded_by)
SELECT pg_temp.name_of(n), n, 'r' || n, pg_temp.hash_of(n), '{}', 'bench' FROM generate_series(1, 1000) AS n;

INSERT INTO models.decisions (model, version, run_id, decision, reason, challenger_score, min_gain, confidence,
    training_set_sha256, decided_by, metric, decided_at)
SELECT pg_temp.name_of(n), n, 'r' || n, 'promoted', 'better', random(), 0, 0.9, pg_temp.hash_of(n), 'bench', 'f1',
    now() - (1001 - n) * interval '1 hour'
FROM generate_series(1, 1000) AS n;

INSERT INTO models.movements (model, to_version, run_id, moved_by, why, reason, is_done, moved_at)
SELECT pg_temp.name_of(n), n, 'r' || n, 'bench', 'gate', 'better', true, now() - (1001 - n) * interval '1 hour'
FROM generate_series(1, 1000) AS n;

INSERT INTO monitoring.checks (dataset, kind, model_version, window_start, window_end, reference, rows, verdict, figures,
    checked_by)
SELECT pg_temp.name_of(n), 'drift', 1, now() - n * interval '1 hour', now() - (n - 1) * interval '1 hour', 'training',
    100, 'no drift', '{}', 'bench'
FROM generate_series(1, 5000) AS n;

INSERT INTO home.actions (person, action, dataset, target, reason, began_at, ended_at)
SELECT 'olga', 'drop a file', pg_temp.name_of(n), n::text, '', now(), now() FROM generate_series(1, 10000) AS n;

ANALYZE;
