"""The page Servers, drawn without a browser."""

import threading
import time
from collections.abc import Iterator

import pytest
import streamlit as st

from ml_platform.doctor.check import Check
from ml_platform.doctor.servers import ServerLook
from ml_platform.home.views import servers
from stack.config import Config
from tests.ml_platform.home.conftest import Draw

CHECKS = (
    Check("all buckets exist", lambda config: [], "make them"),
    Check("no file waits", lambda config: ["a [b](http://evil) waits"], "read the log", ("postgres",)),
    Check("models load", lambda config: ["no"], "train", is_heavy=True),
)


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch, config: Config) -> Iterator[threading.Event]:
    """Return the event for which the server `feast` waits."""
    event = threading.Event()
    event.set()
    looks = [
        ServerLook("postgres", "18.6", "", lambda: None, ""),
        ServerLook("feast", "0.67", "http://localhost:8888", lambda: None if event.wait(10) else "", ""),
        ServerLook("mlflow", "3.17", "", lambda: "<b>refused</b>", "`make up`"),
    ]
    monkeypatch.setattr(servers, "CHECKS", CHECKS)
    monkeypatch.setattr(servers, "server_looks", lambda config: looks)
    monkeypatch.setattr(servers, "known_config", lambda: config)
    st.cache_resource.clear()
    yield event
    event.set()


def test_servers_checks_and_what_to_do(draw: Draw) -> None:
    draw("servers")
    time.sleep(0.2)
    page = draw("servers")
    assert page.error[0].value == "2 problems found."
    assert [one.value for one in page.text] == [
        "postgres", "18.6", "", "feast", "0.67", "mlflow", "3.17", "", "no file waits", "all buckets exist",
    ]  # fmt: skip
    assert [one.value for one in page.code] == ["<b>refused</b>", "a [b](http://evil) waits"]
    assert "To fix it: `make up`." in [one.value for one in page.caption]


def test_a_slow_server_does_not_hold_up_the_page(draw: Draw, slow: threading.Event) -> None:
    slow.clear()
    draw("servers")
    time.sleep(0.2)
    begun = time.monotonic()
    page = draw("servers")
    assert time.monotonic() - begun < 5
    assert page.markdown[1].value == ":material/hourglass_top: being looked at"
    assert "1 look not finished yet." in [one.value for one in page.caption]


def test_in_a_container_the_command_is_named(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "known_config", lambda: None)
    page = draw("servers")
    assert "`./ml-platform doctor`" in page.info[0].value


def test_what_is_heavy_is_looked_at_on_demand(draw: Draw) -> None:
    page = draw("servers")
    page.toggle(key="heavy checks").set_value(True).run()
    assert "models load" in [one.value for one in page.text]
