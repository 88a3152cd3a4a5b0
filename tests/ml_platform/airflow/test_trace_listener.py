"""What Airflow calls when a task ends: Airflow knows these functions, and the scheduler's own calls are left alone."""

from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from airflow.sdk._shared.listeners.listener import ListenerManager
from airflow.sdk._shared.listeners.spec import taskinstance
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from ml_platform.airflow import trace_listener, traces


@pytest.fixture
def calls(monkeypatch):
    sent = []
    monkeypatch.setattr(traces, "of_task", lambda ti, error="": sent.append(error))
    return sent


@pytest.fixture
def hook():
    manager = ListenerManager()
    manager.add_hookspecs(taskinstance)
    manager.add_listener(trace_listener)
    return manager.hook


def test_a_task_that_ends_has_a_span(calls, hook):
    ti = Mock(spec=RuntimeTaskInstance)
    hook.on_task_instance_success(previous_state=None, task_instance=ti)
    hook.on_task_instance_failed(previous_state=None, task_instance=ti, error=ValueError("a secret"))
    hook.on_task_instance_failed(previous_state=None, task_instance=ti, error="a text")
    assert calls == ["", "ValueError", "failed"]


def test_the_scheduler_sends_none(calls, hook):
    hook.on_task_instance_failed(previous_state=None, task_instance=SimpleNamespace(), error=None)
    assert calls == []
