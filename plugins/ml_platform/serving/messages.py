"""What the service answers, as it stands in the OpenAPI description."""

from datetime import datetime

from pydantic import BaseModel, Field

from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.serving.live_models import Live, Status


class BadRow(BaseModel):
    """One thing that is wrong with one row."""

    row: int = Field(description="its number in the request, from 1")
    field: str = Field(description="empty: the row as a whole")
    value: str
    reason: str


class Problem(BaseModel):
    """Why there is no answer."""

    detail: str
    errors: list[BadRow] = []


class Prediction(BaseModel):
    """What the model says of one row."""

    key: dict[str, int | str] = Field(description="the entity's key")
    probability: float = Field(description="of the positive class; of several classes that of the predicted one")
    prediction: str
    probabilities: dict[str, float] | None = Field(default=None, description="of each class, if there are several")


class Predictions(BaseModel):
    """What the model says of the rows of a request, in their order."""

    model: str
    model_version: int
    threshold: float | None = Field(description="the probability from which a row is positive; null: several classes")
    predictions: list[Prediction]


class ModelHealth(BaseModel):
    """How it stands with one model."""

    status: Status
    version: int | None = Field(description="that answers")
    reason: str | None = Field(default=None, description="why the status is not ok")


class Health(BaseModel):
    """Whether the service can answer: degraded if not every model is known to be the live one."""

    status: Status
    models: dict[str, ModelHealth]


class Model(ModelHealth):
    """The model that answers, and where it comes from."""

    model: str
    live_version: int | None = Field(description="that the alias champion names")
    since: datetime | None = Field(description="when it began to answer")
    threshold: float | None
    classes: list[str]
    key: list[str] = Field(description="the entity's key, as rows name it")
    run_id: str
    training_set_sha256: str
    spec_sha256: str


def health_of(live: Live) -> ModelHealth:
    """Return how it stands with a model."""
    return ModelHealth(status=live.status, version=live.model.version if live.model else None, reason=live.problem)


def model_of(live: Live, model: LoadedModel) -> Model:
    """Return what is known of the model that answers."""
    return Model(
        **health_of(live).model_dump(),
        model=model.name,
        live_version=live.wanted,
        since=live.since,
        threshold=model.threshold,
        classes=list(model.classes),
        key=[model.dataset.header(key) for key in model.dataset.keys],
        run_id=model.run_id,
        training_set_sha256=model.training_set_sha256,
        spec_sha256=model.dataset.sha256,
    )
