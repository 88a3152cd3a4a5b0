"""Disks, backups and servers."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ml_platform.alerts import machine

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
WEEK, MINUTES = timedelta(days=7), timedelta(minutes=2)
HEALTHY = {name: {"status": "healthy"} for name in ("metadatabase", "scheduler", "triggerer", "dag_processor")}


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as running:
        running.answer = (200, HEALTHY)  # type: ignore[attr-defined]
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def seen(
    addresses: dict[str, str], watch: machine.Servers, minutes: float, open_keys: tuple[str, ...] = ()
) -> list[str]:
    look = watch.look(addresses, MINUTES, open_keys, NOW + timedelta(minutes=minutes))
    return [cause.key for cause in look.causes]


@pytest.mark.sockets
def test_a_server_is_reported_after_a_while_and_until_it_answers(server: Any) -> None:
    watch, address = machine.Servers(), {"mlflow": f"http://127.0.0.1:{server.server_port}/health"}
    server.answer = (503, {})
    assert seen(address, watch, 0) == seen(address, watch, 1.9) == []
    assert seen(address, watch, 2) == ["mlflow"]
    assert seen(address, machine.Servers(), 2, ("mlflow",)) == ["mlflow"]  # a sender that has just started
    server.answer = (403, {})  # a store that asks for a key answers
    assert seen(address, watch, 3, ("mlflow",)) == []


@pytest.mark.sockets
def test_airflow_tells_about_its_components(server: Any) -> None:
    watch, address = machine.Servers(), {"airflow-api": f"http://127.0.0.1:{server.server_port}/"}
    server.answer = (200, HEALTHY | {"scheduler": {"status": "unhealthy"}})
    seen(address, watch, 0)
    assert seen(address, watch, 2) == ["airflow-scheduler"]
    server.answer = (500, {})
    assert seen(address, watch, 5, ("airflow-scheduler",)) == ["airflow-scheduler"]  # its end is not known
    assert seen(address, watch, 7, ("airflow-scheduler",)) == ["airflow-api", "airflow-scheduler"]
    server.answer = (200, HEALTHY)
    assert seen(address, watch, 9, ("airflow-scheduler", "airflow-api")) == []


@pytest.mark.parametrize(
    ("used", "is_open", "is_told"), [(89, False, False), (90, False, True), (89, True, True), (87, True, False)]
)
def test_a_disk_is_full_until_there_is_clearly_more_room(
    monkeypatch: pytest.MonkeyPatch, used: int, is_open: bool, is_told: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, used, 100 - used))  # type: ignore[attr-defined]
    assert bool(machine.disks(["/d"], 90, ["/d"] if is_open else []).causes) == is_told


def test_a_backup_gets_too_old(tmp_path: Path) -> None:
    def is_told(days: float) -> bool:
        return bool(machine.backups(tmp_path, WEEK, "7d", NOW + timedelta(days=days), NOW).causes)

    assert not is_told(6)  # the platform is younger than that
    assert is_told(8)
    (tmp_path / ".2026-05-09.partial").mkdir()
    (tmp_path / "2026-05-05T000000Z").mkdir()
    made = (NOW + timedelta(days=1)).timestamp()
    os.utime(tmp_path / "2026-05-05T000000Z", (made, made))
    assert not is_told(8)
    assert is_told(8.1)
    assert machine.backups(None, WEEK, "7d", NOW, NOW).causes == ()
    assert machine.backups(tmp_path, None, "", NOW + WEEK * 9, NOW).causes == ()
