"""The files of a model: written without pickle, protected by a digest, loaded only if they cannot run code."""

import importlib.metadata
import warnings
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from mlflow.models import Model, ModelSignature
from mlflow.sklearn import save_model
from mlflow.types import ColSpec, Schema
from pydantic import ValidationError
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from ml_platform.estimators.model_parts import weighted_members
from ml_platform.estimators.table import ESTIMATORS, estimator_kind
from ml_platform.evaluation.tasks import kind_of
from ml_platform.exceptions import RegistryError
from ml_platform.specs.spec import Dataset

# What skops does not trust by default. Only this list counts: a list that comes with a model is ignored.
TRUSTED_TYPES = sorted(
    {
        "ml_platform.estimators.interval_regressor.IntervalRegressor",
        "ml_platform.estimators.weighted_mean.WeightedMeanClassifier",
        "ml_platform.estimators.weighted_mean.WeightedMeanRegressor",
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.metrics._classification.f1_score",
        "sklearn.metrics._scorer._CurveScorer",
        "sklearn.metrics._scorer._Scorer",
        "sklearn.utils._metadata_requests.MetadataRequest",
        "sklearn.utils._metadata_requests.MethodMetadataRequest",
    }.union(*(kind.trusted_types for kind in ESTIMATORS.values()))
)
PACKAGES = ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops")
MODEL_FILE, SPEC_FILE = "model.skops", "dataset.json"
_SAFE_FLAVORS = {
    "sklearn": {"serialization_format": "skops", "pickled_model": MODEL_FILE, "code": None},
    "python_function": {"loader_module": "mlflow.sklearn", "model_path": MODEL_FILE, "code": None, "data": None},
}
_CODE_SUFFIXES = {".pkl", ".pickle", ".cloudpickle", ".joblib", ".py", ".pyc", ".so", ".whl"}


def load_skops() -> Any:
    """Import skops without its warnings; only when a model is written or read, because the import takes seconds."""
    with warnings.catch_warnings():
        # During its import skops looks for each ufunc in every loaded module; each look into Airflow's makes a warning.
        warnings.simplefilter("ignore")
        import skops.io
        import skops.io.exceptions
    return skops.io


def package_versions() -> dict[str, str]:
    """Return the installed version of each package that models need, also of those that only some need."""
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    for package in (kind.package for kind in ESTIMATORS.values() if kind.package):
        versions |= package.installed()
    return versions


def requirements(estimator: BaseEstimator) -> list[str]:
    """Return the packages that a fitted model needs, in the installed versions, as pip reads them."""
    pipelines = [member for _, member in weighted_members(estimator) if isinstance(member, Pipeline)]
    kinds = [estimator_kind(pipeline[-1]) for pipeline in pipelines]
    own = {name for kind in kinds if kind and kind.package for name in kind.package.installed()}
    return [f"{name}=={version}" for name, version in package_versions().items() if name in own.union(PACKAGES)]


def signature(dataset: Dataset) -> ModelSignature:
    """Return the signature of a model: an optional input column per feature, and as output a class index or number."""
    kinds = {name: "string" if column.type == "category" else "double" for name, column in dataset.features.items()}
    inputs = Schema([ColSpec(kind, name, required=False) for name, kind in kinds.items()])
    return ModelSignature(inputs, Schema([ColSpec(kind_of(dataset.label).output_type)]))


def write(
    estimator: BaseEstimator, dataset: Dataset, example: pd.DataFrame, folder: Path, *, run_id: str, model_id: str
) -> str:
    """Write a fitted model as an MLflow model into a new folder, and return its digest.

    The spec is written too: a model reads its inputs by the spec of its training, even if the YAML has changed since.

    Args:
        estimator: fitted on the data set's features.
        dataset: the spec; it defines the signature.
        example: a few rows of the features.
        folder: for the files; it must not exist.
        run_id: of the MLflow run.
        model_id: of the logged model.
    """
    load_skops()  # without its warnings, before MLflow imports it
    save_model(
        estimator,
        str(folder),
        mlflow_model=Model(run_id=run_id, model_id=model_id),
        serialization_format="skops",
        skops_trusted_types=TRUSTED_TYPES,
        signature=signature(dataset),
        input_example=example,
        pip_requirements=requirements(estimator),
    )
    (folder / SPEC_FILE).write_text(dataset.model_dump_json(indent=2), encoding="utf-8")
    return digest(folder)


def example(folder: Path) -> pd.DataFrame:
    """Return the example rows that were written with a model."""
    return pd.DataFrame(Model.load(str(folder)).load_input_example(str(folder)))


def digest(folder: Path) -> str:
    """Return the SHA-256 over the names and contents of all files in a folder."""
    lines = [
        f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return sha256("\n".join(lines).encode()).hexdigest()


def read(folder: Path, expected_digest: str) -> tuple[BaseEstimator, dict[str, str], Dataset]:
    """Load a model from files that are not trusted.

    The digest must be the one recorded at training. Even then only a skops file is opened, and only with the types that
    the platform trusts, not those that the model names.

    Returns:
        The fitted model; the MLflow type of each input column, `double` or `string`; the spec at the time of training.

    Raises:
        RegistryError: the digest differs, or the files could run code, or they cannot be loaded.
    """
    if not expected_digest or (actual := digest(folder)) != expected_digest:
        raise RegistryError(f"the model's files have digest {actual if expected_digest else 'unchecked'}, "
                            f"recorded at training was {expected_digest or 'none'}")  # fmt: skip
    _reject_code_files(folder)
    description, dataset, skops = _description(folder), _spec(folder), load_skops()
    errors = skops.exceptions
    try:
        return skops.load(folder / MODEL_FILE, trusted=TRUSTED_TYPES), _columns(description), dataset
    except errors.UntrustedTypesFoundException as error:
        raise RegistryError(f"the model holds types that the platform does not trust: {error}") from None
    except (
        *(zipfile.BadZipFile, errors.UnsupportedTypeException),
        *(ImportError, LookupError, TypeError, ValueError, AttributeError),
    ) as error:
        raise RegistryError(f"the model cannot be loaded: {type(error).__name__}: {error}") from error


def _reject_code_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or path.suffix.lower() in _CODE_SUFFIXES or name.split("/")[0] == "code":
            raise RegistryError(f"the model holds {name!r}, which could run code")


def _description(folder: Path) -> dict[str, Any]:
    try:
        description = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        flavors = description["flavors"]
        rejected = {
            f"{flavor}.{option}": flavors[flavor].get(option)
            for flavor, options in _SAFE_FLAVORS.items()
            for option, value in options.items()
            if flavors[flavor].get(option) != value
        }
    except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError) as error:
        raise RegistryError(f"the file MLmodel is missing or malformed: {type(error).__name__}: {error}") from error
    if rejected or set(flavors) != set(_SAFE_FLAVORS):
        raise RegistryError(f"the file MLmodel asks for more than a skops model: flavors {sorted(flavors)}, {rejected}")
    return dict(description)


def _spec(folder: Path) -> Dataset:
    try:
        return Dataset.model_validate_json((folder / SPEC_FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise RegistryError(f"the file {SPEC_FILE} is missing or malformed: {error}") from error


def _columns(description: dict[str, Any]) -> dict[str, str]:
    return {column.name: column.type.name for column in Schema.from_json(description["signature"]["inputs"]).inputs}
