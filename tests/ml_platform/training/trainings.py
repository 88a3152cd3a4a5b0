"""Small data to train on, and frames drawn from it.

`shop` has numbers, categories and an empty column, and asks a question of two classes. `weeks` has three classes, a
key of two columns, one of them a feature, and an event time: many rows of the same entities, and of the same days.
`houses` has a number to predict.
"""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest
from mlflow.entities.model_registry import ModelVersion

from ml_platform.promotion import smoke_test
from ml_platform.promotion import steps as promotion_steps
from ml_platform.promotion.results import TrainingCard
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client, object_store
from ml_platform.training import steps
from ml_platform.training.model_card import ModelCard
from ml_platform.training.results import SearchResult, Source
from ml_platform.training.search_plan import SearchPlan
from ml_platform.training.training_set import TrainingSet
from stack.config import load as load_config

ONE = {"logistic_regression": {"C": [1.0]}}
GRID = {
    "logistic_regression": {"class_weight": [None, "balanced"], "C": [1.0, 0.1]},
    "random_forest": {"class_weight": [None, "balanced"], "min_samples_leaf": [5, 2], "n_estimators": [10]},
    "hist_gradient_boosting": {"class_weight": [None, "balanced"], "learning_rate": [0.1, 0.2], "max_iter": [10]},
}
TPE = {
    "strategy": "tpe",
    "trials": 14,
    "candidates": {
        "logistic_regression": {"class_weight": [None, "balanced"], "C": {"low": 0.001, "high": 10, "log": True}},
        "hist_gradient_boosting": {"max_iter": {"low": 2, "high": 20}, "max_leaf_nodes": {"low": 2, "high": 8}},
    },
}


def make_dataset(name: str = "shop", candidates: dict[str, dict[str, list[object]]] | None = None) -> Dataset:
    return Dataset.model_validate(
        {
            "name": name,
            "description": "Who buys?",
            "entity": {"name": "customer", "key": "id"},
            "label": {"column": "buys", "positive": 1},
            "columns": {
                "id": "integer",
                "buys": "integer",
                "age": "integer",
                "income": "money",
                "member": "boolean",
                "empty": "number",
                "town": "category",
                "blank": "category",
            },
            "search": {"folds": 3, "jobs": 1, "candidates": GRID if candidates is None else candidates},
        }
    )


def searched_by(options: dict[str, Any], dataset: Dataset | None = None) -> Dataset:
    """Return a data set with this section `search` in its YAML."""
    return Dataset.model_validate((dataset or make_dataset()).model_dump() | {"search": options})


def make_tpe_dataset(name: str, **options: Any) -> Dataset:
    """Return the data set with an adaptive search of small models, and more options of it."""
    return searched_by({"folds": 3, "jobs": 1, **TPE, **options}, make_dataset(name))


def make_frame(rows: int = 600, seed: int = 1) -> pd.DataFrame:
    """Draw a frame as a training set has it: a signal in age and town, some values missing, two columns empty."""
    random = np.random.default_rng(seed)
    age, town = random.normal(45, 12, rows), random.choice(["Ulm", "Kiel", "Bonn"], rows).astype(object)
    score = (age - 45) / 8 + 1.5 * (town == "Ulm") + random.normal(0, 1, rows)
    age[random.random(rows) < 0.05] = np.nan
    town[random.random(rows) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "event_timestamp": pd.Timestamp("2026-01-01", tz="UTC"),
            "age": age,
            "income": random.lognormal(10, 1, rows).round(),
            "member": random.choice([0.0, 1.0, np.nan], rows),
            "empty": np.nan,
            "town": town,
            "blank": pd.Series(np.nan, index=range(rows), dtype=object),
            "buys": (score > 1.2).astype("int64"),
        }
    )


def make_training_set(dataset: Dataset | None = None, frame: pd.DataFrame | None = None) -> TrainingSet:
    frame = make_frame() if frame is None else frame
    sha256 = hashlib.sha256(pd.util.hash_pandas_object(frame).to_numpy().tobytes()).hexdigest()
    sources = [Source("train_shop.csv", "00", len(frame))]
    dataset = dataset or make_dataset()
    classes = () if dataset.label.kind else tuple(map(str, dataset.label.classes or ("0", "1")))
    return TrainingSet(dataset, frame, classes, sha256, f"s3://mlflow/training_sets/{sha256}.parquet", sources)


def make_weeks(name: str = "weeks", candidates: dict[str, dict[str, list[object]]] | None = None) -> Dataset:
    return Dataset.model_validate(
        {
            "name": name,
            "description": "How will the day be?",
            "entity": {"name": "stand", "key": ["town", "number"], "features": ["town"]},
            "label": {"column": "sales", "classes": ["poor", "fair", "good"]},
            "event_time": "day",
            "columns": {
                "town": "category", "number": "integer", "day": "timestamp", "sales": "category",
                "heat": "number", "rain": "boolean",
            },
            "search": {"folds": 3, "jobs": 1, "candidates": GRID if candidates is None else candidates},
        }
    )  # fmt: skip


def make_weeks_frame(rows: int = 600, days: int = 100, seed: int = 1) -> pd.DataFrame:
    """Draw rows in the order of their time: the day's heat, which all stands share, and the town make the sales."""
    random = np.random.default_rng(seed)
    day = np.sort(random.integers(0, days, rows))
    heat, town = random.normal(20, 5, days)[day], random.choice(["Ulm", "Kiel", "Bonn"], rows).astype(object)
    score = (heat - 20) / 5 + (town == "Ulm") + random.normal(0, 0.5, rows)
    return pd.DataFrame(
        {
            "town": town,
            "number": np.arange(rows) % 7,
            "event_timestamp": pd.Timestamp("2026-01-01 06:00", tz="UTC") + pd.to_timedelta(day, "D"),
            "heat": heat,
            "rain": random.choice([0.0, 1.0, np.nan], rows),
            "sales": np.digitize(score, [0.0, 0.8]).astype("int64"),
        }
    )


NUMBER_GRID = {
    "ridge": {"alpha": [1.0, 10.0]},
    "random_forest": {"min_samples_leaf": [3], "n_estimators": [10]},
    "hist_gradient_boosting": {"learning_rate": [0.2], "max_iter": [20]},
}


def make_houses(name: str = "houses", candidates: dict[str, dict[str, list[object]]] | None = None) -> Dataset:
    return Dataset.model_validate(
        {
            "name": name,
            "description": "What does it cost?",
            "entity": {"name": "house", "key": "id"},
            "label": {"column": "price", "kind": "number"},
            "columns": {"id": "integer", "price": "number", "area": "number", "rooms": "integer", "town": "category"},
            "search": {"folds": 3, "jobs": 1, "candidates": NUMBER_GRID if candidates is None else candidates},
        }
    )


def make_houses_frame(rows: int = 600, seed: int = 1) -> pd.DataFrame:
    """Draw a frame as a training set has it: area and town make the price, in thousands; some values are missing."""
    random = np.random.default_rng(seed)
    area, town = random.normal(120, 30, rows), random.choice(["Ulm", "Kiel", "Bonn"], rows).astype(object)
    price = 50 + 2.5 * area + 60 * (town == "Ulm") + random.normal(0, 20, rows)
    area[random.random(rows) < 0.05] = np.nan
    town[random.random(rows) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "event_timestamp": pd.Timestamp("2026-01-01", tz="UTC"),
            "area": area,
            "rooms": random.integers(1, 7, rows).astype("float64"),
            "town": town,
            "price": price,
        }
    )


def artifact_store() -> Any:
    """Return an S3 client that may change the files of models, which the platform's own login may not."""
    config = load_config(os.environ["TESTS_ENV_FILE"])
    return boto3.client(
        "s3", endpoint_url=config.s3_url, region_name="us-east-1", aws_access_key_id=config.s3_admin_access_key,
        aws_secret_access_key=config.s3_admin_secret_key.get_secret_value(),
    )  # fmt: skip


def files_of(version: ModelVersion) -> list[str]:
    """Return the keys of a version's files in the bucket of artifacts."""
    model_id = version.source.removeprefix("models:/")
    found = [item.key for item in object_store.list_objects("mlflow", "") if f"/{model_id}/" in item.key]
    assert found
    return found


@contextmanager
def essentials() -> Iterator[None]:
    """Train without the smoke test, charts and model card, which take most of the time of a small training."""
    with pytest.MonkeyPatch.context() as patch, without_pictures():
        patch.setattr(smoke_test, "check", lambda *_: None)
        yield


@contextmanager
def without_pictures() -> Iterator[None]:
    """Train without charts and model card."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mlflow_client, "log_charts", lambda *_: None)
        patch.setattr(ModelCard, "texts", lambda _: {})
        yield


@contextmanager
def smoke_test_here() -> Iterator[None]:
    """Save the process of the smoke test, which takes seconds to import the libraries; test_smoke_test.py has one."""

    def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
        smoke_test.main(*arguments)
        return subprocess.CompletedProcess(arguments, 0, "", "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smoke_test, "_run_process", run)
        yield


def searched_with(training_set: TrainingSet, **options: Any) -> SearchResult:
    """Search a training set, with these options of the plan."""
    return steps.search(training_set, SearchPlan.of(training_set.dataset, **options))


def train(
    name: str, frame: pd.DataFrame | None = None, attempt_id: str = "", candidates: dict[str, Any] = ONE
) -> tuple[TrainingCard, TrainingSet]:
    """Run the three steps on a data set of that name; return the card and the training set."""
    training_set = make_training_set(make_dataset(name, candidates), frame)
    searched = searched_with(training_set, attempt_id=attempt_id)
    return promotion_steps.promote(training_set, steps.refit(training_set, searched)), training_set
