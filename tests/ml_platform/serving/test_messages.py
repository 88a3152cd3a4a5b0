"""The bodies of answers: the state of a model, and the fields that callers rely on."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from ml_platform.scoring.live_models import ServedModel
from ml_platform.serving import messages
from tests.ml_platform.keyless import without_key
from tests.ml_platform.serving.models import SHOP, WEEKS, make_model

SINCE = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
MODEL = make_model(SHOP, 3)
SERVED = ServedModel(MODEL, 3, None, SINCE)


@pytest.mark.parametrize(
    ("served", "status", "version", "reason"),
    [
        (SERVED, "ok", 3, None),
        (replace(SERVED, live_version=4, problem="version 4 is not used"), "degraded", 3, "version 4 is not used"),
        (ServedModel(None, 4, "its files are missing", None), "unavailable", None, "its files are missing"),
    ],
)
def test_health_has_the_status_the_version_and_the_reason(
    served: ServedModel, status: str, version: int | None, reason: str | None
) -> None:
    health = messages.health_of(served)
    assert health.model_dump() == {"status": status, "version": version, "reason": reason}


def test_a_model_is_described_with_its_threshold_and_origin() -> None:
    body = messages.model_of(SERVED, MODEL).model_dump(mode="json")
    assert body == {
        "status": "ok", "version": 3, "reason": None, "model": "shop", "live_version": 3,
        "since": "2026-02-03T04:05:00Z", "task": "binary",
        "threshold": MODEL.task.threshold, "interval": None, "classes": ["0", "1"], "key": ["id"],
        "run_id": "run", "training_set_sha256": "f" * 64, "spec_sha256": SHOP.sha256,
    }  # fmt: skip


def test_several_classes_have_no_threshold_and_a_key_may_have_several_columns() -> None:
    model = make_model(WEEKS)
    body = messages.model_of(ServedModel(model, 1, None, SINCE), model)
    assert (body.threshold, body.classes, body.key) == (None, ["poor", "fair", "good"], ["town", "number"])


def test_a_key_is_named_as_files_name_it_and_there_may_be_none() -> None:
    column = SHOP.columns["id"].model_copy(update={"header": "Customer no."})
    dataset = SHOP.model_copy(update={"columns": SHOP.columns | {"id": column}})
    assert messages.model_of(SERVED, replace(MODEL, dataset=dataset)).key == ["Customer no."]
    assert messages.model_of(SERVED, replace(MODEL, dataset=without_key(SHOP))).key == []


@pytest.mark.parametrize("answer", [
    messages.Problem(detail="the request: 1 of 2 rows are bad",
                     errors=[messages.BadRow(row=2, field="age", value="x", reason="not a whole number")]),
    messages.Predictions(model="shop", model_version=3, threshold=0.5, predictions=[
        messages.Prediction(key={"id": 7}, probability=0.1 + 0.2, prediction="0")]),
    messages.Health(status="ok", models={"shop": messages.health_of(SERVED)}),
])  # fmt: skip
def test_an_answer_reads_back_from_json_unchanged(answer: messages.BaseModel) -> None:
    assert type(answer).model_validate_json(answer.model_dump_json()) == answer


def test_a_status_is_one_of_three() -> None:
    with pytest.raises(ValidationError, match="status"):
        messages.ModelHealth(status="fine", version=1)  # type: ignore[arg-type]
