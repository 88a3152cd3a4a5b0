"""Why a task failed, in one line: the error in its log, without the traceback."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import httpx

from ml_platform import exceptions
from stack.airflow_api import Airflow, AirflowError

OWN_WORDS = {"AirflowFailException"} | {
    name for name, kind in vars(exceptions).items() if isinstance(kind, type) and issubclass(kind, Exception)
}
BAD = ("error", "critical")
NO_LOG = "its log does not say why"
LONGEST = 500


def reason_of(api: Airflow, task: Mapping[str, Any]) -> str:
    """Return why a task instance failed. The log of a failed attempt does not change, so it is read once."""
    which = (task["dag_id"], task["dag_run_id"], task["task_id"], max(task["try_number"], 1), task["map_index"])
    try:
        return _reason(api, *which)
    except AirflowError as error:
        return f"its log cannot be read: {error.detail or error}"
    except httpx.ReadTimeout:
        return "its log could not be read in time"


@lru_cache(maxsize=256)
def _reason(api: Airflow, dag_id: str, run_id: str, task_id: str, attempt: int, map_index: int) -> str:
    return decisive_line(api.log_entries(dag_id, run_id, task_id, attempt, map_index))


def decisive_line(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the line of a log that says why its task failed.

    That is its last exception: of the platform's own errors the text, of others kind and text. A task that was killed
    has none; then it is the last error, or the last line.

    Args:
        entries: of the log, oldest first, as Airflow's API gives them.
    """
    for entry in reversed(entries):
        if stack := entry.get("error_detail"):
            return _line(_words(stack[0]["exc_type"], stack[0]["exc_value"]))
    lines = [entry["event"] for entry in entries if entry.get("level") in BAD] or _own_lines(entries)
    return _line(lines[-1]) if lines else NO_LOG


def _own_lines(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of the task; Airflow begins a log with a group of lines that say where it is stored."""
    ends = [number for number, entry in enumerate(entries) if entry["event"] == "::endgroup::"]
    return [entry["event"] for entry in entries[ends[0] + 1 if ends else 0 :] if not entry["event"].startswith("::")]


def _words(kind: str, text: str) -> str:
    if kind in OWN_WORDS and text.strip():
        return text
    return f"{kind}: {text}" if text.strip() else kind


def _line(text: str) -> str:
    """Return the first line, and how many follow."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return NO_LOG
    first = lines[0] if len(lines[0]) <= LONGEST else f"{lines[0][:LONGEST]}…"
    return first if len(lines) == 1 else f"{first} (and {len(lines) - 1} more)"
