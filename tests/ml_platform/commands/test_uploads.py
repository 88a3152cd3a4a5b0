"""`ml-platform uploads` against real servers: list and withdraw, as a user types them."""

from typing import Any

import pytest
from typer.testing import CliRunner

from ml_platform.commands import uploads as command
from ml_platform.commands.main import app
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import csv_bytes, ingest, make_dataset, many, new_name, rows_in

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    dataset = make_dataset(new_name())

    def find(name: str) -> Dataset:
        if name != dataset.name:
            raise ConfigurationError(f"there is no data set {name!r}")
        return dataset

    monkeypatch.setattr(command, "find_table", find)
    return dataset


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["uploads", *arguments], catch_exceptions=False)


def test_uploads_are_listed_and_taken_back(sample: Dataset) -> None:
    first = ingest(sample, many(3))
    later = ingest(sample, csv_bytes({"ID": "2"}, {"ID": "9"}), "_2")
    title, *lines = run("list", sample.name).stdout.splitlines()
    assert title.split() == ["id", "loaded", "at", "file", "rows", "rejected", "trained", "versions", "withdrawn"]
    assert [line.split()[0] for line in lines] == [first["sha256"][:12], later["sha256"][:12]]
    assert [line.split()[3:] for line in lines] == [[first["key"], "3", "0"], [later["key"], "1", "0"]]
    done = run("withdraw", sample.name, first["sha256"][:12], "--reason", "a wrong export")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"{sample.name}: {first['key']} is taken back, with 3 rows of 3 entities",
        f"Drop these files again, some rows of which may have come with it: {later['key']}",
    ]
    assert rows_in("features", sample) == 1
    assert run("list", sample.name).stdout.splitlines()[1].rstrip().endswith("UTC: a wrong export")


def test_errors_have_no_traceback(sample: Dataset) -> None:
    assert run("list", "nobody").stderr == "there is no data set 'nobody'\n"
    assert run("withdraw", sample.name, "abcd").exit_code == 2
    done = run("withdraw", sample.name, "abcd", "--reason", "x")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no upload that is loaded begins with abcd" in done.stderr
