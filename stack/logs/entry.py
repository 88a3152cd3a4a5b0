"""An entry of a log: from a line that a server wrote, as JSON or as text, to a line for people or for programs."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stack.logs.times import begin_of

TASKS = "tasks"  # stands for a server: the logs of Airflow's tasks
IDS = {"dag_id": "dag", "run_id": "run", "task_id": "task", "try_number": "try", "attempt": "try"}
NOT_SHOWN = ("filename", "lineno", "func_name", "loc", "ti_id", "pid")
OF_ENTRY = ("timestamp", "level", "event", "logger", "exception", "error_detail")
LEVEL = re.compile(r"\b(DEBUG|INFO|LOG|NOTICE|WARN|WARNING|ERROR|FATAL|CRIT|CRITICAL|PANIC)\b")
LEVELS = {
    "log": "info",
    "notice": "info",
    "warn": "warning",
    "fatal": "critical",
    "crit": "critical",
    "panic": "critical",
}
OF_GO = {"D": "debug", "I": "info", "W": "warning", "E": "error", "F": "critical"}
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # names of files may hold some, which a terminal would obey


@dataclass(frozen=True)
class Entry:
    """What a server wrote.

    Attributes:
        server: its name, or `TASKS`.
        time: in UTC.
        text: the message, with a traceback in further lines.
        level: debug, info, warning, error or critical; empty if the line has none.
        logger: the part of the program that wrote it.
        fields: ids, such as those of DAG, run, task, file and model, and other values.
        is_copy: whether it is in the log of a task, too.
    """

    server: str
    time: datetime
    text: str
    level: str = ""
    logger: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    is_copy: bool = False

    def line(self) -> str:
        """Return it for people."""
        time = f"{self.time:%Y-%m-%dT%H:%M:%S}.{self.time.microsecond // 1000:03}Z"
        fields = "".join(f"  {name}={value}" for name, value in self.fields.items())
        first, *more = CONTROL.sub("?", self.text).split("\n")
        return "\n    ".join([f"{time} {self.server:<21} {self.level:<8} {first}{CONTROL.sub('?', fields)}", *more])

    def json(self) -> str:
        """Return it for programs."""
        own = {"time": self.time.isoformat(), "server": self.server, "level": self.level, "logger": self.logger}
        return json.dumps({**self.fields, **own, "message": self.text}, ensure_ascii=False)


def parse(server: str, line: str, last: datetime) -> Entry:
    """Return the entry of a line.

    Args:
        server: its name.
        line: without its end.
        last: the time of the line before it, for a line without a time.
    """
    if line.startswith("{"):
        try:
            content = json.loads(line)
        except ValueError:
            content = None
        if isinstance(content, dict) and "event" in content:
            return _of_json(server, content, last)
    return _of_text(server, COLOUR.sub("", line), last)


def _of_json(server: str, content: dict[str, Any], last: datetime) -> Entry:
    is_copy = "ti_id" in content and "try_number" in content
    time, _ = begin_of(str(content.get("timestamp", "")), last.year)
    fields = {
        IDS.get(name, name): str(value)
        for name, value in content.items()
        if name not in NOT_SHOWN and name not in OF_ENTRY and value is not None and (name, value) != ("map_index", -1)
    }
    text = "\n".join(filter(None, [str(content["event"]), _traceback(content)]))
    level, logger = (str(content.get(name, "")) for name in ("level", "logger"))
    return Entry(TASKS if is_copy else server, time or last, text, level, logger, fields, is_copy)


def _traceback(content: dict[str, Any]) -> str:
    """Return the text of an exception: our servers write it as it is, Airflow's as a list with the causes."""
    found = content.get("exception") or content.get("error_detail") or ""
    if isinstance(found, str):
        return found
    return "\n".join(
        f"{'caused by ' if number else ''}{error.get('exc_type')}: {error.get('exc_value')}"
        for number, error in enumerate(found)
    )


def _of_text(server: str, line: str, last: datetime) -> Entry:
    time, text = begin_of(line, last.year)
    if time and (level := OF_GO.get(line[0])):
        return Entry(server, time, text, level)
    found = LEVEL.search(text[:80])
    level = found[1].lower() if found else ""
    return Entry(server, time or last, text, LEVELS.get(level, level))
