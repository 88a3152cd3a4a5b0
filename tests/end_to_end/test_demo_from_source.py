"""`make demo SOURCE=sql` on the running stack: the rows of a table are pulled and trained from, once."""

import json
import os
import subprocess

import pytest

from stack.config import ROOT, Config

pytestmark = [pytest.mark.end_to_end, pytest.mark.servers, pytest.mark.prove]

DEMO = ("demo", "penguins", "--source", "sql")


def shown(stack: Config) -> str:
    environment = os.environ | {"ENV_FILE": str(stack.env_file)}
    done = subprocess.run([ROOT / "ml-platform", *DEMO], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return " ".join(done.stdout.split())


def test_a_second_demo_adds_no_row_and_trains_nothing(stack: Config, query, mlflow) -> None:
    first = shown(stack)
    assert "224 rows of train_penguins.csv were added to the table demo.penguins" in first
    assert "224 rows read, 224 loaded, 0 rejected" in first
    assert '"model": "sql_penguins"' in first
    second = shown(stack)
    assert "are in the table demo.penguins" in second
    assert "nothing new: nothing is loaded twice" in second
    assert (
        query("SELECT count(*) FROM demo.penguins") == query("SELECT count(*) FROM features.sql_penguins") == [(224,)]
    )
    assert [version.version for version in mlflow.search_model_versions("name='sql_penguins'")] == ["1"]
    metrics = json.loads(mlflow.get_model_version_by_alias("sql_penguins", "champion").tags["holdout_metrics"])
    assert metrics["f1"] > 0.95
