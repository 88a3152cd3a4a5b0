"""Rows to which a model's answers can be compared: its hold-out, or the example that lies with its files."""

import logging

import pandas as pd

from ml_platform.exceptions import UploadChangedError
from ml_platform.registry import model_files, registry
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.storage import mlflow_client
from ml_platform.training import training_set
from ml_platform.training.results import TrainingSetReference
from ml_platform.training.training_set import entity_ids, model_input

log = logging.getLogger(__name__)


def reference_rows(model: LoadedModel) -> pd.DataFrame:
    """Return the features of a model's hold-out; where its training set is gone or elsewhere, the rows of its example.

    Raises:
        RegistryError: what lies in the place of the training set is not what was frozen.
    """
    try:
        rows = _holdout(model)
    except UploadChangedError as error:
        log.warning("%s; the model's own example is taken", error)
        rows = pd.DataFrame()
    return rows if len(rows) else _example(model)


def _holdout(model: LoadedModel) -> pd.DataFrame:
    uri = mlflow_client.connect().get_run(model.run_id).data.tags.get("training_set_uri")
    if uri is None:
        log.info("%s version %d was not trained here; its own example is taken", model.name, model.version)
        return pd.DataFrame()
    dataset, key = model.dataset, uri.removeprefix(f"s3://{training_set.BUCKET}/")
    reference = TrainingSetReference(
        dataset.name, dataset.sha256, key, model.training_set_sha256, 0, list(model.classes), [], sources=[]
    )
    frame = training_set.load(dataset, reference).frame
    held = model.holdout.mask(entity_ids(dataset, frame), frame["event_timestamp"])
    return model_input(dataset, frame[held])


def _example(model: LoadedModel) -> pd.DataFrame:
    with registry.download(registry.get_version(model.name, model.version)) as folder:
        return model_input(model.dataset, model_files.example(folder))
