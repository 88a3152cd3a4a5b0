"""Answers become labels as of now and features as of the scoring, once; what was not asked about is rejected."""

import pandas as pd
import pytest

from ml_platform.feature_store import features
from ml_platform.ingestion import inbox, uploads
from ml_platform.removal import withdraw_upload
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from ml_platform.training.build_training_set import build
from tests.ml_platform.ingestion.upload_cases import drop, make_dataset, many, new_name, timed_dataset, upload_later
from tests.ml_platform.keyless import without_key
from tests.ml_platform.labelling_cases import ROW, SCORED_AT, answer, drop_answers, record_asked

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def labels(dataset: Dataset) -> list[tuple[object, ...]]:
    return fetch(
        f'SELECT l."ID", l."LABEL", a.labelled_by FROM labels."{dataset.name}" l JOIN labelling.answers a'
        " ON (a.dataset, a.upload_sha256, a.line) = ($1, l.upload_sha256, l.line) ORDER BY l.created_timestamp, 1",
        dataset.name,
    )


def training_rows(dataset: Dataset) -> pd.DataFrame:
    """Return the rows that a training would get."""
    features.apply(dataset)
    return build(dataset)[0]


def test_answers_are_loaded_once_with_the_features_that_were_scored(sample: Dataset) -> None:
    first, second, third = record_asked(sample, [{"ID": 1}, {"ID": 2}, {"ID": 3}])
    key = drop_answers(sample, f"{first},1,ann", f"{second},0,bob", f"{third},,ann")
    assert [version.bucket for version in inbox.look(sample, "train").due] == ["label"]
    report = uploads.ingest(sample, key)
    assert (report["outcome"], report["bucket"], report["purpose"]) == ("loaded", "label", "train")
    assert (report["rows_read"], report["rows_loaded"], report["rows_rejected"]) == (2, 2, 0)
    assert report["warnings"] == ["1 of 3 rows have no label yet; fill them in, and drop the file again"]
    assert labels(sample) == [(1, 1, "ann"), (2, 0, "bob")]
    rows = training_rows(sample)
    for name in ("COUNT", "RATIO", "PRICE", "KIND", "FLAG"):
        assert rows[name].tolist() == [ROW[name]] * 2
    times = fetch(
        f"SELECT DISTINCT l.event_timestamp = $1::text::timestamptz, l.created_timestamp > l.event_timestamp"
        f' FROM labels."{sample.name}" l',
        SCORED_AT,
    )
    assert times == [(True, True)]
    assert uploads.announce(sample, "run") == 2

    again = answer(sample, f"{first},1,ann", f"{second},1,ann", f"{third},0,ann")
    assert (again["rows_loaded"], again["rows_present"]) == (2, 1), "the same label is already there"
    assert labels(sample)[2:] == [(2, 1, "ann"), (3, 0, "ann")]
    assert training_rows(sample)["LABEL"].tolist() == [1, 1, 0], "the correction counts"


def test_a_file_that_is_read_again_changes_nothing(sample: Dataset) -> None:
    (first,) = record_asked(sample, [{"ID": 1}])
    report = answer(sample, f"{first},1,ann", suffix=".same")
    data = object_store.get("label", report["archived_key"])
    assert uploads.load(sample, "train", report["key"])["outcome"] == "loaded", "the same arrival"
    upload_later(report, data)
    assert uploads.ingest(sample, report["key"])["outcome"] == "duplicate"
    assert len(labels(sample)) == 1


def test_what_was_not_asked_or_is_not_allowed_is_rejected_with_a_reason(sample: Dataset) -> None:
    first, second = record_asked(sample, [{"ID": 1}, {"ID": 2}])
    drop_other = drop(sample, many(3))
    uploads.ingest(sample, drop_other)
    report = answer(sample, f"{first},maybe,ann", f"{second},1,", "ask-none,1,ann", f"{first},1,ann", f"{first},0,ann")
    found = {(one["line"], one["column"], one["value"]): one["reason"] for one in report["reasons"]}
    assert report["outcome"] == "loaded", "one mistake does not reject the other rows"
    assert (report["rows_read"], report["rows_loaded"], report["rows_rejected"]) == (5, 1, 4)
    assert "no row with this id was asked about" in found[4, "ask_id", "ask-none"]
    assert "say who gave the label" in found[3, "labelled_by", ""]
    assert (2, "LABEL", "maybe") in found
    assert "is already on line 5" in found[6, "ask_id", first]
    rejected = object_store.get("label", str(report["rejected_key"])).decode()
    assert rejected.count("ask-none") == 1


def test_a_file_without_ids_is_rejected_as_a_whole(sample: Dataset) -> None:
    record_asked(sample, [{"ID": 1}])
    report = answer(sample, "1,1", header="ID,LABEL")
    assert report["outcome"] == "rejected"
    assert report["template"] is None
    text = object_store.get("label", report["report_key"].removesuffix(".json") + ".txt").decode()
    assert "ask_id" in text


def test_answers_can_be_taken_back_and_given_again(sample: Dataset) -> None:
    (first,) = record_asked(sample, [{"ID": 1}])
    report = answer(sample, f"{first},1,ann")
    done = withdraw_upload.withdraw(sample, report["sha256"], reason="a mistake", by="bob")
    assert (done.rows, done.entities) == (1, 1)
    assert labels(sample) == []
    assert fetch(f'SELECT count(*) FROM features."{sample.name}"') == [(0,)]
    assert answer(sample, f"{first},1,ann")["rows_loaded"] == 1


def test_rows_with_an_event_time_keep_it(sample: Dataset) -> None:
    timed = timed_dataset(new_name(), gate={"holdout_by": "entity"})
    (first,) = record_asked(timed, [{"ID": 1}])
    assert answer(timed, f"{first},1,ann")["rows_loaded"] == 1
    rows = training_rows(timed)
    assert rows["event_timestamp"].iloc[0].isoformat() == SCORED_AT
    assert rows["COUNT"].tolist() == [3]


def test_rows_without_a_key_are_answered_too() -> None:
    dataset = without_key(make_dataset(new_name()))
    row_id = "b1946ac92492d234:17:9c3fa2b15d0e"
    (first,) = record_asked(dataset, [{"row_id": row_id}])
    assert answer(dataset, f"{first},1,ann")["rows_loaded"] == 1
    assert fetch(f'SELECT row_id FROM labels."{dataset.name}"') == [(row_id,)]
