"""The smoke test: which predictions pass, and which failures of the process are the model's fault."""

import re
import signal
import subprocess
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.promotion import smoke_test
from ml_platform.registry import registry
from tests.ml_platform.training.trainings import essentials, make_frame, train

COLUMNS = {"age": "double", "town": "string"}
FEATURES = pd.DataFrame({"age": [20.0, np.nan, 60.0], "town": ["Ulm", "Kiel", np.nan]})


class Model:
    """Predicts what a function returns for a frame."""

    def __init__(self, function, columns=COLUMNS):
        self.function, self.columns = function, columns

    def predict(self, frame):
        positive = np.asarray(self.function(frame), dtype=np.float64)
        return positive, positive >= 0.5


def sound(frame):
    return 1 / (1 + np.exp(-frame["age"].fillna(40) / 40 + frame["town"].isna()))


def by_position(frame):
    return np.linspace(0.1, 0.9, len(frame))


@pytest.mark.parametrize(
    ("predict", "columns", "text"),
    [
        (sound, COLUMNS, None),
        (lambda frame: sound(frame) + 1e-12, COLUMNS, None),
        (lambda frame: sound(frame) + 1e-6, COLUMNS, "does not predict the same"),
        (lambda frame: sound(frame).where(frame["age"] < 50), COLUMNS, "are not finite numbers"),
        (lambda frame: sound(frame).where(frame["age"] < 50, np.inf), COLUMNS, "are not finite numbers"),
        (sound, {"age": "double"} | {"street": "string"}, r"\['street', 'town'\] are in one of them only"),
        (sound, {"age": "double"}, r"\['town'\] are in one of them only"),
    ],
)
def test_predictions(predict, columns, text):
    found = smoke_test.find_problem(Model(predict, columns), FEATURES, sound(FEATURES).to_numpy())
    assert (found is None) == (text is None)
    assert re.search(text or "", found or "")


def test_the_order_of_rows_must_not_matter():
    expected = by_position(FEATURES)
    assert (
        smoke_test.find_problem(Model(by_position), FEATURES, expected)
        == "its predictions depend on the order of the rows"
    )


def test_the_order_of_columns_must_not_matter():
    positional = Model(lambda frame: np.full(len(frame), 0.2 if frame.columns[0] == "age" else 0.8))
    found = smoke_test.find_problem(positional, FEATURES, np.full(3, 0.2))
    assert found == "its predictions depend on the order of the columns"


def test_another_number_of_classes_does_not_pass():
    assert "does not predict" in smoke_test.find_problem(Model(sound), FEATURES, np.full((3, 3), 1 / 3))


VERSION = SimpleNamespace(name="shop", version="1")


def check(monkeypatch, returncode, stderr=""):
    answer = subprocess.CompletedProcess([], returncode, "", stderr)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    smoke_test.check(VERSION, FEATURES, sound(FEATURES).to_numpy())


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"])
def test_a_crash_is_the_models_fault(monkeypatch, name):
    with pytest.raises(RegistryError, match=f"was ended by signal {signal.Signals[name].value}"):
        check(monkeypatch, -signal.Signals[name])


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
def test_a_signal_from_outside_is_not_the_models_fault(monkeypatch, name):
    number = signal.Signals[name].value
    with pytest.raises(ServiceError, match=f"shop version 1 could not be checked: .* from outside, by signal {number}"):
        check(monkeypatch, -number)


def test_an_outage_is_not_the_models_fault(monkeypatch):
    with pytest.raises(ServiceError, match="shop version 1 could not be checked: MlflowException: away"):
        check(monkeypatch, 1, "Traceback …\nMlflowException: away\n")


def test_a_model_that_takes_too_long_fails(monkeypatch):
    def run(*_, **given):
        raise subprocess.TimeoutExpired("python", given["timeout"])

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(RegistryError, match="no predictions within 300 s"):
        smoke_test.check(VERSION, FEATURES, sound(FEATURES).to_numpy())


@pytest.mark.servers
def test_a_new_process_loads_a_version_from_its_files(mlflow_server):
    with essentials():
        card, training_set = train("smoke", make_frame())
    model = registry.load(registry.get_version("smoke", card.version))
    features = training_set.frame[list(model.columns)]
    with pytest.raises(RegistryError, match="loaded from its files, it does not predict the same as at its training"):
        smoke_test.check(registry.get_version("smoke", card.version), features, 1 - model.predict(features)[0])
