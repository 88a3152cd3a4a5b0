"""A model that was trained on two uploads, and a file that it has scored."""

from dataclasses import dataclass
from typing import Any

import pytest

from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.promotion import steps as promotion_steps
from ml_platform.promotion.results import TrainingCard
from ml_platform.scoring import batch
from ml_platform.specs.spec import Dataset
from ml_platform.training import build_training_set, steps
from ml_platform.training.results import Challenger, TrainingSetReference
from ml_platform.training.training_set import load
from tests.ml_platform.ingestion.upload_cases import drop, ingest, new_name
from tests.ml_platform.test_sensitive_columns import file_of as shop_file
from tests.ml_platform.training.trainings import ONE, essentials, make_dataset, searched_with


@dataclass(frozen=True)
class Played:
    """What each step returned."""

    dataset: Dataset
    uploads: list[UploadReport]
    reference: TrainingSetReference
    challenger: Challenger
    card: TrainingCard
    scored: UploadReport


def file_of(rows: int, *, skip: int = 0, seed: int = 1) -> bytes:
    return shop_file(rows, seed).iloc[skip:].to_csv(index=False).encode()


def train(dataset: Dataset) -> tuple[TrainingSetReference, Challenger, TrainingCard]:
    reference = build_training_set.freeze(dataset)
    training_set = load(dataset, reference)
    with essentials():
        challenger = steps.refit(training_set, searched_with(training_set))
    return reference, challenger, promotion_steps.promote(training_set, challenger, by="alice")


@pytest.fixture(scope="module")
def played(mlflow_server: Any) -> Played:
    """Two training uploads, a training, a scoring."""
    dataset = make_dataset(new_name(), ONE)
    uploads = [ingest(dataset, file_of(250), "_one"), ingest(dataset, file_of(300, skip=250), "_two")]
    reference, challenger, card = train(dataset)
    scored = batch.answer(dataset, drop(dataset, file_of(20, seed=2), "_new", "test"))
    return Played(dataset, uploads, reference, challenger, card, scored)
