"""All data sets at a glance, from the records in a real Postgres."""

import json
from dataclasses import replace

import pytest

from ml_platform.records import overview
from ml_platform.records.overview import Summary
from ml_platform.specs.catalog import dataset as read_dataset
from ml_platform.storage.database import transaction

SHA256 = "5" * 64
EMPTY = Summary("x", "", None, (), None, None, 0, (0, 0), None, None, 0, 0, 0)
FILE = overview.LastFile("train_x.csv", None, "loaded", 1, 0)  # type: ignore[arg-type]
LIVE = overview.LiveModel(1, None, "f1", 0.5, None)  # type: ignore[arg-type]
IN_USE = replace(EMPTY, last_trained=FILE, last_scored=FILE, live=LIVE)


@pytest.mark.parametrize(
    ("summary", "begins"),
    [
        (EMPTY, "Drop a training file"),
        (replace(EMPTY, waiting=1), "A file is being worked on"),
        (replace(EMPTY, last_trained=FILE), "The rows are loaded"),
        (replace(IN_USE, last_scored=None), "The model is live"),
        (IN_USE, "All is well"),
        (replace(IN_USE, drift="no drift", performance="as promised"), "All is well"),
        (replace(IN_USE, drift="drift"), "The rows have changed"),
        (replace(IN_USE, drift="drift", performance="below the promise"), "The model is worse"),
        (replace(IN_USE, rejected=1, drift="drift"), "A file was rejected"),
        (replace(IN_USE, blocked=1, rejected=1), "Files wait for another spec"),
    ],
)
def test_the_next_step_is_the_most_urgent(summary, begins):
    assert summary.next_step.startswith(begins)


@pytest.fixture(scope="module")
def glance(servers):
    """A data set with two versions, three files and a check; the names of the samples are those of other tests, too."""
    name = "glance"
    report = json.dumps({"rows_read": 10, "rows_loaded": 8, "rows_rejected": 2})
    tags = json.dumps({"holdout_intervals": json.dumps({"f1": [0.45, 0.55]})})
    statements = [
        "INSERT INTO uploads.ledger (dataset, purpose, sha256, object_key, etag, bytes, rows_read, rows_loaded,"
        f" rows_rejected, report) VALUES ('{name}', 'train', '{SHA256}', 'train_glance.csv', 'e', 1, 10, 8, 2,"
        f" '{report}')",
        "INSERT INTO uploads.arrivals (dataset, purpose, bucket, object_key, etag, last_modified, outcome, report)"
        f" VALUES ('{name}', 'train', 'train', 'train_glance.csv', 'e', now(), 'loaded', '{report}'),"
        f" ('{name}', 'test', 'test', 'test_glance.csv', 'e', now(), 'scored', '{report}'),"
        f" ('{name}', 'test', 'test', 'bad.csv', 'e', now(), 'rejected', '{report}')",
        *(
            "INSERT INTO models.decisions (model, version, run_id, decision, reason, challenger_score, min_gain,"
            f" confidence, training_set_sha256, decided_by, metric) VALUES ('{name}', {version}, 'r{version}',"
            f" 'promoted', 'better', {score}, 0, 0.9, '{SHA256}', 'gate', '{metric}')"
            for version, score, metric in ((1, 0.9, "roc_auc"), (2, 0.4, "f1"), (3, 0.5, "f1"))
        ),
        "INSERT INTO models.versions (model, version, run_id, model_sha256, tags, recorded_by)"
        f" VALUES ('{name}', 3, 'r3', '{SHA256}', '{tags}', 't')",
        "INSERT INTO models.movements (model, from_version, to_version, moved_by, why, reason, is_done, run_id)"
        f" VALUES ('{name}', 2, 3, 'gate', 'gate', 'better', true, 'r3')",
        "INSERT INTO monitoring.checks (dataset, kind, model_version, window_start, window_end, reference, rows,"
        f" verdict, figures, checked_by) VALUES ('{name}', 'drift', 3, now() - interval '1 day', now(), 'training', 5,"
        " 'drift', '{}', 'monitor')",
        "INSERT INTO uploads.attempts (bucket, object_key, etag, last_modified, spec_sha256, attempts, next_attempt)"
        " VALUES ('train', 'train_glance2.csv', 'e', now(), 's', 1, now()),"
        " ('train', 'train_glance3.csv', 'e', now(), 's', 1, NULL), ('train', 'glance', 'e', now(), 's', 1, NULL)",
    ]
    with transaction() as cursor:
        for statement in statements:
            cursor.execute(statement)
    dataset = read_dataset("auto").model_copy(update={"name": name})
    yield overview.summaries([dataset])[0]
    with transaction() as cursor:
        cursor.execute(
            "DELETE FROM uploads.attempts WHERE object_key LIKE 'train_glance%' OR object_key = 'train_other.csv'"
        )


@pytest.mark.servers
def test_the_live_model_with_its_score_and_interval(glance):
    assert (glance.live.version, glance.live.metric, glance.live.score, glance.live.interval) == (
        3, "f1", 0.5, (0.45, 0.55),
    )  # fmt: skip


@pytest.mark.servers
def test_scores_of_another_metric_are_not_shown_beside_it(glance):
    assert glance.scores == (0.4, 0.5)


@pytest.mark.servers
def test_the_last_files_and_rows(glance):
    assert (glance.last_trained.key, glance.last_trained.outcome) == ("train_glance.csv", "loaded")
    assert (glance.last_scored.key, glance.last_scored.rows_rejected) == ("bad.csv", 2)
    assert (glance.rows, glance.rows_today) == (8, (8, 8))


@pytest.mark.servers
def test_what_waits(glance):
    assert (glance.rejected, glance.waiting, glance.blocked, glance.drift) == (1, 1, 1, "drift")


@pytest.mark.servers
def test_a_data_set_that_has_nothing(servers):
    (summary,) = overview.summaries([read_dataset("auto").model_copy(update={"name": "nothing_yet"})])
    assert summary.is_empty
    assert summary.next_step == "Drop a training file."
