"""Rows on which two copies of a model can be compared: its hold-out, or the example among its files."""

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
    """Return the features of a model's hold-out; if its training set was removed or is elsewhere, its example rows.

    Raises:
        RegistryError: the object at the place of the training set is another one.
    """
    try:
        rows = _holdout(model)
    except UploadChangedError as error:
        log.warning("%s; the rows of the model's example are used", error)
        rows = pd.DataFrame()
    return rows if len(rows) else _example(model)


def _holdout(model: LoadedModel) -> pd.DataFrame:
    uri = mlflow_client.connect().get_run(model.run_id).data.tags.get("training_set_uri")
    if uri is None:
        log.info("%s version %d was not trained here; the rows of its example are used", model.name, model.version)
        return pd.DataFrame()
    dataset, key = model.dataset, uri.removeprefix(f"s3://{training_set.BUCKET}/")
    reference = TrainingSetReference(
        dataset.name, dataset.sha256, key, model.training_set_sha256, 0, list(model.task.classes), [], sources=[]
    )
    frame = training_set.load(dataset, reference).frame
    is_held_out = model.holdout.mask(entity_ids(dataset, frame), frame["event_timestamp"])
    return model_input(dataset, frame[is_held_out])


def _example(model: LoadedModel) -> pd.DataFrame:
    with registry.download(registry.get_version(model.name, model.version)) as folder:
        return model_input(model.dataset, model_files.example(folder))
