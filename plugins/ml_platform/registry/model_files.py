"""A model as files: written without pickle, digested, and loaded only if nothing in it could run code."""

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

from ml_platform.estimators.table import ESTIMATORS
from ml_platform.exceptions import RegistryError
from ml_platform.specs.spec import Dataset

# Beyond what skops trusts by itself. This list is the platform's: one that comes with a model is never followed.
TRUSTED_TYPES = sorted(
    {
        "numpy.dtype",
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
    """Import skops, without its noise; where a model is written or read, for it takes seconds."""
    with warnings.catch_warnings():
        # While it is imported, skops looks for each ufunc in every loaded module; Airflow's answer with a warning each.
        warnings.simplefilter("ignore")
        import skops.io
        import skops.io.exceptions
    return skops.io


def versions() -> dict[str, str]:
    """Return the installed version of each package that a model needs."""
    return {package: importlib.metadata.version(package) for package in PACKAGES}


def signature(dataset: Dataset) -> ModelSignature:
    """Return a model's inputs, a column per feature that may be missing, and its output, the index of a class."""
    kinds = {name: "string" if column.type == "category" else "double" for name, column in dataset.features.items()}
    inputs = Schema([ColSpec(kind, name, required=False) for name, kind in kinds.items()])
    return ModelSignature(inputs, Schema([ColSpec("long")]))


def write(
    estimator: BaseEstimator, dataset: Dataset, example: pd.DataFrame, folder: Path, *, run_id: str, model_id: str
) -> str:
    """Write a fitted classifier as an MLflow model into a folder that is not there yet, and return its digest.

    The spec goes with it: a model reads what it scores as it was meant when it was trained, whatever the YAML says now.

    Args:
        estimator: fitted on the data set's features.
        dataset: its spec; gives the signature.
        example: a few rows of the features.
        folder: where the files go.
        run_id: the run that it belongs to.
        model_id: the logged model that it belongs to.
    """
    load_skops()  # quietly, before MLflow does
    save_model(
        estimator,
        str(folder),
        mlflow_model=Model(run_id=run_id, model_id=model_id),
        serialization_format="skops",
        skops_trusted_types=TRUSTED_TYPES,
        signature=signature(dataset),
        input_example=example,
        pip_requirements=[f"{package}=={version}" for package, version in versions().items()],
    )
    (folder / SPEC_FILE).write_text(dataset.model_dump_json(indent=2), encoding="utf-8")
    return digest(folder)


def example(folder: Path) -> pd.DataFrame:
    """Return the few rows that were written with a model."""
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
    """Load a model from files that nobody vouches for.

    The digest must be the one recorded at training; and even then nothing but a skops file is opened, with the types
    that the platform trusts and not those that the model names.

    Returns:
        The classifier, per input column its MLflow type, `double` or `string`, and the spec that it was trained by.

    Raises:
        RegistryError: the files are not what was recorded, or could run code, or cannot be loaded.
    """
    if not expected_digest or (found := digest(folder)) != expected_digest:
        raise RegistryError(f"the model's files have digest {found if expected_digest else 'unchecked'}, "
                            f"recorded at training was {expected_digest or 'none'}")  # fmt: skip
    _refuse_code_files(folder)
    described, dataset, skops = _description(folder), _spec(folder), load_skops()
    refusals = skops.exceptions
    try:
        return skops.load(folder / MODEL_FILE, trusted=TRUSTED_TYPES), _columns(described), dataset
    except refusals.UntrustedTypesFoundException as error:
        raise RegistryError(f"the model holds types that the platform does not trust: {error}") from None
    except (
        *(zipfile.BadZipFile, refusals.UnsupportedTypeException),
        *(LookupError, TypeError, ValueError, AttributeError),
    ) as error:
        raise RegistryError(f"the model cannot be loaded: {type(error).__name__}: {error}") from error


def _refuse_code_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or path.suffix.lower() in _CODE_SUFFIXES or name.split("/")[0] == "code":
            raise RegistryError(f"the model holds {name!r}, which could run code")


def _description(folder: Path) -> dict[str, Any]:
    try:
        described = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        flavors = described["flavors"]
        wrong = {
            f"{flavor}.{option}": flavors[flavor].get(option)
            for flavor, options in _SAFE_FLAVORS.items()
            for option, value in options.items()
            if flavors[flavor].get(option) != value
        }
    except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError) as error:
        raise RegistryError(f"the file MLmodel is missing or malformed: {type(error).__name__}: {error}") from error
    if wrong or set(flavors) != set(_SAFE_FLAVORS):
        raise RegistryError(f"the file MLmodel asks for more than a skops model: flavors {sorted(flavors)}, {wrong}")
    return dict(described)


def _spec(folder: Path) -> Dataset:
    try:
        return Dataset.model_validate_json((folder / SPEC_FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise RegistryError(f"the file {SPEC_FILE} is missing or malformed: {error}") from error


def _columns(described: dict[str, Any]) -> dict[str, str]:
    return {column.name: column.type.name for column in Schema.from_json(described["signature"]["inputs"]).inputs}
