"""The line of a log that says why its task failed."""

from typing import Any

import httpx
import pytest

from ml_platform.records import failure_reasons
from ml_platform.records.airflow_session import airflow as session
from ml_platform.records.failure_reasons import decisive_line
from tests.ml_platform.records.airflow_answers import TASK, FakeAirflow, raised

LOG = "GET /dags/train_auto/dagRuns/manual__1/taskInstances/search/logs/2"
HEAD: list[dict[str, Any]] = [
    *({"event": text} for text in ("::group::Log message source details", "/logs/attempt=1.log", "::endgroup::")),
]
INFO = {"event": "candidate 3 of 24", "level": "info"}


@pytest.mark.parametrize("kind", ["AirflowFailException", "DegenerateDataError", "ServiceError", "ContractError"])
def test_an_error_of_the_platform_speaks_for_itself(kind: str) -> None:
    assert decisive_line([*HEAD, INFO, raised(kind, "auto: a single class")]) == "auto: a single class"


def test_another_error_has_its_kind() -> None:
    assert decisive_line([raised("KeyError", "'AGE'")]) == "KeyError: 'AGE'"
    assert decisive_line([raised("MemoryError", "")]) == "MemoryError"


def test_the_last_error_counts() -> None:
    entries = [raised("ServiceError", "first"), INFO, raised("ServiceError", "last"), {**INFO, "level": "error"}]
    assert decisive_line(entries) == "last"


def test_of_several_lines_the_first_is_shown() -> None:
    text = "\n a.csv is rejected: no rows \n\nb.csv is rejected\nc.csv is rejected"
    assert decisive_line([raised("AirflowFailException", text)]) == "a.csv is rejected: no rows (and 2 more)"
    assert len(decisive_line([raised("ServiceError", "x" * 9999)])) == failure_reasons.LONGEST + 1


def test_a_killed_task_shows_its_last_error_or_line() -> None:
    killed = {"event": "Process terminated by signal. Likely out of memory error (OOM).", "level": "critical"}
    assert decisive_line([*HEAD, INFO, killed, INFO]) == killed["event"]
    assert decisive_line([*HEAD, INFO]) == "candidate 3 of 24"
    assert decisive_line(HEAD) == decisive_line([]) == failure_reasons.NO_LOG


def test_the_log_of_an_attempt_is_read_once(airflow: FakeAirflow) -> None:
    airflow.answers[LOG] = {"content": [raised("ServiceError", "away")]}
    with session() as api:
        reasons = [failure_reasons.reason_of(api, TASK | {"try_number": 2}) for _ in range(3)]
    assert reasons == ["away"] * 3
    assert len(airflow.requests) == 1
    assert dict(airflow.requests[0].url.params) == {"full_content": "true", "map_index": "-1"}


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (httpx.Response(404, json={"detail": "TaskInstance not found"}), "cannot be read: TaskInstance not found"),
        (httpx.ReadTimeout(""), "could not be read in time"),
    ],
)
def test_a_log_that_cannot_be_read_is_no_error_and_is_tried_again(
    airflow: FakeAirflow, answer: object, text: str
) -> None:
    airflow.answers[LOG] = answer
    with session() as api:
        assert text in failure_reasons.reason_of(api, TASK | {"try_number": 2})
        airflow.answers[LOG] = {"content": [raised("ServiceError", "away")]}
        assert failure_reasons.reason_of(api, TASK | {"try_number": 2}) == "away"
