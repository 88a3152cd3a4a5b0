"""The logs of our servers: a line of JSON for each entry, with the ids of what the entry is about.

Ids are bound once, where a file, a run or a request begins, and are in every entry after that. The names are `dataset`,
`file` (a key), `upload` (the first digits of the file's SHA-256) and `model` (a version). Airflow adds those of DAG,
run, task and attempt to the entries of its tasks; its own entries have the same fields and the same form.
"""

import logging.config
import sys
from contextlib import AbstractContextManager

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

SHORT = 12  # digits of a SHA-256 that name an upload
LEVEL = "INFO"


def bind(**ids: object) -> None:
    """Add ids to all entries that follow in this task, thread or request."""
    structlog.contextvars.bind_contextvars(**ids)


def bound(**ids: object) -> AbstractContextManager[None]:
    """Add ids to the entries within a `with` block."""
    return structlog.contextvars.bound_contextvars(**ids)


def configure() -> None:
    """Let this process write its entries to its standard output."""
    handler = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "entries"}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"entries": {"()": formatter}},
            "handlers": {"output": handler},
            "root": {"level": LEVEL, "handlers": ["output"]},
        }
    )


def formatter() -> ProcessorFormatter:
    """Return what makes a text of an entry: JSON, and at a terminal a line for people.

    `stack/servers/uvicorn_log.json` names it, too.
    """
    add: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,  # without the values of variables
    ]
    renderer = structlog.dev.ConsoleRenderer() if sys.stdout.isatty() else structlog.processors.JSONRenderer()
    return ProcessorFormatter(foreign_pre_chain=add, processors=[ProcessorFormatter.remove_processors_meta, renderer])
