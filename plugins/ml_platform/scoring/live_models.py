"""The models that answer: each follows the alias `champion`, and only a version that passes its checks replaces it."""

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

from ml_platform import logs
from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.registry import registry, version_records
from ml_platform.registry.loaded_model import LoadedModel

log = logging.getLogger(__name__)

INTERVAL = 2.0  # seconds between two requests to the registry
RETRY = 10.0  # seconds until a version that could not be loaded is tried again
STOP_TIMEOUT = 5.0  # seconds to wait for a request to the registry when the service stops

Status = Literal["ok", "degraded", "unavailable"]


@dataclass(frozen=True)
class ServedModel:
    """The model that answers for one data set, and its state.

    Attributes:
        model: the verified model; None if no version could be loaded yet.
        live_version: the version that the alias names; None if the alias was removed.
        problem: why `model` is not, or may not be, that version; None if it is.
        since: when `model` began to answer.
    """

    model: LoadedModel | None
    live_version: int | None
    problem: str | None
    since: datetime | None

    @property
    def status(self) -> Status:
        """Return ok if it answers with the live version, degraded with another one, unavailable without any."""
        if self.model is None:
            return "unavailable"
        return "degraded" if self.problem else "ok"


class LiveModels:
    """Follows the registry in a thread. The mapping of models is replaced, never changed: readers need no lock."""

    def __init__(
        self,
        champions: Callable[[], Mapping[str, int]] = registry.champions,
        load: Callable[[str, int], LoadedModel] = lambda name, version: registry.load_live(
            registry.get_version(name, version)
        ),
        last_live: Callable[[str], int | None] = version_records.last_live,
    ) -> None:
        """Start with no models.

        Args:
            champions: returns the live version of each model, by its name.
            load: returns a verified version of a model.
            last_live: returns the version that the platform made live last.
        """
        self._champions, self._load, self._last_live = champions, load, last_live
        self._live: Mapping[str, ServedModel] = {}
        self._outage: str | None = "the registry was not read yet"
        self._failed_at: dict[tuple[str, int], float] = {}
        self._without_alias: set[str] = set()  # these are loaded again: a new model may have the same version number
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="live-models", daemon=True)

    def start(self) -> None:
        """Start to follow the registry."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, after a request to the registry that is in progress."""
        self._stop.set()
        self._thread.join(timeout=STOP_TIMEOUT)

    @property
    def is_following(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    def all(self) -> dict[str, ServedModel]:
        """Return the models by data set; all are degraded while the registry is not available."""
        live, outage = self._live, self._outage
        return {name: replace(served, problem=served.problem or outage) for name, served in sorted(live.items())}

    def model(self, name: str) -> LoadedModel | None:
        """Return the model that answers for a data set now; None if there is none."""
        served = self._live.get(name)
        return served.model if served else None

    def refresh(self) -> None:
        """Read the aliases once and load new versions."""
        try:
            champions = self._champions()
        except (MlflowException, OSError) as error:
            self._outage = f"MLflow cannot be read, so the live version is unknown: {error}"
            log.warning("%s", self._outage)
            return
        self._outage = None
        for name in {*self._live, *champions}:
            with logs.bound(dataset=name, model=champions.get(name)):
                self._live = {**self._live, name: self._next(name, champions.get(name))}

    def _next(self, name: str, version: int | None) -> ServedModel:
        served = self._live.get(name, ServedModel(None, None, None, None))
        if version is None:
            self._without_alias.add(name)
            return replace(served, live_version=None, problem="no version has the alias champion any more")
        if served.model and served.model.version == version and name not in self._without_alias:
            return replace(served, live_version=version, problem=None)
        if time.monotonic() - self._failed_at.get((name, version), -RETRY) < RETRY:
            return replace(served, live_version=version)
        model, problem = self._verified(name, version)
        if model:
            self._without_alias.discard(name)
            log.info("%s: version %d answers now", name, version)
            return ServedModel(model, version, None, datetime.now(UTC))
        self._failed_at[name, version] = time.monotonic()
        if served.model is None and (model := self._fallback(name, version)):
            log.info("%s: version %d, which the platform made live last, answers", name, model.version)
            return ServedModel(model, version, problem, datetime.now(UTC))
        return replace(served, live_version=version, problem=problem)

    def _verified(self, name: str, version: int) -> tuple[LoadedModel | None, str | None]:
        try:
            model = self._load(name, version)
            _smoke_test(model)
        except Exception as error:  # noqa: BLE001 – an error in one model's files must not stop the others
            log.warning("%s: version %d is not used: %s", name, version, error)
            return None, f"version {version} is not used: {error}"
        return model, None

    def _fallback(self, name: str, version: int) -> LoadedModel | None:
        """Return the last version that the platform made live, for a service that starts when the alias is wrong."""
        try:
            last = self._last_live(name)
        except ServiceError as error:
            log.warning("%s: %s", name, error)
            return None
        return None if last is None or last == version else self._verified(name, last)[0]

    def _follow(self) -> None:
        while True:
            self.refresh()
            if self._stop.wait(INTERVAL):
                return


def _smoke_test(model: LoadedModel) -> None:
    """Score one row of missing values. This also builds what the model builds at its first use.

    Raises:
        RegistryError: the model cannot score, or gives no finite output.
    """
    outputs, _ = model.predict(pd.DataFrame({"": [None]}))
    if not np.isfinite(outputs).all():
        raise RegistryError("it gives outputs that are not finite numbers")
