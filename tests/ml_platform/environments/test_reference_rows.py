"""What a model is asked that came from another environment, whose training set stayed there."""

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from ml_platform.environments.reference_rows import known_rows
from ml_platform.registry import model_files, registry
from ml_platform.training import tracking
from tests.ml_platform.serving.models import SHOP, make_model
from tests.ml_platform.training.trainings import make_frame


def test_a_model_that_was_carried_here_is_asked_the_rows_of_its_example(monkeypatch) -> None:
    @contextmanager
    def downloaded(_):
        yield Path()

    tags = {"source_training_set_uri": "s3://mlflow/training_sets/shop/1.parquet"}
    run = SimpleNamespace(data=SimpleNamespace(tags=tags))
    example = make_frame(3)[list(SHOP.features)]
    monkeypatch.setattr(tracking, "client", lambda: SimpleNamespace(get_run=lambda _: run))
    monkeypatch.setattr(registry, "numbered", lambda *_: None)
    monkeypatch.setattr(registry, "downloaded", downloaded)
    monkeypatch.setattr(model_files, "example", lambda _: example)
    pd.testing.assert_frame_equal(known_rows(make_model(SHOP)), example, check_dtype=False)
