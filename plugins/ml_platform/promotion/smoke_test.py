"""The smoke test of a registered model: a new process loads it from its files and predicts known rows.

The process is `python -m ml_platform.promotion.smoke_test`. The model in memory proves nothing about the files, and a
model that crashes must not crash the gate.
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

TOLERANCE = 1e-9  # of a probability, and as a share of a number: between two processors, or two orders of the rows
TIMEOUT = 300  # seconds; loading the libraries takes about five of them
FROM_OUTSIDE = {
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGKILL,
}  # from Airflow, a person, or Linux when memory runs out
ROWS, EXPECTED, ANSWER = "rows.parquet", "expected.npy", "answer.json"


def check(version: ModelVersion, features: pd.DataFrame, expected: NDArray[np.float64]) -> None:
    """Load a version in a new process and check its predictions with `find_problem`.

    Args:
        version: of the registered model.
        features: columns by the names used at training, shape (n_rows, n_features).
        expected: its outputs for these rows at training, shape (n_rows,) or (n_rows, n_classes).

    Raises:
        RegistryError: it cannot be loaded, predicts something else, crashes, or takes longer than TIMEOUT.
        ServiceError: the process failed for another reason: the registry is away, or the process was ended from
            outside.
    """
    with tempfile.TemporaryDirectory() as folder:
        features.to_parquet(Path(folder) / ROWS, index=False)
        np.save(Path(folder) / EXPECTED, expected)
        process = _run_process([version.name, version.version, folder])
        if -process.returncode in FROM_OUTSIDE:
            raise ServiceError(
                f"{version.name} version {version.version} could not be checked: the process that loaded it was "
                f"ended from outside, by signal {-process.returncode}; if it is 9, check whether there is enough memory"
            )
        if process.returncode < 0:
            raise RegistryError(f"the process that loaded it was ended by signal {-process.returncode}")
        if process.returncode > 0:
            last = (process.stderr.strip().splitlines() or ["no message"])[-1]
            raise ServiceError(f"{version.name} version {version.version} could not be checked: {last}")
        if text := json.loads((Path(folder) / ANSWER).read_text(encoding="utf-8"))["problem"]:
            raise RegistryError(text)


def _run_process(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    library = str(ROOT / "plugins")
    path = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-P", "-m", "ml_platform.promotion.smoke_test", *arguments]
    try:
        return subprocess.run(  # noqa: S603 – this very program, without a shell
            command, env=os.environ | {"PYTHONPATH": path}, timeout=TIMEOUT, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        raise RegistryError(f"in a new process it gave no predictions within {TIMEOUT} s") from None


def find_problem(model: LoadedModel, features: pd.DataFrame, expected: NDArray[np.float64]) -> str | None:
    """Return the problem with a model's predictions, or None.

    The model must have exactly these columns. Its outputs must be finite, the same as at training, and
    independent of the order of rows and columns.
    """
    if different := sorted(set(model.columns) ^ set(features.columns)):
        return f"its columns are not those of the training set: {different} are in one of them only"
    outputs, _ = model.predict(features)
    if not np.isfinite(outputs).all():
        return "some of its outputs are not finite numbers"
    if not _same(outputs, expected):
        return "loaded from its files, it does not predict the same as at its training"
    if not _same(model.predict(features[::-1])[0][::-1], outputs):
        return "its predictions depend on the order of the rows"
    if not _same(model.predict(features[features.columns[::-1]])[0], outputs):
        return "its predictions depend on the order of the columns"
    return None


def _same(left: NDArray[np.float64], right: NDArray[np.float64]) -> bool:
    return left.shape == right.shape and np.allclose(left, right, rtol=TOLERANCE, atol=TOLERANCE)


def main(name: str, number: str, folder: str) -> None:
    """Write the problem of a version's predictions for the rows in a folder, or None, into that folder."""
    path = Path(folder)
    try:
        model = registry.load_copy(registry.get_version(name, int(number)))  # the caller knows its digest
        text = find_problem(model, pd.read_parquet(path / ROWS), np.load(path / EXPECTED))
    except RegistryError as error:
        text = str(error)
    (path / ANSWER).write_text(json.dumps({"problem": text}), encoding="utf-8")


if __name__ == "__main__":
    # MLflow's client imports Feast's plugin if it can, which takes longer than the smoke test itself.
    sys.modules["feast"] = None  # type: ignore[assignment] # so the import fails at once
    main(*sys.argv[1:])
