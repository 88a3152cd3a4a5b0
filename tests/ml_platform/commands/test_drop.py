"""`ml-platform drop` against real servers: a file is dropped, waited for, and its end decides the exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ml_platform.commands import drop as command
from ml_platform.commands.main import app
from ml_platform.exceptions import ServiceError
from ml_platform.ingestion import inbox, uploads
from ml_platform.specs import catalog
from ml_platform.specs.catalog import Catalog
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import csv_bytes, make_dataset, many, new_name, waiting_keys

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    dataset = make_dataset(new_name())
    monkeypatch.setattr(catalog, "catalog", lambda *_: Catalog((dataset,), (), ()))
    return dataset


@pytest.fixture
def ingest_at_each_look(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load what waits whenever the command pauses between two looks, as the DAG would."""
    monkeypatch.setattr(command.time, "sleep", lambda _: [uploads.ingest(sample, key) for key in waiting_keys(sample)])


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["drop", *map(str, arguments)], catch_exceptions=False)


def test_a_file_is_dropped_and_left_alone(sample: Dataset, tmp_path: Path) -> None:
    (file := tmp_path / "may.csv").write_bytes(many(2))
    done = run(file, "--as", "train", "--dataset", sample.name, "--json")
    key = f"train_{sample.name}_may.csv"
    assert (done.exit_code, done.stderr) == (0, f"{file} is dropped as train/{key}\n")
    document = json.loads(done.stdout)["file"]
    assert (document["key"], document["state"], document["kind"]) == (key, "waiting", "train")
    assert waiting_keys(sample) == [key]
    again = run(file, "--as", "train", "--dataset", sample.name)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "a file of this name waits there" in again.stderr


@pytest.mark.usefixtures("ingest_at_each_look")
def test_a_file_is_waited_for_until_it_is_loaded(sample: Dataset, tmp_path: Path) -> None:
    (file := tmp_path / f"train_{sample.name}.csv").write_bytes(csv_bytes({"ID": "1"}, {"ID": "2", "RATIO": "x"}))
    done = run(file, "--wait", "--json")
    assert done.exit_code == 0
    assert [*done.stderr.splitlines()[1:3]] == [
        f"train_{sample.name}.csv: waiting",
        f"train_{sample.name}.csv: loaded: 2 rows read, 1 loaded, 0 already there, 1 rejected",
    ]
    assert json.loads(done.stdout)["file"]["rows_loaded"] == 1


@pytest.mark.usefixtures("ingest_at_each_look")
def test_a_rejected_file_is_an_error_with_its_reasons(sample: Dataset, tmp_path: Path) -> None:
    (file := tmp_path / f"train_{sample.name}.csv").write_bytes(b"a,b\n1,2\n")
    done = run(file, "--wait")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "the header lacks" in done.stderr


def test_a_wait_has_an_end(sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise ServiceError("the store is full")

    monkeypatch.setattr(inbox, "BUDGET", 0.2)
    monkeypatch.setattr(command.time, "sleep", lambda _: inbox.work_off(sample, "train", fail))
    (file := tmp_path / f"train_{sample.name}.csv").write_bytes(many(1))
    done = run(file, "--wait", "--timeout", "1")
    assert done.exit_code == 1
    assert "attempt 1 failed: the store is full; the next one: " in done.stderr
    assert "is the DAG" in done.stderr


def test_a_name_that_says_nothing_is_a_mistake(sample: Dataset, tmp_path: Path) -> None:
    (file := tmp_path / "may.csv").write_bytes(many(1))
    done = run(file)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"NAME is one of: {sample.name}" in done.stderr
