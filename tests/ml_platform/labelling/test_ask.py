"""From test to truth, on real servers: scored rows are asked about once, and come back as rows of the next training."""

import csv
import io
from typing import Any

import pandas as pd
import pytest

from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.feature_store import features
from ml_platform.labelling.ask import Questions, ask
from ml_platform.removal import forget_entity
from ml_platform.scoring import batch
from ml_platform.specs.holdout import holdout_by_entity
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from ml_platform.training.build_training_set import build
from tests.ml_platform.ingestion.upload_cases import drop, new_name
from tests.ml_platform.labelling_cases import answer
from tests.ml_platform.promotion.champions import train_live
from tests.ml_platform.training.trainings import (
    ONE,
    make_dataset,
    make_frame,
    make_training_set,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

FIRST = 10_000  # the ids of scored rows begin here
SCORED, REPEATED = 300, 200


@pytest.fixture(scope="module")
def shop(mlflow_server: Any) -> Dataset:
    """A data set with a live model that has scored two files; the second repeats rows of the first."""
    dataset = make_dataset(new_name(), ONE)
    train_live(dataset, make_training_set(dataset))
    frame = make_frame(SCORED, seed=7)
    member = frame["member"].map({1.0: "yes", 0.0: "no"})
    frame = frame.assign(id=frame["id"] + FIRST, age=frame["age"].round().astype("Int64"), member=member)
    frame.loc[frame["id"] == FIRST, "town"] = "=cmd()"
    frame = frame.drop(columns=["event_timestamp", "buys"])
    for suffix, rows in (("_one", SCORED), ("_two", REPEATED)):
        text = frame.head(rows).to_csv(index=False).encode()
        batch.answer(dataset, drop(dataset, text, suffix, "test"))
    return dataset


def rows_of(questions: Questions) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(object_store.get("label", str(questions.key)).decode())))


def test_scored_rows_become_training_rows(shop: Dataset) -> None:
    questions = ask(shop, 20, by="ann", labeller="bob")
    rows = rows_of(questions)
    assert (questions.rows, len(rows), questions.scored) == (20, 20, SCORED + REPEATED)
    assert questions.left_out["scored again later"] == REPEATED
    assert list(rows[0])[:5] == ["ask_id", "buys", "labelled_by", "model: probability", "model: prediction"]
    assert {row["buys"] for row in rows} == {""}
    assert {row["labelled_by"] for row in rows} == {"bob"}
    ids = fetch("SELECT (entity_key ->> 'id')::int FROM labelling.asked WHERE dataset = $1 ORDER BY 1", shop.name)
    assert [one for (one,) in ids] == sorted(int(row["id"]) for row in rows)
    assert not holdout_by_entity(pd.Series([one for (one,) in ids]), shop.name, shop.gate.holdout).any()

    second = ask(shop, 20, by="ann")
    assert not {row["id"] for row in rows} & {row["id"] for row in rows_of(second)}, "no row is asked about twice"
    assert second.left_out["asked about before"] == 20

    header = "ask_id,buys,labelled_by"
    report = answer(shop, *(f"{row['ask_id']},{i % 2},bob" for i, row in enumerate(rows[:12])), header=header)
    assert report["rows_loaded"] == 12, report["reasons"]
    features.apply(shop)
    frame = build(shop)[0]
    assert frame["id"].tolist() == sorted(int(row["id"]) for row in rows[:12])
    asked = {int(row["id"]): row for row in rows}
    for key, age, town in zip(frame["id"], frame["age"], frame["town"].astype(str), strict=True):
        assert (str(int(age)) if age == age else "") == asked[key]["age"]
        assert town.replace("nan", "") == asked[key]["town"].lstrip("'")
    assert ask(shop, 1, by="ann").left_out["labelled"] == 12


def test_all_that_is_left_is_asked_and_then_nothing(shop: Dataset) -> None:
    rest = ask(shop, 10_000, by="ann")
    cells = [row["town"] for row in rows_of(rest)]
    assert not [cell for cell in cells if cell.startswith("=")], "no spreadsheet runs it"
    nothing = ask(shop, 1, by="ann")
    assert (nothing.rows, nothing.key) == (0, None)


def test_an_erased_entity_cannot_come_back_by_an_answer(shop: Dataset) -> None:
    first, key = fetch(
        "SELECT ask_id, entity_key ->> 'id' FROM labelling.asked a WHERE dataset = $1 AND NOT EXISTS"
        " (SELECT FROM labelling.answers b WHERE b.ask_id = a.ask_id) ORDER BY ask_id LIMIT 1",
        shop.name,
    )[0]
    report = answer(shop, f"{first},1,ann,{key}", header="ask_id,buys,labelled_by,id")
    assert report["rows_loaded"] == 1
    erased = forget_entity.erase(forget_entity.plan(shop, [key]), reason="asked for", by="bob")
    assert erased.table_rows["labelling.asked"] == 1
    assert f"label/{report['archived_key']}" in {str(found.file) for found in erased.files.found}
    written = [
        object_store.get("label", one.key) for one in object_store.list_objects("label", f"asked/label_{shop.name}.")
    ]
    assert not [data for data in written if first.encode() in data]
    again = answer(shop, f"{first},1,ann", header="ask_id,buys,labelled_by")
    assert again["rows_rejected"] == 1


def test_a_hold_out_by_time_is_refused() -> None:
    timed = make_dataset(new_name(), ONE)
    by_time = timed.model_copy(update={"gate": timed.gate.model_copy(update={"holdout_by": "time"})})
    with pytest.raises(ConfigurationError, match=r"set gate\.holdout_by: entity in datasets/"):
        ask(by_time, 1, by="ann")


def test_without_the_file_nothing_is_recorded(shop: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{70_000 + i},{20 + i},1000,yes,,Ulm," for i in range(30)]  # so that some are not in the hold-out
    text = "\n".join(["id,age,income,member,empty,town,blank", *rows])
    batch.answer(shop, drop(shop, text.encode(), "_three", "test"))
    before = fetch("SELECT count(*) FROM labelling.asked WHERE dataset = $1", shop.name)

    def fail(*_: Any) -> None:
        raise ServiceError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(object_store, "put_new", fail)
        with pytest.raises(ServiceError, match="away"):
            ask(shop, 2, by="ann")
    assert fetch("SELECT count(*) FROM labelling.asked WHERE dataset = $1", shop.name) == before
    assert ask(shop, 2, by="ann").rows > 0
