"""The tasks of `promote_auto` one after the other, on two real MLflow servers."""

import json
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.context import set_current_context

from tests.ml_platform.environments.copies import promotions, register

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server", "smoke_test_here")]


def test_the_tasks_copy_check_ask_and_move(production, monkeypatch, dag_bag):
    """The model is registered under the name `auto`; its data are other ones."""
    register("auto")
    password, address = production.password.get_secret_value(), urlsplit(production.url)
    connection = {"conn_type": "http", "host": address.hostname, "port": address.port, "login": "admin"}
    monkeypatch.setenv("AIRFLOW_CONN_MLFLOW_PRODUCTION", json.dumps(connection | {"password": password}))
    params = {"environment": "production", "version": None, "reason": "it is good"}
    started = SimpleNamespace(triggering_user_name="home", dag_id="promote_auto", conf={"on_behalf_of": "alice"})
    copy_it, check_it, move_it = (dag_bag.dags["promote_auto"].get_task(name) for name in ("copy", "check", "move"))
    unanswered = {"responded_at": "2026-03-01T12:00:00+00:00", "chosen_options": ["Reject"], "responded_by_user": None}
    approved = unanswered | {
        "chosen_options": ["Approve"], "responded_by_user": {"id": "1", "name": "bob"},
        "params_input": {"reason": "seen", "on_behalf_of": "carol"},
    }  # fmt: skip
    with set_current_context({"params": params, "run_id": "manual", "dag_run": started}):
        version = json.loads(json.dumps(copy_it.python_callable()))
        assert check_it.python_callable(version)["subject"] == "auto: may version 1 go live in production?"
        with pytest.raises(AirflowSkipException, match="no answer: no alias has moved"):
            move_it.python_callable(version, unanswered)
        assert promotions("auto") == []
        assert move_it.python_callable(version, approved) == {"champion": 1, "previous": None}
    assert promotions("auto") == [(1, 1, None, "alice", "bob", "it is good; bob: seen", True)]
