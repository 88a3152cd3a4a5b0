"""A model that came from another environment, where its training set stayed, answers the rows of its example."""

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from ml_platform.environments.reference_rows import reference_rows
from ml_platform.registry import model_files, registry
from ml_platform.storage import mlflow_client
from tests.ml_platform.serving.models import SHOP, make_model
from tests.ml_platform.training.trainings import make_frame


def test_a_model_that_was_copied_here_answers_the_rows_of_its_example(monkeypatch) -> None:
    @contextmanager
    def download(_):
        yield Path()

    tags = {"source_training_set_uri": "s3://mlflow/training_sets/shop/1.parquet"}
    run = SimpleNamespace(data=SimpleNamespace(tags=tags))
    example = make_frame(3)[list(SHOP.features)]
    monkeypatch.setattr(mlflow_client, "connect", lambda: SimpleNamespace(get_run=lambda _: run))
    monkeypatch.setattr(registry, "get_version", lambda *_: None)
    monkeypatch.setattr(registry, "download", download)
    monkeypatch.setattr(model_files, "example", lambda _: example)
    pd.testing.assert_frame_equal(reference_rows(make_model(SHOP)), example, check_dtype=False)
