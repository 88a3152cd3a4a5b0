"""`ml-platform results` against real servers: list and get."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ml_platform.commands.main import app
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name
from tests.ml_platform.records.test_results import record

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["results", *map(str, arguments)], catch_exceptions=False)


def test_results_are_listed_and_fetched(tmp_path: Path) -> None:
    dataset = make_dataset(new_name())
    older, newest = record(dataset, 1), record(dataset, 2)
    object_store.put_new("result", newest, b"ID,prediction\n1,0\n")
    title, first, second = run("list", dataset.name).stdout.splitlines()
    assert title.split()[0] == "result"
    assert [first.split()[0], second.split()[0]] == [newest, older]
    listed = json.loads(run("list", dataset.name, "--json").stdout)
    assert [one["key"] for one in listed["results"]] == [newest, older]
    done = run("get", dataset.name, "--out", tmp_path, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["path"] == str(tmp_path / "test_2.csv")
    assert (tmp_path / "test_2.csv").read_bytes() == b"ID,prediction\n1,0\n"
    assert run("get", dataset.name, "test_2.csv", "--out", tmp_path / "mine.csv").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.csv", "test_2.csv"]
    assert "is not there any more" in run("get", dataset.name, older, "--out", tmp_path).stderr
    assert "cannot be written" in run("get", dataset.name, "--out", tmp_path / "no folder" / "x.csv").stderr
    assert (
        run("get", dataset.name, "x.csv").stderr
        == f"{dataset.name} has no result x.csv; see: results list {dataset.name}\n"
    )
    assert run("get", "nobody").exit_code == 1
