"""Answers that are given one by one, on real servers: kept at once, taken back, handed in, and loaded as any file."""

import csv
import io

import pytest

from ml_platform.exceptions import ContractError, ServiceError
from ml_platform.ingestion import uploads
from ml_platform.labelling import drafts
from ml_platform.records import questions
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from tests.ml_platform.ingestion.upload_cases import csv_bytes, ingest, make_dataset, new_name
from tests.ml_platform.labelling_cases import record_asked

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def asked_dataset(rows: int, **changes: object) -> tuple[Dataset, list[str]]:
    dataset = make_dataset(new_name(), **changes)
    return dataset, record_asked(dataset, [{"ID": 100 + i} for i in range(rows)])


def test_answers_are_kept_taken_back_and_loaded_once_handed_in() -> None:
    dataset, ids = asked_dataset(4)
    assert drafts.keep(dataset, ids[0], "1", "ann") == "ann"
    assert drafts.keep(dataset, ids[1], "0", "ann") == "ann"
    assert drafts.keep(dataset, ids[2], "1", "bob") == "bob"
    assert drafts.keep(dataset, ids[0], "0", "bob") == "ann", "the first answer counts"
    assert drafts.take_back(dataset, "ann") == ids[1]
    assert questions.progress(dataset, "ann") == questions.Progress(4, 2, 1, 1)

    question = questions.next_question(dataset, "ann")
    assert question is not None
    assert question.ask_id in {ids[1], ids[3]}
    assert question.values["KIND"] == "=HYPERLINK()"
    assert question.key == {"ID": 100 + ids.index(question.ask_id)}
    skipped = questions.next_question(dataset, "ann", (question.ask_id,))
    assert skipped is not None
    assert skipped.ask_id != question.ask_id

    drafts.keep(dataset, ids[3], "0", "ann")
    written = drafts.hand_in(dataset, "ann")
    assert written is not None
    key, number = written
    assert number == 2
    assert drafts.hand_in(dataset, "ann") is None, "nothing is handed in twice"
    assert drafts.take_back(dataset, "ann") is None, "what is handed in is not taken back here"
    rows = sorted(csv.reader(io.StringIO(object_store.get("label", key).decode())))
    assert rows == sorted([["ask_id", "LABEL", "labelled_by"], [ids[0], "1", "ann"], [ids[3], "0", "ann"]])
    (waiting,) = questions.handed_in(dataset)
    assert (waiting.key, waiting.labelled_by, waiting.answers, waiting.outcome) == (key, "ann", 2, None)

    report = uploads.ingest(dataset, key)
    assert report["rows_loaded"] == 2, report["reasons"]
    (loaded,) = questions.handed_in(dataset)
    assert (loaded.outcome, loaded.rows_loaded, loaded.rows_rejected) == ("loaded", 2, 0)
    by = fetch("SELECT ask_id, labelled_by FROM labelling.answers WHERE dataset = $1 ORDER BY 1", dataset.name)
    assert by == sorted([(ids[0], "ann"), (ids[3], "ann")])
    assert questions.progress(dataset, "bob") == questions.Progress(4, 1, 1, 0)


def test_nothing_is_handed_in_without_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, ids = asked_dataset(1)
    drafts.keep(dataset, ids[0], "1", "ann")

    def fail(*_: object) -> None:
        raise ServiceError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(object_store, "put_new", fail)
        with pytest.raises(ServiceError, match="away"):
            drafts.hand_in(dataset, "ann")
    assert questions.progress(dataset, "ann").kept == 1
    written = drafts.hand_in(dataset, "ann")
    assert written is not None
    assert written[1] == 1


def test_a_label_that_the_spec_does_not_allow_is_not_kept() -> None:
    dataset, ids = asked_dataset(1, label={"column": "LABEL", "positive": 1, "negative": 0})
    with pytest.raises(ContractError, match="LABEL '2': not allowed; allowed are 0, 1"):
        drafts.keep(dataset, ids[0], "2", "ann")
    with pytest.raises(ContractError, match="missing"):
        drafts.keep(dataset, ids[0], " ", "ann")
    assert questions.progress(dataset, "ann").kept == 0


def test_the_other_value_of_a_label_is_that_of_the_loaded_rows() -> None:
    dataset = make_dataset(new_name())
    assert drafts.choices(dataset) == ("1",), "without rows it is not known"
    ingest(dataset, csv_bytes({"ID": "1", "LABEL": "1"}, {"ID": "2", "LABEL": "7"}))
    assert drafts.choices(dataset) == ("7", "1")


def test_the_values_of_the_spec_are_the_choices() -> None:
    named = make_dataset(label={"column": "LABEL", "classes": [1, 2, 3]})
    assert drafts.choices(named) == ("1", "2", "3")
    assert drafts.choices(make_dataset(label={"column": "RATIO", "kind": "number"})) == ()
