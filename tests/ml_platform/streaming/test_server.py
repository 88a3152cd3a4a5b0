"""The server has a scorer for each data set that asks for one, and its health shows whether they work."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import Catalog
from ml_platform.specs.spec import Dataset
from ml_platform.streaming import server
from tests.ml_platform.ingestion.upload_cases import make_dataset

ONE, TWO = make_dataset("one", stream=True), make_dataset("two", stream=True)


class Scorer:
    """Stands for a scorer, which needs a broker."""

    made: list["Scorer"] = []  # noqa: RUF012 – emptied for each test

    def __init__(self, dataset: Dataset, *_: Any) -> None:
        self.dataset, self.rows, self.problem, self.beat = dataset, 0, None, time.monotonic()
        self.ended, self.failure = False, ""
        self.made.append(self)

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(0.01):
            if self.failure:
                raise ConfigurationError(self.failure)
        self.ended = True


@pytest.fixture(autouse=True)
def scorers(monkeypatch: pytest.MonkeyPatch) -> list[Scorer]:
    Scorer.made = []
    monkeypatch.setattr(server, "StreamScorer", Scorer)
    monkeypatch.setattr(server.LiveModels, "start", lambda self: None)
    monkeypatch.setattr(server.LiveModels, "stop", lambda self: None)
    monkeypatch.setattr(server, "LOOK_SECONDS", 0.01)
    monkeypatch.setenv("KAFKA_STREAM_SETTINGS", json.dumps({"bootstrap.servers": "h:1"}))
    return Scorer.made


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_scorers_follow_the_specs() -> None:
    streams = server.Streams()
    streams.start([ONE, TWO])
    changed = TWO.model_copy(update={"description": "changed"})
    streams.start([changed])
    one, two, later = Scorer.made
    assert (one.ended, two.ended, later.ended) == (True, True, False)
    assert later.dataset is changed
    assert set(streams.health()) == {"two"}
    streams.stop()
    assert later.ended


def test_without_a_stream_the_registry_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.registry, "champions", lambda: {"one": 1, "other": 2})
    streams = server.Streams()
    streams.start([ONE])
    assert streams._champions() == {"one": 1}
    monkeypatch.setattr(server.registry, "champions", lambda: pytest.fail("it was asked"))
    streams.start([])
    assert streams._champions() == {}
    assert streams.health() == {}


def test_health_says_which_scorer_works() -> None:
    streams = server.Streams()
    streams.start([ONE, TWO])
    Scorer.made[0].beat -= server.SILENT_SECONDS + 1
    assert [one["is_working"] for one in streams.health().values()] == [False, True]
    streams.stop()


def test_the_health_file_is_written_until_a_scorer_is_taken_over(tmp_path, scorers) -> None:
    path, errors = tmp_path / "health.json", list[str]()

    def run() -> None:
        try:
            server.serve(lambda: [ONE], health_file=path)
        except ConfigurationError as error:
            errors.append(str(error))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server.signal, "signal", lambda *_: None)  # only the main thread may
        thread = threading.Thread(target=run)
        thread.start()
        wait_for(path.exists)
        assert json.loads(path.read_text())["one"]["is_working"]
        scorers[0].failure = "another scorer has taken over"
        thread.join(30)
    assert errors == ["another scorer has taken over"]


def test_only_data_sets_that_say_so_are_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "catalog", lambda: Catalog((ONE, make_dataset("other")), (), ()))
    assert server.streamed() == [ONE]
