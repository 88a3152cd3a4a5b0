"""Backup, wipe, restore: the same platform as before, and the same predictions. Runs last, on what the others left."""

import csv
import hashlib
import io
from pathlib import Path

import pytest

from stack.backup import archive, databases
from stack.backup.make import make_backup
from stack.backup.manifest import verify
from stack.backup.restore import restore_backup
from stack.target import runner
from tests.end_to_end.conftest import Buckets, eventually

pytestmark = [pytest.mark.servers, pytest.mark.end_to_end, pytest.mark.prove]

TEST = (Path(__file__).resolve().parents[2] / "minio" / "samples" / "test_auto.csv").read_bytes()


@pytest.fixture
def scored(airflow, buckets):
    """Drop the test file; return what the champion says of each row, and which one it was."""

    def predictions(name: str) -> list[tuple[str, ...]]:
        airflow.unpause("test_auto")
        buckets.put("test", f"test_auto_{name}.csv", TEST)
        keys = eventually(
            lambda: [key for key in buckets.keys("result", f"auto/test_auto_{name}.") if key.endswith(".csv")],
            f"test_auto_{name}.csv is scored",
        )
        eventually(lambda: f"test_auto_{name}.csv" not in buckets.keys("test"), f"test_auto_{name}.csv is settled")
        table = csv.DictReader(io.StringIO(buckets.get("result", keys[0]).decode()))
        return [(r["INDEX"], r["probability"], r["prediction"], r["threshold"], r["model_version"]) for r in table]

    return predictions


@pytest.fixture
def world(stack, airflow, mlflow):
    """Return all that people would miss."""
    everything = Buckets(archive.connect(stack))

    def look() -> dict[str, object]:
        names = ("train", "test", "label", "result", "mlflow", "reports")
        contents = {
            (bucket, key): hashlib.sha256(everything.get(bucket, key)).hexdigest()
            for bucket in names
            for key in everything.keys(bucket)
        }
        experiments = [e.experiment_id for e in mlflow.search_experiments()]
        return {
            "aliases": {model.name: model.aliases for model in mlflow.search_registered_models()},
            "candidates": sorted(run.info.run_id for run in mlflow.search_runs(experiments, max_results=5000)),
            "rows": databases.count_rows(stack),
            "objects": contents,
            "switched on": [dag_id for dag_id, paused in airflow.dags().items() if not paused],
            "trainings": sorted(run["dag_run_id"] for run in airflow.runs("train_auto")),
            "logs of trainings": {
                task.page: airflow.log("train_auto", run["dag_run_id"], task.task_id, task.attempt)
                for run in airflow.runs("train_auto")
                for task in airflow.tasks("train_auto", run["dag_run_id"])
                if task.state == "success"
            },
        }

    return look


def test_backup_wipe_and_restore_give_the_same_platform_and_the_same_predictions(
    stack, scored, world, tmp_path, capsys
) -> None:
    sentence = scored("before")
    assert len(sentence) == 2141
    eventually(
        lambda: all(log[0].startswith("s3://logs/") for log in world()["logs of trainings"].values()),
        "the logs of all trainings are in the bucket",
    )
    before = world()
    folder = tmp_path / "backup"
    with capsys.disabled():
        make_backup(stack, folder, print)
        manifest = verify(folder)
        assert world() == before, "a backup changes nothing"

        runner(stack).wipe(stack)
        assert runner(stack).running(stack) == set()
        restore_backup(stack, folder, manifest, print)
    assert world() == before
    assert scored("after") == sentence
