"""Servers and checks that are looked at side by side."""

import threading
import time
from collections.abc import Iterator

import pytest

from ml_platform.doctor import examination
from ml_platform.doctor.check import Check
from ml_platform.doctor.examination import Examination, Result
from ml_platform.doctor.servers import ServerLook
from stack.config import Config


def server(name: str, problem: object = None) -> ServerLook:
    def look() -> str | None:
        if isinstance(problem, threading.Event):
            problem.wait(10)
            return None
        return problem  # type: ignore[return-value]

    return ServerLook(name, "1.0", "", look, f"start {name}")


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def finished(one: Examination) -> Examination:
    deadline = time.monotonic() + 10
    while not one.is_done and time.monotonic() < deadline:
        time.sleep(0.01)
    return one


def test_what_servers_and_checks_find(config: Config) -> None:
    servers = [server("postgres"), server("mlflow", "connection refused")]
    checks = [
        Check("buckets exist", lambda config: [], "make them", ("postgres",)),
        Check("no file waits", lambda config: ["a waits", "b waits"], "read the log"),
        Check("models load", lambda config: [], "train", ("mlflow", "postgres")),
    ]
    done = finished(Examination(servers, checks, config))
    assert [done.of_server(one) for one in servers] == [
        Result("good"), Result("problem", ("connection refused",), "start mlflow"),
    ]  # fmt: skip
    assert [done.of_check(check) for check in checks] == [
        Result("good"), Result("problem", ("a waits", "b waits"), "read the log"),
        Result("unchecked", ("needs mlflow",)),
    ]  # fmt: skip


def test_a_slow_server_holds_up_only_what_needs_it(config: Config, release: threading.Event) -> None:
    slow, quick = server("slow", release), server("quick")
    needs_slow = Check("slow one", lambda config: [], "", ("slow",))
    needs_quick = Check("quick one", lambda config: [], "", ("quick",))
    begun = time.monotonic()
    one = Examination([slow, quick], [needs_slow, needs_quick], config)
    while one.of_check(needs_quick).state == "looking" and time.monotonic() < begun + 5:
        time.sleep(0.01)
    assert time.monotonic() - begun < 1
    assert [one.of_server(slow).state, one.of_server(quick).state] == ["looking", "good"]
    assert (one.of_check(needs_slow).state, one.of_check(needs_quick).state, one.is_done) == ("looking", "good", False)
    release.set()
    assert finished(one).of_check(needs_slow) == Result("good")


def test_what_looks_for_long_is_late(release: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "LATE", 0.0)
    slow = server("slow", release)
    assert Examination([slow], [], None).of_server(slow) == Result("late", ("no answer for 0 seconds",), "start slow")


def test_a_mistake_of_our_own_is_shown_and_does_not_hide_the_rest(config: Config) -> None:
    def mistaken(config: Config) -> list[str]:
        raise TypeError("a mistake")

    check = Check("one", mistaken, "tell us")
    found = finished(Examination([], [check], config)).of_check(check)
    assert found == Result("problem", ("this could not be looked at: TypeError: a mistake",), "tell us")


def test_without_settings_there_are_no_checks() -> None:
    one = finished(Examination([server("a")], [Check("one", lambda config: [], "")], None))
    assert (one.checks, one.is_done) == ((), True)
