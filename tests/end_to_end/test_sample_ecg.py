"""The sample `ecg` in the real Airflow: two families of models in one training, compared by a link; a scored file."""

import csv
import io
import json
import re
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.end_to_end.conftest import TRAINING, all_succeeded, eventually

pytestmark = [pytest.mark.servers, pytest.mark.end_to_end, pytest.mark.prove]

SAMPLES = Path(__file__).resolve().parents[2] / "minio" / "samples"
KINDS = {"normal", "supraventricular", "ventricular", "fusion", "paced"}
DAGS = ("ingest_ecg", "train_ecg", "test_ecg")


@pytest.fixture(scope="module")
def champion(airflow, buckets, mlflow):
    eventually(lambda: set(DAGS) <= set(airflow.dags()), "Airflow knows the three DAGs")
    for dag_id in DAGS:
        airflow.unpause(dag_id)
    buckets.put("train", "train_ecg.csv.gz", (SAMPLES / "train_ecg.csv.gz").read_bytes())
    eventually(partial(all_succeeded, airflow, "train_ecg"), "train_ecg, started by the new rows, succeeds", TRAINING)
    return mlflow.get_model_version_by_alias("ecg", "champion")


def test_every_beat_is_loaded(champion, query) -> None:
    assert query("SELECT count(*), count(DISTINCT patient) FROM features.ecg") == [(4800, 160)]


def test_the_champion_knows_hearts_that_it_has_not_seen(champion) -> None:
    assert 0.75 < float(champion.tags["holdout_f1"]) < 0.97


def test_both_families_are_compared_by_a_link_that_nobody_edited(champion, mlflow) -> None:
    run = mlflow.get_run(champion.run_id)
    url = run.data.tags["compare_url"]
    assert url in run.data.tags["mlflow.note.content"]
    (ids,) = parse_qs(urlsplit(url).fragment.partition("?")[2])["runs"]
    compared = [mlflow.get_run(run_id).data for run_id in json.loads(ids)]
    assert "snapshot_ensemble" in {data.params["estimator"] for data in compared}
    assert len({data.params["estimator"] for data in compared}) == len(compared) == 2
    for data in compared:
        assert data.tags["mlflow.parentRunId"] == champion.run_id
        assert data.metrics["f1"] > 0.8


def test_each_beat_of_the_test_file_gets_a_kind(champion, buckets) -> None:
    buckets.put("test", "test_ecg.csv.gz", (SAMPLES / "test_ecg.csv.gz").read_bytes())
    (key,) = eventually(
        lambda: [k for k in buckets.keys("result", "ecg/") if re.search(r"\.csv$", k)], "the result is there"
    )
    rows = list(csv.DictReader(io.StringIO(buckets.get("result", key).decode())))
    assert len(rows) == 1200
    assert {row["prediction"] for row in rows} == KINDS
