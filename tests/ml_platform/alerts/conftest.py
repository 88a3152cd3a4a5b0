"""A mail server, a webhook, and the tables of the alerts, for tests on real servers."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from ml_platform.alerts import store
from ml_platform.specs.alerts import AlertOptions

PAGES = {"AIRFLOW_URL": "http://localhost:8082", "MLFLOW_URL": "http://localhost:5000"}


class Mailbox:
    """A handler of a mail server that keeps what comes."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 – aiosmtpd calls it
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


class Webhook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.is_away:  # type: ignore[attr-defined]
            self.send_response(503)
        else:
            self.server.posts.append(body)  # type: ignore[attr-defined]
            self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def mail_server() -> Iterator[Controller]:
    from tests.conftest import is_free

    port = next(port for port in range(22_100, 22_400) if is_free(port))
    controller = Controller(Mailbox(), hostname="127.0.0.1", port=port)
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def mailbox(mail_server: Controller) -> Mailbox:
    mail_server.handler.mails.clear()
    return mail_server.handler


@pytest.fixture
def webhook() -> Iterator[Any]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as server:
        server.posts, server.is_away = [], False  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def environment(webhook: Any) -> dict[str, str]:
    return PAGES | {"ALERTS_URL": f"json://127.0.0.1:{webhook.server_port}/hook"}


@pytest.fixture
def options(mail_server: Controller) -> AlertOptions:
    mail = {"kind": "mail", "host": "127.0.0.1", "port": mail_server.port, "security": "none"}
    mail |= {"sender": "platform@example.org", "to": ["ada@example.org"]}
    return AlertOptions.model_validate(
        {"channels": {"team": mail, "chat": {"kind": "url", "url_variable": "ALERTS_URL"}}}
    )


@pytest.fixture
def connection(servers: Any) -> Iterator[store.Connection]:
    """A connection with the role of the server; what was recorded is removed."""
    with closing(store.connect(servers.database_uri("platform"))) as owner:
        owner.execute("TRUNCATE monitoring.alerts, monitoring.alert_messages, monitoring.alert_watch CASCADE")
    with closing(store.connect(servers.database_uri("alerts", "platform"))) as opened:
        yield opened


@pytest.fixture
def airflow_tables(servers: Any) -> Iterator[store.Connection]:
    """The columns that the role may read, as Airflow's set-up grants them."""
    from stack.airflow_setup import READ_BY_ALERTS

    tables = {
        "dag": "dag_id text, is_stale boolean",
        "dag_run": "dag_id text, run_id text, state text, end_date timestamptz",
        "task_instance": "id uuid, dag_id text, run_id text, state text",
        "hitl_detail": "ti_id uuid, subject text, responded_at timestamptz",
    }
    with closing(store.connect(servers.database_uri("airflow"))) as owner:
        for table, columns in tables.items():
            owner.execute(f"CREATE TABLE {table} ({columns})")
            owner.execute(f"GRANT SELECT ({', '.join(READ_BY_ALERTS[table])}) ON {table} TO alerts")
        owner.execute("INSERT INTO dag VALUES ('train_auto', false)")
        yield owner
        owner.execute(f"DROP TABLE {', '.join(tables)}")
