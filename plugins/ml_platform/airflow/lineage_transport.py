"""Where events of OpenLineage go: a file per day, and a server if one is named. For our events and Airflow's.

A server that is away slows a process once, by `TIMEOUT`: after a failure it gets no events for a while. The file has
them all. `housekeeping` removes old files, because they are in the folder of logs.
"""

import json
import logging
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.configuration import conf
from openlineage.client.serde import Serde
from openlineage.client.transport import get_default_factory
from openlineage.client.transport.transport import Config, Transport

from ml_platform.specs.catalog import platform_options

log = logging.getLogger(__name__)

TIMEOUT = 2.0  # seconds, to connect and again to answer
PAUSE = 60.0  # seconds without a further attempt, after one that failed
FOLDER = "lineage"  # in the folder of Airflow's logs


class PlatformTransport(Transport):
    """Sends events where the options of the platform, or OPENLINEAGE__TRANSPORT, say."""

    kind = "ml_platform"
    config_class = Config

    def __init__(self, config: Config | None = None) -> None:
        """Read the options; `config` is what OpenLineage's factory passes, and is empty.

        Raises:
            ConfigurationError: the options of the platform are invalid.
            ValueError: OPENLINEAGE__TRANSPORT is no JSON.
        """
        options = platform_options().lineage
        server = server_config(options.url)
        self._writes_file = options.file
        self._server = get_default_factory().create(server) if server else None
        self._paused_until = 0.0
        self._lock = threading.Lock()  # of the server: while one thread waits for it, the others do not try too

    @property
    def is_wanted(self) -> bool:
        """Whether events go anywhere."""
        return self._writes_file or self._server is not None

    def emit(self, event: Any) -> None:
        """Write an event to the file of the day, and send it to the server.

        Raises:
            OSError: the file cannot be written.
        """
        if self._writes_file:
            _append(Serde.to_json(event))
        if self._server is not None:
            with self._lock:
                self._send(self._server, event)

    def _send(self, server: Transport, event: Any) -> None:
        if time.monotonic() < self._paused_until:
            return
        try:
            server.emit(event)
        except (OSError, RuntimeError, ValueError) as error:  # OSError: also every error of `requests`
            self._paused_until = time.monotonic() + PAUSE
            log.warning("lineage: the server gets no events for %.0f s: %s", PAUSE, type(error).__name__)


def server_config(url: str | None) -> dict[str, Any] | None:
    """Return the settings of the transport to a server; None if none is named.

    OPENLINEAGE__TRANSPORT wins over the options, and OPENLINEAGE_API_KEY is sent with the events.
    """
    if text := os.environ.get("OPENLINEAGE__TRANSPORT"):
        config: dict[str, Any] = json.loads(text)
        return config
    if not url:
        return None
    key = os.environ.get("OPENLINEAGE_API_KEY")
    auth = {"auth": {"type": "api_key", "apiKey": key}} if key else {}
    return {"type": "http", "url": url, "timeout": TIMEOUT, "retry": {"total": 0}, **auth}


def folder() -> Path:
    """Return the folder of the files of events."""
    return Path(conf.get("logging", "base_log_folder")) / FOLDER


def _append(line: str) -> None:
    """Append a line in one write, so that lines of several processes are never mixed."""
    folder().mkdir(parents=True, exist_ok=True)
    path = folder() / f"{datetime.now(UTC):%Y-%m-%d}.jsonl"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)
