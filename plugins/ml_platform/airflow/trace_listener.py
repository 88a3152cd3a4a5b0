"""What Airflow calls when a task ends, in the process of the task: its span is sent, if traces are on."""

from typing import Any

from airflow.listeners import hookimpl


@hookimpl
def on_task_instance_success(previous_state: Any, task_instance: Any) -> None:
    """Send the span of a task that succeeded."""
    _send(task_instance)


@hookimpl
def on_task_instance_failed(previous_state: Any, task_instance: Any, error: Any) -> None:
    """Send the span of a task that failed; of the error only its kind, because its text may hold anything."""
    _send(task_instance, type(error).__name__ if isinstance(error, BaseException) else "failed")


def _send(task_instance: Any, error: str = "") -> None:
    """Send a span, but not for the scheduler, which calls these for tasks whose process was killed."""
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    if isinstance(task_instance, RuntimeTaskInstance):
        from ml_platform.airflow import traces

        traces.of_task(task_instance, error=error)
