"""Small models that need no registry, and a service that holds them."""

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sklearn.base import BaseEstimator
from sklearn.model_selection import TunedThresholdClassifierCV
from threadpoolctl import threadpool_limits

from ml_platform.estimators.interval_regressor import IntervalRegressor
from ml_platform.estimators.reference_row import keep_reference
from ml_platform.estimators.row_scorer import sklearn_input
from ml_platform.evaluation.tasks import task_of
from ml_platform.exceptions import RegistryError
from ml_platform.parsing.layout import columns_of
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.registry.model_files import signature
from ml_platform.scoring.live_models import LiveModels
from ml_platform.serving import answers
from ml_platform.serving.app import create_app
from ml_platform.serving.tokens import Tokens
from ml_platform.specs.column_types import ARROW_TYPES
from ml_platform.specs.holdout import HoldoutRule
from ml_platform.specs.spec import Dataset
from ml_platform.training.candidates import Candidate, pipeline
from tests.ml_platform.training.trainings import (
    make_dataset,
    make_frame,
    make_houses,
    make_houses_frame,
    make_weeks,
    make_weeks_frame,
)

TOKEN = "a-token-of-the-tests"
ROW = {"id": 7, "age": 40, "income": "$1,000", "member": True, "empty": None, "town": "Ulm", "blank": None}
DAY = {"town": "Ulm", "number": 3, "day": "2026-02-01T06:00:00Z", "heat": 24.5, "rain": False}
HOUSE = {"id": 7, "area": 120.5, "rooms": 4, "town": "Ulm"}


def make_model(dataset: Dataset, version: int = 1, estimator: str = "logistic_regression") -> LoadedModel:
    """Return a model of its own, which a test may change; what it was fitted to depends on the version."""
    model = deepcopy(_fitted(dataset.model_dump_json(), version, estimator))
    return LoadedModel(
        name=dataset.name, version=version, estimator=model, columns=_columns(dataset),
        task=task_of(dataset, tuple(map(str, dataset.label.classes or ("0", "1")))).as_fitted(model),
        dataset=dataset, holdout=HoldoutRule(dataset.name, "entity", 0.2), training_set_sha256="f" * 64, run_id="run",
    )  # fmt: skip


@cache
def _fitted(spec: str, seed: int, estimator: str) -> BaseEstimator:
    dataset = Dataset.model_validate_json(spec)
    frames = {"binary": make_frame, "multiclass": make_weeks_frame, "regression": make_houses_frame}
    frame = frames[dataset.label.task](300, seed=seed)
    model = pipeline(Candidate(estimator, {}), dataset)
    if dataset.label.task == "binary":
        model = TunedThresholdClassifierCV(model, scoring="f1", cv=3)
    elif dataset.label.task == "regression":
        model = IntervalRegressor(model, -20.0, 20.0, 0.9)
    with threadpool_limits(1):
        model.fit(inputs := sklearn_input(frame, _columns(dataset)), frame[dataset.label.column])
        keep_reference(model, inputs)  # as a training does
    return model


def _columns(dataset: Dataset) -> dict[str, str]:
    return {column.name: column.type.name for column in signature(dataset).inputs.inputs}


class Registry:
    """Stands for MLflow: it knows which version is live, and loads one or fails."""

    def __init__(self, *models: LoadedModel) -> None:
        self.models = {(model.name, model.version): model for model in models}
        self.live: dict[str, int] = {model.name: model.version for model in models}
        self.broken: dict[int, str] = {}
        self.outage: OSError | None = None
        self.last: int | None = None
        self.loads = 0

    def champions(self) -> Mapping[str, int]:
        if self.outage:
            raise self.outage
        return dict(self.live)

    def load(self, name: str, version: int) -> LoadedModel:
        self.loads += 1
        if version in self.broken:
            raise RegistryError(self.broken[version])
        return self.models[name, version]

    def last_live(self, _: str) -> int | None:
        return self.last


def follow(registry: Registry) -> LiveModels:
    live = LiveModels(registry.champions, registry.load, registry.last_live)
    live.refresh()
    return live


def service(live: LiveModels, logged: list[Any] | None = None, files: SecretStr | None = None) -> TestClient:
    write = (logged if logged is not None else []).extend
    client = TestClient(create_app(live, Tokens(SecretStr(TOKEN), files), write), raise_server_exceptions=False)
    client.headers["Authorization"] = f"Bearer {TOKEN}"
    return client


def ask(client: TestClient, *rows: Any, dataset: str = "shop", **headers: str) -> tuple[int, dict[str, Any]]:
    answer = client.post(f"/v1/{dataset}/predict", content=json.dumps({"rows": rows}), headers=headers)
    return answer.status_code, answer.json()


def stored(dataset: Dataset, keys: pa.RecordBatch, unknown_number: int | None = 0) -> tuple[pa.RecordBatch, list[int]]:
    """Stand for `online_rows.newest_rows`: each entity has the same row, except those with one number."""
    cells = {"age": ROW, "day": DAY, "area": HOUSE}
    (stored_cells,) = (row for name, row in cells.items() if name in dataset.columns)
    (row,) = answers.typed_rows(dataset, answers.PredictRequest("rows", [stored_cells])).to_pylist()
    asked = [{name: key[name] for name in dataset.keys} for key in keys.to_pylist()]
    unknown = [i for i, key in enumerate(asked) if unknown_number in key.values()]
    known = [row | key for i, key in enumerate(asked) if i not in unknown]
    columns = columns_of(dataset, "test")
    schema = pa.schema([(name, ARROW_TYPES[column.type]) for name, column in columns.items()])
    return pa.RecordBatch.from_pylist(known, schema=schema), unknown


def expected(model: LoadedModel, **cells: Any) -> float:
    probabilities, _ = model.predict(pd.DataFrame([dict.fromkeys(model.columns, np.nan) | cells]))
    return float(probabilities[0])


SHOP, WEEKS, HOUSES = make_dataset(), make_weeks(), make_houses()
