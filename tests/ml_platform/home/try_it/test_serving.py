"""The HTTP service as a program calls it: its answers, its errors, and the same as curl and as Python."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from ml_platform.exceptions import ServiceError
from ml_platform.home.settings import HomeSettings
from ml_platform.home.try_it import serving

pytestmark = pytest.mark.sockets

TOKEN = "a-secret-token-of-the-service"
ROW = {"id": 1, "town": 'it\'s "$HOME" `x` ü', "age": None, "flag": True, "ratio": 0.1 + 0.2}
BAD = {
    "detail": "the request: 1 of 1 rows are bad",
    "errors": [{"row": 1, "field": "age", "value": "", "reason": "no"}],
}


class Service(BaseHTTPRequestHandler):
    """Answers with what it got."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        row = body["rows"][0]
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"detail": "a token is required"})
        elif row.get("id") is None:
            self._answer(422, BAD)
        else:
            self._answer(200, {"path": self.path, "predictions": [row]})

    def do_GET(self) -> None:
        self._answer(503, {"status": "unavailable", "models": {"shop": {"version": 3, "reason": "old"}}})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def settings() -> Iterator[HomeSettings]:
    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield home_settings(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


def home_settings(url: str, token: str = TOKEN) -> HomeSettings:
    return HomeSettings(
        home_hosts="localhost", home_admin_user="a", home_admin_password=SecretStr("p" * 8),
        home_session_key=SecretStr("k" * 32), serving_url=url, serving_token=SecretStr(token),
    )  # fmt: skip


def test_a_row_is_sent_as_it_is(settings: HomeSettings) -> None:
    answer = serving.predict(settings, "shop", ROW)
    assert (answer.status, answer.detail, answer.bad) == (200, "", ())
    assert answer.prediction == ROW
    assert answer.body["path"] == "/v1/shop/predict?explain=5"


def test_the_reasons_of_a_refusal_are_kept(settings: HomeSettings) -> None:
    answer = serving.predict(settings, "shop", {"id": None})
    assert (answer.status, answer.detail) == (422, BAD["detail"])
    assert answer.bad == (serving.BadField("age", "", "no"),)
    assert serving.predict(home_settings(settings.serving_url, "x"), "shop", ROW).detail == "a token is required"


def test_the_version_that_answers(settings: HomeSettings) -> None:
    assert serving.state(settings, "shop") == (3, "old")
    assert serving.state(settings, "other") == (None, None)


def test_a_service_that_is_away_is_an_outage() -> None:
    away = home_settings("http://127.0.0.1:1")
    for call in (lambda: serving.predict(away, "shop", ROW), lambda: serving.state(away, "shop")):
        with pytest.raises(ServiceError, match=r"http://127\.0\.0\.1:1"):
            call()


def test_curl_and_python_send_the_same_row(settings: HomeSettings) -> None:
    curl = serving.as_curl(settings.serving_url, "shop", ROW)
    python = serving.as_python(settings.serving_url, "shop", ROW)
    assert TOKEN not in curl + python
    environment = os.environ | {"SERVING_TOKEN": TOKEN}
    answer = subprocess.run(["/bin/sh", "-c", curl], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["predictions"] == [ROW]
    program = [sys.executable, "-c", python]
    printed = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == str(ROW)
