"""`ml-platform labels ask`: the words and the numbers; what is asked is tested in labelling/."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from ml_platform.commands.main import app
from ml_platform.exceptions import RegistryError
from ml_platform.labelling import ask
from ml_platform.labelling.ask import Questions

LEFT_OUT = {"in the hold-out": 400, "asked about before": 1}
ASKED = Questions("auto", 3, 2, "asked/label_auto.x.csv", 2_141, LEFT_OUT, 7)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("S3_ENDPOINT_URL", "http://s3.test")

    def run_with(answer: Any, *arguments: str) -> Any:
        def ask_people(dataset: Any, *given: Any) -> Questions:
            calls.append((dataset.name, *given))
            if isinstance(answer, Exception):
                raise answer
            return answer

        calls: list[Any] = []
        monkeypatch.setattr(ask, "ask", ask_people)
        result = CliRunner().invoke(app, ["labels", "ask", *arguments])
        return result, calls

    return run_with


def test_it_says_what_is_asked_and_what_was_left_out(run: Any) -> None:
    result, calls = run(ASKED, "auto", "--count", "2", "--for", "bob")
    assert [(name, count, labeller) for name, count, _, labeller in calls] == [("auto", 2, "bob")]
    assert result.output.splitlines() == [
        "auto: 2,141 rows scored by version 3; left out: 400 in the hold-out, 1 asked about before",
        "7 rows came over HTTP or in a stream: their features are not kept, so they are not asked about",
        "2 rows to be labelled: label/asked/label_auto.x.csv",
        "fill in the label and labelled_by, and drop the file into the bucket label itself",
    ]


def test_it_prints_json_for_programs(run: Any) -> None:
    printed = json.loads(run(ASKED, "auto", "--json")[0].output)
    assert (printed["rows"], printed["key"], printed["left_out"]) == (2, "asked/label_auto.x.csv", LEFT_OUT)


def test_it_says_if_there_is_nothing_to_ask(run: Any) -> None:
    result, _ = run(Questions("auto", 3, 0, None, 0), "auto")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "there is nothing to ask; score more rows")


def test_an_error_has_no_traceback(run: Any) -> None:
    result, _ = run(RegistryError("auto: no model is live"), "auto")
    assert (result.exit_code, result.output) == (1, "auto: no model is live\n")
