"""Does a registered model answer in a fresh process? `python -m ml_platform.promotion.smoke_test` is that process.

A model that was just fitted proves nothing about its files, and one that crashes must not take the gate with it.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.entities.model_registry import ModelVersion
from numpy.typing import NDArray

from ml_platform import ROOT
from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.registry import registry
from ml_platform.registry.loaded_model import LoadedModel

TOLERANCE = 1e-9  # between two processors, or two orders of the rows, in a probability
TIMEOUT = 300  # seconds, of which loading the libraries takes about five
FROM_OUTSIDE = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL}  # of Airflow, or for want of memory
ROWS, EXPECTED, ANSWER = "rows.parquet", "expected.npy", "answer.json"


def check(version: ModelVersion, features: pd.DataFrame, expected: NDArray[np.float64]) -> None:
    """Load a version in a fresh process and have it score rows, as `problem` says.

    Args:
        version: of the registered model.
        features: what it was trained on by name, shape (n_rows, n_features).
        expected: the probabilities that it gave to these rows when it was trained.

    Raises:
        RegistryError: it cannot be loaded, answers otherwise than it did, crashes, or takes longer than TIMEOUT.
        ServiceError: the process failed for a reason that is not the model's, such as a registry that is away, or was
            ended from outside.
    """
    with tempfile.TemporaryDirectory() as folder:
        features.to_parquet(Path(folder) / ROWS, index=False)
        np.save(Path(folder) / EXPECTED, expected)
        found = _ask([version.name, version.version, folder])
        if -found.returncode in FROM_OUTSIDE:
            raise ServiceError(
                f"{version.name} version {version.version} could not be asked: the process that loaded it was ended "
                f"from outside, by signal {-found.returncode}; if by 9, look whether the memory suffices"
            )
        if found.returncode < 0:
            raise RegistryError(f"the process that loaded it was ended by signal {-found.returncode}")
        if found.returncode > 0:
            last = (found.stderr.strip().splitlines() or ["no message"])[-1]
            raise ServiceError(f"{version.name} version {version.version} could not be asked: {last}")
        if text := json.loads((Path(folder) / ANSWER).read_text(encoding="utf-8"))["problem"]:
            raise RegistryError(text)


def _ask(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    library = str(ROOT / "plugins")
    path = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-P", "-m", "ml_platform.promotion.smoke_test", *arguments]
    try:
        return subprocess.run(  # noqa: S603 – this very program, without a shell
            command, env=os.environ | {"PYTHONPATH": path}, timeout=TIMEOUT, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        raise RegistryError(f"in a fresh process it gave no answer within {TIMEOUT} s") from None


def problem(model: LoadedModel, features: pd.DataFrame, expected: NDArray[np.float64]) -> str | None:
    """Return what is wrong with a model's answers, or None.

    It must take just these columns, give finite probabilities, the same as at training, and the same whatever the order
    of rows and columns.
    """
    if different := sorted(set(model.columns) ^ set(features.columns)):
        return f"its columns are not those of the training set: {different} are in one of them only"
    probabilities, _ = model.predict(features)
    if not np.isfinite(probabilities).all():
        return "it gives probabilities that are no numbers"
    if not _same(probabilities, expected):
        return "loaded back, it does not predict what it did when it was trained"
    if not _same(model.predict(features[::-1])[0][::-1], probabilities):
        return "its predictions depend on the order of the rows"
    if not _same(model.predict(features[features.columns[::-1]])[0], probabilities):
        return "its predictions depend on the order of the columns"
    return None


def _same(left: NDArray[np.float64], right: NDArray[np.float64]) -> bool:
    return left.shape == right.shape and np.allclose(left, right, rtol=0, atol=TOLERANCE)


def main(name: str, number: str, folder: str) -> None:
    """Write into a folder what is wrong with a version's answers to the rows that lie there."""
    there = Path(folder)
    try:
        model = registry.load(registry.get_version(name, int(number)))
        text = problem(model, pd.read_parquet(there / ROWS), np.load(there / EXPECTED))
    except RegistryError as error:
        text = str(error)
    (there / ANSWER).write_text(json.dumps({"problem": text}), encoding="utf-8")


if __name__ == "__main__":
    # MLflow's client loads a plugin that Feast brings, if it can; to import it takes longer than all that is done here.
    sys.modules["feast"] = None  # type: ignore[assignment] # so that it cannot
    main(*sys.argv[1:])
