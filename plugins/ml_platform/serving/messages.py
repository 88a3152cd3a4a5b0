"""The bodies of the service's answers, as the OpenAPI description has them."""

from datetime import datetime

from pydantic import BaseModel, Field

from ml_platform.records.files import File
from ml_platform.records.models import ModelVersion
from ml_platform.records.results import Result
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.live_models import ServedModel, Status
from ml_platform.specs.tasks import TaskName


class BadRow(BaseModel):
    """One bad value of one row."""

    row: int = Field(description="number of the row in the request, from 1")
    field: str = Field(description="empty if it is about the whole row")
    value: str
    reason: str


class Problem(BaseModel):
    """Why the request was not answered."""

    detail: str
    errors: list[BadRow] = []


class Reason(BaseModel):
    """A feature, and how much its value moves the prediction."""

    feature: str = Field(description="the column's name as in the files")
    value: bool | int | float | str | None = Field(description="of this row; null if it is missing")
    effect: float = Field(description="on the scale `reasons_scale`")


class Prediction(BaseModel):
    """The prediction for one row."""

    key: dict[str, int | str] = Field(description="the entity's key; without one `row`, the row's number from 1")
    prediction: str | float = Field(description="the class, or the number")
    probability: float | None = Field(
        default=None, description="of the positive class; with several classes, of the predicted class"
    )
    probabilities: dict[str, float] | None = Field(default=None, description="of each class; null with two classes")
    low: float | None = Field(default=None, description="numbers: low end of the interval")
    high: float | None = Field(default=None, description="numbers: high end of the interval")
    base: float | None = Field(default=None, description="with `explain`: what the model says without the features")
    reasons: list[Reason] | None = Field(default=None, description="with `explain`: the largest effects, in that order")
    rest: float | None = Field(
        default=None, description="with `explain`: sum of all other effects; base, effects and rest add up"
    )


class Interval(BaseModel):
    """The interval around a predicted number."""

    lower: float = Field(description="distance from the prediction to the low end, usually negative")
    upper: float = Field(description="distance from the prediction to the high end, usually positive")
    coverage: float = Field(description="share of true values that it is made to hold")


class Predictions(BaseModel):
    """The predictions for the rows of a request, in the same order."""

    model: str
    model_version: int
    threshold: float | None = Field(default=None, description="two classes: a row is positive from this probability on")
    interval: Interval | None = Field(default=None, description="numbers: the interval around each prediction")
    reasons_scale: str | None = Field(default=None, description="with `explain`: what the effects add up to")
    predictions: list[Prediction]


class ModelHealth(BaseModel):
    """The state of one model."""

    status: Status
    version: int | None = Field(description="the version that answers")
    reason: str | None = Field(default=None, description="why the status is not ok")


class Health(BaseModel):
    """The state of the service; degraded if a model is not, or may not be, the live one."""

    status: Status
    models: dict[str, ModelHealth]


class Model(ModelHealth):
    """The model that answers, and how it was trained."""

    model: str
    live_version: int | None = Field(description="the version that the alias champion names")
    since: datetime | None = Field(description="the time from which it answers")
    task: TaskName
    threshold: float | None = None
    interval: Interval | None = None
    classes: list[str]
    key: list[str] = Field(description="the fields of the entity's key; empty if rows have none")
    run_id: str
    training_set_sha256: str
    spec_sha256: str


class Dropped(BaseModel):
    """A file that was dropped."""

    file: File


class FileList(BaseModel):
    """Some files of a data set."""

    files: list[File]
    total: int = Field(description="number of all files that were asked for, also those on other pages")


class ResultList(BaseModel):
    """Some results of a data set."""

    results: list[Result]


class VersionList(BaseModel):
    """Some versions of a model."""

    models: list[ModelVersion]


def health_of(served: ServedModel) -> ModelHealth:
    """Return the state of a model."""
    version = served.model.version if served.model else None
    return ModelHealth(status=served.status, version=version, reason=served.problem)


def model_of(served: ServedModel, model: LoadedModel) -> Model:
    """Return the description of the model that answers."""
    return Model(
        **health_of(served).model_dump(),
        model=model.name,
        live_version=served.live_version,
        since=served.since,
        task=model.task.name,
        classes=list(model.task.classes),
        **model.task.facts(),
        key=[model.dataset.header(key) for key in model.dataset.entity.key],
        run_id=model.run_id,
        training_set_sha256=model.training_set_sha256,
        spec_sha256=model.dataset.sha256,
    )
