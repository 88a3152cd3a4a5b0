"""Kill any one container while a file is loaded, a model is trained, a file is scored: it comes back, the work goes on.

Each kill takes a container's first process, and with it all of the container, at the moment at which the stage's task
is seen to run. Nobody lends a hand afterwards. `make prove` kills each of them in each stage; `make test-compose` kills
the database during a load, and during a training the scheduler, and with it the task.
"""

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from stack.airflow_api import AirflowError
from stack.config import Config
from tests.end_to_end.conftest import eventually

pytestmark = [pytest.mark.servers, pytest.mark.end_to_end]

OUTAGES = (httpx.HTTPError, AirflowError, BotoCoreError, ClientError, psycopg2.OperationalError)
SAMPLES = Path(__file__).resolve().parents[2] / "minio" / "samples"
# The last four take no part in the work: they are killed one after the other in the same run.
VICTIMS = [
    ("postgres",), ("objects",), ("mlflow",), ("airflow-api",), ("airflow-scheduler",), ("airflow-triggerer",),
    ("airflow-dag-processor", "feast", "serving", "adminer"),
]  # fmt: skip
ROWS = 300
PATIENCE = 600


def victims_of(*quick: str) -> pytest.MarkDecorator:
    """Run a test once for each victim; only `make prove` kills those that are not named here."""
    marks = {True: (), False: pytest.mark.prove}
    cases = [pytest.param(one, id="+".join(one), marks=marks[one[0] in quick]) for one in VICTIMS]
    return pytest.mark.parametrize("victims", cases)


def during_outages(check: Callable[[], Any]) -> Callable[[], Any]:
    """Answer None while a server is away."""

    def patient() -> Any:
        try:
            return check()
        except OUTAGES:
            return None

    return patient


def file_of(sample: str, first_key: int) -> tuple[bytes, set[int]]:
    """Return rows of a sample under keys that are new, and those keys."""
    text = (SAMPLES / sample).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))[:ROWS]
    for number, row in enumerate(rows):
        row["INDEX"] = str(first_key + number)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(), set(range(first_key, first_key + len(rows)))


@pytest.fixture
def kill(containers, record_property):
    """Kill containers; at the end of the test all of them must have come back by themselves, healthy."""
    before: dict[str, int] = {}

    def now(services: tuple[str, ...]) -> None:
        for service in services:
            before[service] = containers.restarts(service)
            containers.crash(service)

    record_property("tried", 1)
    yield now
    for service, restarts in before.items():
        eventually(lambda service=service: containers.is_healthy(service), f"{service} is healthy again", PATIENCE)
        assert containers.restarts(service) > restarts


@pytest.fixture(scope="module", autouse=True)
def quiet(airflow) -> None:
    """Trainings start by hand here, not by the rows that the tests load."""
    airflow.pause("train_auto")
    for dag_id in ("ingest_auto", "test_auto"):
        airflow.unpause(dag_id)
    eventually(
        lambda: not [r for r in airflow.runs("train_auto") if r["state"] in ("running", "queued")], "no training"
    )


def wait_for_task(airflow, dag_id: str, task_id: str, run_id: str | None = None) -> None:
    """Wait until a task of the newest run works."""

    def works() -> bool:
        found = run_id or airflow.runs(dag_id, limit=1)[-1]["dag_run_id"]
        return any(t.task_id == task_id and t.state == "running" for t in airflow.tasks(dag_id, found))

    deadline = time.monotonic() + PATIENCE
    while not works():
        assert time.monotonic() < deadline, f"{dag_id}.{task_id} did not start"
        time.sleep(0.1)


@contextmanager
def held_up(stack: Config, table: str) -> Iterator[None]:
    """Make every write to a table wait, so that a task that would be over in a moment is seen to run."""
    with closing(psycopg2.connect(stack.database_uri("platform"))) as connection, connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield


def waits_for_file(airflow, dag_id: str) -> bool:
    """Tell whether a pipeline is at rest: one run at a time, and the newest waits."""
    found = airflow.runs(dag_id, limit=1)[-1]["dag_run_id"]
    return any(t.task_id == "wait_for_file" and t.state == "deferred" for t in airflow.tasks(dag_id, found))


def report_of(buckets, bucket: str, key: str) -> dict[str, Any]:
    """Wait until a file is settled; return its report."""

    def settled() -> str | None:
        if key in buckets.keys(bucket):
            return None
        found = buckets.keys(bucket, f"processed/{key.removesuffix('.csv')}.")
        return next((k for k in found if k.endswith(".report.json")), None)

    report = eventually(during_outages(settled), f"{bucket}/{key} is settled", PATIENCE)
    return json.loads(eventually(during_outages(lambda: buckets.get(bucket, report)), "its report", PATIENCE))


@victims_of("postgres")
def test_a_load_goes_on(victims, stack, airflow, buckets, query, kill) -> None:
    content, keys = file_of("train_auto.csv", 1_000_000 * (1 + VICTIMS.index(victims)))
    with held_up(stack, "features.auto"):
        buckets.put("train", f"train_auto_{victims[0]}.csv", content)
        wait_for_task(airflow, "ingest_auto", "load")
        kill(victims)
    report = report_of(buckets, "train", f"train_auto_{victims[0]}.csv")
    assert (report["outcome"], report["rows_loaded"]) == ("loaded", ROWS)
    for table in ("features", "labels"):
        sql = f'SELECT "INDEX" FROM {table}.auto WHERE "INDEX" BETWEEN {min(keys)} AND {max(keys)}'
        loaded = [key for (key,) in eventually(during_outages(lambda sql=sql: query(sql)), "an answer")]
        assert sorted(loaded) == sorted(keys), table


@victims_of("airflow-scheduler")
def test_a_training_goes_on(victims, airflow, mlflow, kill) -> None:
    before = int(mlflow.get_model_version_by_alias("auto", "challenger").version)
    # a number of folds of its own makes it a search of its own
    conf = {"grid": "quick", "estimators": ["logistic_regression"], "folds": 2 + VICTIMS.index(victims)}
    # else the end of the last load would start a training of its own
    eventually(during_outages(lambda: waits_for_file(airflow, "ingest_auto")), "the last load ends", PATIENCE)
    airflow.unpause("train_auto")
    run_id = airflow.trigger("train_auto", conf)
    wait_for_task(airflow, "train_auto", "search", run_id)
    kill(victims)
    ended = during_outages(lambda: airflow.run("train_auto", run_id)["state"] in ("success", "failed"))
    eventually(ended, "the training ends", 2 * PATIENCE)
    assert airflow.run("train_auto", run_id)["state"] == "success"
    assert int(mlflow.get_model_version_by_alias("auto", "challenger").version) == before + 1
    experiment = mlflow.get_experiment_by_name("auto").experiment_id
    assert [r.info.run_id for r in mlflow.search_runs([experiment]) if r.info.status == "RUNNING"] == []
    airflow.pause("train_auto")


@victims_of()
def test_a_scoring_goes_on(victims, airflow, buckets, mlflow, kill) -> None:
    content, keys = file_of("test_auto.csv", 100_000_000 * (1 + VICTIMS.index(victims)))
    buckets.put("test", f"test_auto_{victims[0]}.csv", content)
    wait_for_task(airflow, "test_auto", "score")
    kill(victims)
    report = report_of(buckets, "test", f"test_auto_{victims[0]}.csv")
    assert (report["outcome"], report["rows_read"], report["rows_rejected"]) == ("scored", ROWS, 0)
    results = [k for k in buckets.keys("result", f"auto/test_auto_{victims[0]}.") if k.endswith(".csv")]
    assert len(results) == 1
    rows = list(csv.DictReader(io.StringIO(buckets.get("result", results[0]).decode())))
    assert sorted(int(row["INDEX"]) for row in rows) == sorted(keys)
    champion = eventually(during_outages(lambda: mlflow.get_model_version_by_alias("auto", "champion")), "MLflow")
    assert {row["model_version"] for row in rows} == {champion.version}


@pytest.mark.prove
def test_what_a_person_kills_a_person_starts_again(containers) -> None:
    from stack.runners import compose

    compose.output(containers.config, "kill", "mlflow", "airflow-scheduler")
    compose.up(containers.config, [])
    assert containers.is_healthy("mlflow")
    assert containers.is_healthy("airflow-scheduler")
