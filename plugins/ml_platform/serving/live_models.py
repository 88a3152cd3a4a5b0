"""The models that answer: what the alias `champion` names, loaded beside the old one and swapped when it is sound."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException

from ml_platform.exceptions import RegistryError
from ml_platform.registry import registry
from ml_platform.registry.loaded_model import LoadedModel

log = logging.getLogger(__name__)

INTERVAL = 2.0  # seconds between two looks at the registry
RETRY = 10.0  # seconds until a version that could not be loaded is tried again
LAST_LOOK = 5.0  # seconds that the end of the service waits for a look that is being taken

Status = Literal["ok", "degraded", "unavailable"]


@dataclass(frozen=True)
class Live:
    """What answers for one data set.

    Attributes:
        model: the verified model; None if none could be loaded yet.
        wanted: the version that the alias names; None if it names none any more.
        problem: why `model` is not that version, or not known to be it.
        since: when `model` began to answer.
    """

    model: LoadedModel | None
    wanted: int | None
    problem: str | None
    since: datetime | None

    @property
    def status(self) -> Status:
        """Whether it answers with the version that the alias names, with another one, or not at all."""
        if self.model is None:
            return "unavailable"
        return "degraded" if self.problem else "ok"


class LiveModels:
    """Follows the registry in a thread of its own. What it holds is replaced whole, never changed."""

    def __init__(
        self,
        champions: Callable[[], Mapping[str, int]] = registry.champions,
        load: Callable[[str, int], LoadedModel] = lambda name, version: registry.load(
            registry.get_version(name, version)
        ),
    ) -> None:
        """Begin with no model.

        Args:
            champions: returns the version that is live, by name of the model.
            load: returns a checked version of a model.
        """
        self._champions, self._load = champions, load
        self._live: Mapping[str, Live] = {}
        self._outage: str | None = "the registry was not asked yet"
        self._tried: dict[tuple[str, int], float] = {}
        self._without_alias: set[str] = set()  # a version of the same number may be another one since then
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="live-models", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End it, after the look that is being taken."""
        self._stop.set()
        self._thread.join(timeout=LAST_LOOK)

    @property
    def is_following(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def all(self) -> dict[str, Live]:
        """Return what answers, by data set; while the registry is away, all of it is degraded."""
        live, outage = self._live, self._outage
        return {name: replace(one, problem=one.problem or outage) for name, one in sorted(live.items())}

    def model(self, name: str) -> LoadedModel | None:
        """Return the model that answers for a data set now."""
        found = self._live.get(name)
        return found.model if found else None

    def refresh(self) -> None:
        """Look once at the registry, and load what is new."""
        try:
            champions = self._champions()
        except (MlflowException, OSError) as error:
            self._outage = f"MLflow cannot be asked which version is live: {error}"
            log.warning("%s", self._outage)
            return
        self._outage = None
        for name in {*self._live, *champions}:
            self._live = {**self._live, name: self._next(name, champions.get(name))}

    def _next(self, name: str, wanted: int | None) -> Live:
        live = self._live.get(name, Live(None, None, None, None))
        if wanted is None:
            self._without_alias.add(name)
            return replace(live, wanted=None, problem="no version has the alias champion any more")
        if live.model and live.model.version == wanted and name not in self._without_alias:
            return replace(live, wanted=wanted, problem=None)
        if time.monotonic() - self._tried.get((name, wanted), -RETRY) < RETRY:
            return replace(live, wanted=wanted)
        try:
            model = self._load(name, wanted)
            _try_out(model)
        except Exception as error:  # noqa: BLE001 – whatever one model's files do, the others are followed on
            self._tried[name, wanted] = time.monotonic()
            log.warning("%s version %d is not taken over: %s", name, wanted, error)
            return replace(live, wanted=wanted, problem=f"version {wanted} is not taken over: {error}")
        self._without_alias.discard(name)
        log.info("%s: version %d answers from now on", name, wanted)
        return Live(model, wanted, None, datetime.now(UTC))

    def _follow(self) -> None:
        while True:
            self.refresh()
            if self._stop.wait(INTERVAL):
                return


def _try_out(model: LoadedModel) -> None:
    """Let a model score a row of which nothing is known: whatever it builds at first use is built, and it answers."""
    probabilities, _ = model.predict(pd.DataFrame({"": [None]}))
    if not np.isfinite(probabilities).all():
        raise RegistryError("it gives probabilities that are no numbers")
