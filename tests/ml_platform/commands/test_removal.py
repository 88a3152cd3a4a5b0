"""`ml-platform dataset forget` and `remove` against real servers, as a user types them."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from ml_platform.commands import removal as command
from ml_platform.commands.main import app
from ml_platform.removal import remove_dataset
from ml_platform.specs.spec import Dataset
from ml_platform.storage import tables
from ml_platform.storage.database import fetch
from tests.ml_platform.ingestion.upload_cases import ingest, make_dataset, many, new_name, rows_in

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    dataset = make_dataset(new_name())
    monkeypatch.setattr(command, "find_table", lambda _: dataset)
    return dataset


def run(*arguments: str, answer: str = "") -> Any:
    return CliRunner().invoke(app, ["dataset", *arguments], input=answer, catch_exceptions=False)


def test_an_entity_is_erased_after_the_plan_was_shown_and_confirmed(sample: Dataset) -> None:
    report = ingest(sample, many(3))
    asked = run("forget", sample.name, "1", "--reason", "x", answer="n\n")
    assert asked.exit_code == 1
    assert asked.stdout.splitlines() == [
        f"{sample.name}: what will be erased of this entity:",
        f'  table features."{sample.name}": 1 row',
        f'  table labels."{sample.name}": 1 row',
        "  the online store: its row",
        f"  file train/{report['archived_key']}: 1 row",
        "What remains, look at it yourself:",
        "  backups, Airflow's task logs, and files that people have downloaded",
        "Erase it for good? [y/N]: n",
    ]
    assert rows_in("features", sample) == 3
    done = run("forget", sample.name, "1", "2", "--reason", "they asked for it", answer="y\n")
    assert done.exit_code == 0
    assert f"{sample.name}: what will be erased of these 2 entities:" in done.stdout
    assert done.stdout.splitlines()[-1] == f"{sample.name}: erased: 4 rows in tables, 1 file, 0 training sets"
    assert rows_in("features", sample, '"ID"') == [(0,)]
    assert fetch("SELECT reason FROM uploads.erasures WHERE dataset = $1", sample.name) == [("they asked for it",)]


def test_without_a_question_and_without_anything_to_erase(sample: Dataset) -> None:
    ingest(sample, many(2))
    assert run("forget", sample.name, "1", "--reason", "x", "--yes").exit_code == 0
    again = run("forget", sample.name, "1", "--reason", "x")
    assert (again.exit_code, again.stdout.splitlines()[0]) == (0, f"{sample.name}: nothing is stored about this entity")


def test_a_key_that_cannot_be_one_is_an_error_without_a_traceback(sample: Dataset) -> None:
    done = run("forget", sample.name, "seven", "--reason", "x", "--yes")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("ID 'seven': ")
    assert run("forget", sample.name, "1").exit_code == 2


def test_a_key_may_begin_with_a_minus(sample: Dataset) -> None:
    done = run("forget", sample.name, "--reason", "x", "--yes", "--", "-5")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{sample.name}: nothing is stored about this entity")


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A data set with a YAML of its own."""
    dataset = make_dataset(new_name())
    (tmp_path / f"{dataset.name}.yaml").write_text(
        yaml.safe_dump(dataset.model_dump(mode="json", exclude_defaults=True))
    )
    monkeypatch.setattr(tables, "DATASETS_DIR", tmp_path)
    monkeypatch.setattr(remove_dataset, "plan", partial(remove_dataset.plan, directory=tmp_path))
    return dataset


def test_a_data_set_is_removed_after_two_questions(declared: Dataset, tmp_path: Path) -> None:
    name = declared.name
    ingest(declared, many(3))
    for answer in ("n\n", "y\nanother\n"):
        asked = run("remove", name, "--reason", "x", answer=answer)
        assert asked.exit_code == 1
        assert rows_in("features", declared) == 3
    assert asked.stderr == "That is another name; nothing is removed.\n"
    lines = asked.stdout.splitlines()
    assert lines[:2] == [
        f"{name}: what will be removed:",
        f"  {tmp_path / name}.yaml, and so its DAGs; the file is moved to the folder removed/ beside it",
    ]
    assert f'  table features."{name}": 3 rows' in lines
    assert [line.split(":")[0] for line in lines if line.startswith("  train/")] == [f"  train/processed/train_{name}*"]
    done = run("remove", name, "--reason", "it ends", answer=f"y\n{name}\n")
    assert done.exit_code == 0
    assert f"{name} is removed. Its YAML is now {tmp_path / 'removed' / name}." in done.stdout
    assert run("remove", name, "--reason", "x").exit_code == 1
