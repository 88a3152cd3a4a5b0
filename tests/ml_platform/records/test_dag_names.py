"""The parts of the name of a DAG."""

import re
from pathlib import Path

import pytest

from ml_platform import ROOT
from ml_platform.records.dag_names import VERBS, WITHOUT_DATASET, parts


@pytest.mark.parametrize(
    ("dag_id", "expected"),
    [
        ("train_auto", ("train", "auto")),
        ("test_us_flights", ("test", "us_flights")),
        ("pull_auto", ("pull", "auto")),
        ("pull_test_auto", ("pull_test", "auto")),
        ("housekeeping", ("housekeeping", None)),
        ("train_", None),
        ("my_own", None),
        ("training_auto", None),
    ],
)
def test_a_name_has_a_verb_and_a_data_set(dag_id: str, expected: tuple[str, str | None] | None) -> None:
    assert parts(dag_id) == expected


def test_every_dag_of_the_platform_has_a_known_verb() -> None:
    texts = [path.read_text() for path in Path(ROOT / "dags").glob("*.py")]
    named = {verb for text in texts for verb in re.findall(r'dag_id=f?"(\w+?)(?:_\{|")', text)}
    assert {*VERBS, *WITHOUT_DATASET} == named | {"pull_test"}
