"""Airflow's API for pages: one session, and an outage or a refusal in words."""

from types import SimpleNamespace

import httpx
import pytest

from ml_platform.exceptions import ConfigurationError, PlatformError, ServiceError
from ml_platform.records import airflow_session
from stack.airflow_api import QUICK
from tests.ml_platform.records.airflow_answers import FakeAirflow


def dags() -> dict[str, bool]:
    with airflow_session.airflow() as api:
        return api.dags()


def test_all_calls_share_one_session(airflow: FakeAirflow) -> None:
    airflow.answers["GET /dags"] = {"dags": [{"dag_id": "x", "is_paused": True}]}
    assert dags() == dags() == {"x": True}
    assert airflow.logins == 1


def test_a_token_that_has_run_out_is_renewed(airflow: FakeAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [httpx.Response(401), httpx.Response(200, json={"dags": []})]
    monkeypatch.setattr(airflow, "response", lambda given: answers.pop(0) if given == {} else given)
    assert dags() == {}
    assert airflow.logins == 2


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (
            httpx.ConnectError("refused", request=httpx.Request("GET", "http://airflow.test")),
            ServiceError,
            "Airflow is not reachable: refused",
        ),
        (
            httpx.ReadTimeout("", request=httpx.Request("GET", "http://airflow.test")),
            ServiceError,
            "Airflow is not reachable: ReadTimeout",
        ),
        (httpx.Response(503, text="starting"), ServiceError, "Airflow failed: .*503 starting"),
        (httpx.Response(403, json={"detail": "Forbidden"}), ConfigurationError, "Airflow refused this: Forbidden"),
        (httpx.Response(422, json={"detail": [{"msg": "bad"}]}), ConfigurationError, "Airflow refused this: .*bad"),
    ],
)
def test_an_outage_is_told_from_a_refusal(
    airflow: FakeAirflow, answer: object, kind: type[PlatformError], text: str
) -> None:
    airflow.answers["GET /dags"] = answer
    with pytest.raises(kind, match=text):
        dags()


def test_a_refused_login_is_tried_again_and_tells_no_password(airflow: FakeAirflow) -> None:
    airflow.answers["login"] = httpx.Response(401, json={"detail": "Invalid credentials"})
    with pytest.raises(ConfigurationError, match="Airflow refused this: Invalid credentials") as error:
        dags()
    assert "canary" not in str(error.value)
    del airflow.answers["login"]
    airflow.answers["GET /dags"] = {"dags": []}
    assert dags() == {}


def test_without_the_login_nothing_is_asked(airflow: FakeAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = SimpleNamespace(airflow_api_url="http://airflow.test", home_airflow_password=None)
    monkeypatch.setattr(airflow_session, "settings", lambda: empty)
    with pytest.raises(ConfigurationError, match="HOME_AIRFLOW_PASSWORD"):
        dags()
    assert not airflow.logins


def test_a_page_does_not_wait_long(airflow: FakeAirflow) -> None:
    airflow.answers["GET /dags"] = {"dags": []}
    dags()
    assert (QUICK.connect, QUICK.read) == (2, 8)
    assert airflow.requests[-1].extensions["timeout"]["read"] == 8


def test_what_changes_something_is_waited_for_longer_and_may_have_been_done(airflow: FakeAirflow) -> None:
    with airflow_session.airflow() as api:
        api.unpause("x")
    assert airflow.requests[-1].extensions["timeout"] == {"connect": 2, "read": 60, "write": 60, "pool": 60}
    airflow.answers["PATCH /dags/x"] = httpx.ReadTimeout("", request=airflow.requests[-1])
    with pytest.raises(ServiceError, match="look at the runs before you try again"), airflow_session.airflow() as api:
        api.unpause("x")
