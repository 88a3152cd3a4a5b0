"""What trainings keep about entities, searched and rewritten: training sets, and predictions on the hold-out."""

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient

from ml_platform.removal.entities import Entities
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client, object_store
from ml_platform.storage.object_store import ObjectVersion
from ml_platform.training.tracking import PREDICTIONS
from ml_platform.training.training_set import BUCKET, content_hash, entity_ids, frozen_prefix


@dataclass(frozen=True)
class TrainingFiles:
    """The files of trainings that hold rows of the entities.

    Attributes:
        training_sets: frozen training sets.
        runs: MLflow runs with predictions about them.
        versions: of the model, trained on one of these sets or with such predictions.
    """

    training_sets: tuple[ObjectVersion, ...] = ()
    runs: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()


def search(dataset: Dataset, entities: Entities) -> TrainingFiles:
    """Search the files of a data set's trainings for some entities.

    Raises:
        ServiceError: the object store failed; run it again.
        MlflowException: MLflow failed; run it again.
    """
    listed = object_store.list_objects(BUCKET, frozen_prefix(dataset))
    sets = tuple(version for version in listed if is_entity(entities, _read(version)).any())
    hashes = {Path(version.key).stem for version in sets}
    client, ids = mlflow_client.connect(), _ids(entities)
    runs = [
        run for run in _runs_with_predictions(client, dataset.name) if _predictions(client, run)["key"].isin(ids).any()
    ]
    versions = {
        int(version.version)
        for version in mlflow_client.versions(client, dataset.name)
        if version.tags.get("training_set_sha256") in hashes or version.run_id in runs
    }
    return TrainingFiles(sets, tuple(runs), tuple(sorted(versions)))


def is_entity(entities: Entities, frame: pd.DataFrame) -> pd.Series:
    """Return which rows of a frame with the key columns are about the entities, shape (n_rows,)."""
    rows = zip(*(frame[key] for key in entities.table.keys), strict=True)
    return pd.Series([row in entities.keys for row in rows], frame.index, dtype=bool)


def erase_from_training_set(version: ObjectVersion, entities: Entities) -> None:
    """Replace a frozen training set by one without the entities, under the name of its own hash; idempotent."""
    frame = _read(version)
    kept = frame[~is_entity(entities, frame)]
    if len(kept):
        buffer = io.BytesIO()
        kept.to_parquet(buffer, index=False)
        folder, _, _ = version.key.rpartition("/")
        object_store.put_new(BUCKET, f"{folder}/{content_hash(kept)}.parquet", buffer.getvalue())
    object_store.remove(version)


def erase_from_run(run_id: str, entities: Entities) -> None:
    """Rewrite the predictions on the hold-out that a run keeps, without the entities; idempotent."""
    client = mlflow_client.connect()
    frame = _predictions(client, run_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PREDICTIONS
        frame[~frame["key"].isin(_ids(entities))].to_parquet(path, index=False)
        client.log_artifact(run_id, str(path))


def _read(version: ObjectVersion) -> pd.DataFrame:
    frame = pd.read_parquet(io.BytesIO(object_store.get(version.bucket, version.key)))
    # Parquet returns a missing text as None; a frame that is frozen has NaN.
    texts = frame.select_dtypes("object")
    return frame.assign(**texts.where(texts.notna(), float("nan")))


def _ids(entities: Entities) -> list[object]:
    """Return the keys of the entities in the form of `entity_ids`."""
    dataset = entities.table
    return list(entity_ids(dataset, entities.batch().to_pandas())) if isinstance(dataset, Dataset) else []


def _runs_with_predictions(client: MlflowClient, name: str) -> Iterator[str]:
    experiment = client.get_experiment_by_name(name)
    token: str | None = ""
    while experiment and token is not None:
        page = client.search_runs([experiment.experiment_id], "tags.kind = 'search'", page_token=token or None)
        for run in page:
            if any(file.path == PREDICTIONS for file in client.list_artifacts(run.info.run_id)):
                yield run.info.run_id
        token = page.token or None


def _predictions(client: MlflowClient, run_id: str) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        return pd.read_parquet(client.download_artifacts(run_id, PREDICTIONS, folder))
