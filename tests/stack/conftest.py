"""Settings without variables of the caller, a small HTTP server, and a folder of policies."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Settings as a first start makes them; nothing runs."""
    from stack import secrets
    from stack.config import load

    for key in (*secrets.read(secrets.EXAMPLE), "ENV_FILE", "TARGET"):
        monkeypatch.delenv(key, raising=False)
    return load(tmp_path / ".env")


class JsonHandler(BaseHTTPRequestHandler):
    """Answer every request with `server.answer`, a status and a JSON value; `server.paths` has the requests.

    `server.logins` has their headers `Authorization`.
    """

    def do_GET(self):
        self.server.paths.append(self.path)
        self.server.logins.append(self.headers.get("Authorization"))
        status, body = self.server.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    do_POST = do_GET  # noqa: N815 – the name that http.server calls

    def log_message(self, *_):
        pass


@pytest.fixture
def http_server() -> Iterator[HTTPServer]:
    """A server on a free port of this machine; tests that use it need the marker `sockets`."""
    with HTTPServer(("127.0.0.1", 0), JsonHandler) as running:
        running.answer, running.paths, running.logins = (200, {}), [], []
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        running.url = f"http://127.0.0.1:{running.server_port}"
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def policy(tmp_path):
    """Return a function that makes a folder with the buckets `in` and `out` and a policy `some` of statements."""

    def make_folder(*statements, version="2012-10-17"):
        (tmp_path / "buckets").write_text("in\nout\n")
        (tmp_path / "policies").mkdir(exist_ok=True)
        text = json.dumps({"Version": version, "Statement": statements})
        (tmp_path / "policies" / "some.json").write_text(text)
        return tmp_path

    return make_folder
