"""The answers of servers, as the doctor reads them."""

import time
from email.utils import formatdate

import httpx
import pytest

from ml_platform.doctor import endpoints


@pytest.fixture
def answers(monkeypatch):
    """Answer requests by a function of their address and headers."""

    def use(answer):
        def get(url, **options):
            found = answer(url, options.get("headers", {}))
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(endpoints.httpx, "get", get)
        monkeypatch.setattr(endpoints.httpx, "post", get)

    return use


def test_pages_that_are_away_or_fail_are_found(config, answers):
    def answer(url, headers):
        if str(config.feast_port) in url:
            return httpx.ConnectError("refused")
        return httpx.Response(502 if str(config.mlflow_port) in url else 401)

    answers(answer)
    assert list(endpoints.silent_pages(config)) == [
        f"MLflow answers 502 at http://localhost:{config.mlflow_port}",
        f"Feast does not answer at http://localhost:{config.feast_port}: refused",
    ]


def test_the_page_of_the_metrics_must_answer_where_it_is_wanted(config, answers):
    answers(lambda url, headers: httpx.Response(500 if url.endswith("/metrics") else 200))
    assert list(endpoints.silent_pages(config)) == []
    wanted = config.model_copy(update={"metrics": "1"})
    assert list(endpoints.silent_pages(wanted)) == [
        f"the page of the metrics answers 500 at http://127.0.0.1:{config.metrics_port}/metrics"
    ]


def test_mlflow_must_answer_its_own_names_and_no_other(config, answers):
    own = (f"127.0.0.1:{config.mlflow_port}", f"localhost:{config.mlflow_port}")
    answers(lambda url, headers: httpx.Response(200 if headers["Host"] in own else 403))
    assert list(endpoints.mlflow_hosts(config)) == []
    answers(lambda url, headers: httpx.Response(403 if headers["Host"] in own[:1] else 200))
    assert list(endpoints.mlflow_hosts(config)) == [
        f"MLflow answers 403 to the pipelines under the name '{own[0]}'",
        "MLflow answers 200 to the pipelines under the name 'stranger.example'",
    ]


def test_a_server_with_another_time_is_found(config, answers, monkeypatch):
    answers(lambda url, headers: httpx.Response(403, headers={"Date": formatdate(time.time() - 1000, usegmt=True)}))
    monkeypatch.setattr(endpoints.databases, "query", lambda config, database, sql: [time.time() + 5])
    (problem,) = endpoints.clock_skew(config)
    assert problem.startswith("the time of the object store is 1,00")
    assert problem.endswith(" s behind this machine")
