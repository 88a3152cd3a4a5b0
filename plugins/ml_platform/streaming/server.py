"""The server of the streams: a scorer for each data set that says `stream: true`, and a file that shows its health."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from ml_platform import logs
from ml_platform.exceptions import ConfigurationError
from ml_platform.registry import registry
from ml_platform.scoring.live_models import LiveModels
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset
from ml_platform.streaming.log import StreamLog
from ml_platform.streaming.scorer import StreamScorer
from ml_platform.streaming.topics import client_settings

LOOK_SECONDS = 2.0  # between two looks at the specs and the scorers
SILENT_SECONDS = 120.0  # a scorer without a round for so long hangs


class Streams:
    """The scorers of some data sets, each in a thread."""

    def __init__(self, instance: str = "0") -> None:
        """Start nothing yet."""
        self._instance = instance
        self._settings = client_settings("stream")
        self._names: frozenset[str] = frozenset()
        self._live = LiveModels(champions=self._champions)
        self._running: dict[str, tuple[StreamScorer, threading.Thread, threading.Event]] = {}
        self.failure: str | None = None

    def _champions(self) -> dict[str, int]:
        if not self._names:  # the registry need not be asked
            return {}
        return {name: version for name, version in registry.champions().items() if name in self._names}

    def start(self, datasets: Iterable[Dataset]) -> None:
        """Start the scorers of these data sets, stop those of others, and start those again whose spec has changed."""
        wanted = {dataset.name: dataset for dataset in datasets}
        self._names = frozenset(wanted)
        for name, (scorer, _, _) in list(self._running.items()):
            if wanted.get(name) != scorer.dataset:
                self._end([name])
        for name, dataset in wanted.items():
            if name not in self._running:
                self._running[name] = self._started(dataset)

    def _started(self, dataset: Dataset) -> tuple[StreamScorer, threading.Thread, threading.Event]:
        name, stop = dataset.name, threading.Event()
        predictions = StreamLog()
        scorer = StreamScorer(
            dataset, self._settings, lambda: self._live.model(name), predictions.write, self._instance
        )
        thread = threading.Thread(
            target=self._run, args=(scorer, predictions, stop), name=f"stream-{name}", daemon=True
        )
        thread.start()
        return scorer, thread, stop

    def _run(self, scorer: StreamScorer, predictions: StreamLog, stop: threading.Event) -> None:
        logs.bind(dataset=scorer.dataset.name)
        try:
            with closing(predictions):
                scorer.run(stop)
        except ConfigurationError as error:
            self.failure = str(error)

    def follow(self) -> None:
        """Follow the live models."""
        self._live.start()

    def stop(self) -> None:
        """Stop all scorers, each after its transaction."""
        self._end(list(self._running))
        self._live.stop()

    def _end(self, names: list[str]) -> None:
        for name in names:
            self._running[name][2].set()
        for name in names:
            self._running.pop(name)[1].join()

    def health(self) -> dict[str, dict[str, object]]:
        """Return for each data set the number of rows, the problem, and whether its scorer works."""
        now = time.monotonic()
        return {
            name: {
                "rows": scorer.rows,
                "problem": scorer.problem,
                "is_working": thread.is_alive() and now - scorer.beat < SILENT_SECONDS,
            }
            for name, (scorer, thread, _) in self._running.items()
        }


def streamed() -> list[Dataset]:
    """Return the data sets whose spec says `stream: true`."""
    return [dataset for dataset in catalog().datasets if dataset.stream]


def serve(datasets: Callable[[], list[Dataset]], instance: str = "0", health_file: Path | None = None) -> None:
    """Run until a signal stops it; rows in progress are answered first.

    Args:
        datasets: returns the data sets to score now.
        instance: tells scorers of the same data set apart.
        health_file: is written every few seconds while all scorers work.

    Raises:
        ConfigurationError: there are no settings for Kafka, or another scorer with this name has taken over.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    streams = Streams(instance)
    streams.start(datasets())
    streams.follow()
    try:
        while not stop.wait(LOOK_SECONDS):
            streams.start(datasets())
            health = streams.health()
            if streams.failure:
                raise ConfigurationError(streams.failure)
            if health_file and all(one["is_working"] for one in health.values()):
                _write(health_file, json.dumps(health))
    finally:
        streams.stop()


def _write(path: Path, text: str) -> None:
    """Replace a file at once, so that nobody reads half of it."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


def main() -> None:
    """Serve all data sets that say `stream: true`."""
    logs.configure()
    path = os.environ.get("STREAM_HEALTH_FILE")
    serve(streamed, health_file=Path(path) if path else None)
