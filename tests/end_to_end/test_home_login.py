"""The login of the home page, on the real Airflow: what it may do there, and that only it speaks for people."""

from collections.abc import Iterator

import pytest

from stack.airflow_api import Airflow, AirflowError
from stack.config import Config

pytestmark = [pytest.mark.servers, pytest.mark.end_to_end]


@pytest.fixture(scope="module")
def home(stack: Config) -> Iterator[Airflow]:
    api = Airflow(stack.airflow_url, "home", stack.home_airflow_password.get_secret_value())
    yield api
    api.close()


def test_it_reads_what_runs_what_failed_and_what_is_asked(home: Airflow) -> None:
    assert "housekeeping" in home.dags()
    for found in (home.unfinished_runs(), home.unfinished_tasks(), home.failed_tasks(1), home.open_questions()):
        assert isinstance(found, list)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("/variables", "/pools", "/config", "/eventLogs", "/plugins")),
        ("GET", "/dagSources/housekeeping"),
        ("GET", "/dags/housekeeping/dagRuns/~/taskInstances/logs/xcomEntries"),
        ("DELETE", "/dags/housekeeping"),
        ("POST", "/variables"),
        ("POST", "/pools"),
    ],
)
def test_it_may_do_nothing_else(home: Airflow, method: str, path: str) -> None:
    with pytest.raises(AirflowError) as error:
        home._call(method, path, **({"json": {}} if method == "POST" else {}))
    assert error.value.status == 403
