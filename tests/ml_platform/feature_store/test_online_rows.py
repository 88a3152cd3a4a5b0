"""The online store holds exactly the newest row of each entity; on a real Postgres."""

import random
from datetime import UTC, datetime
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from ml_platform.commands.main import app
from ml_platform.exceptions import ConfigurationError
from ml_platform.feature_store import features, online_rows
from ml_platform.ingestion import uploads
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import csv_bytes, drop, make_dataset, new_name, timed_dataset

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

BIG = 2**53 + 1


def load(dataset: Dataset, *rows: dict[str, str], suffix: str = "") -> None:
    report = uploads.ingest(dataset, drop(dataset, csv_bytes(*rows), suffix))
    assert (report["outcome"], report["rows_rejected"]) == ("loaded", 0), report["reasons"]


def newest(dataset: Dataset, *keys: Any, **others: list[Any]) -> list[dict[str, Any] | None]:
    """Return the stored row of each key, None where there is none."""
    first = pa.array(keys, pa.int64() if isinstance(keys[0], int) else pa.string())
    batch = pa.RecordBatch.from_pydict({dataset.keys[0]: first} | {n: pa.array(v) for n, v in others.items()})
    found, unknown = online_rows.newest_rows(dataset, batch)
    rows = iter(found.to_pylist())
    return [None if i in unknown else next(rows) for i in range(len(keys))]


def values(dataset: Dataset, column: str, *keys: Any) -> list[Any]:
    return [row and row[column] for row in newest(dataset, *keys)]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


@pytest.fixture
def timed() -> Dataset:
    return timed_dataset(new_name(), known_at="SEEN", columns={"SEEN": "timestamp"})


def test_a_row_comes_back_as_it_was_loaded(sample: Dataset) -> None:
    dataset = sample.model_copy(update={"columns": sample.columns | {"COUNT": sample.columns["ID"]}})
    chance = random.Random(1)  # noqa: S311 – no secret
    floats = [0.1 + 0.2, 5e-324, -1.7976931348623157e308, *(chance.gauss(0, 1e9) for _ in range(50))]
    rows = [{"ID": str(BIG + i), "COUNT": str(-BIG - i), "RATIO": repr(x), "PRICE": f"{abs(x) % 1e6:.3f}"}
            for i, x in enumerate(floats)]  # fmt: skip
    load(dataset, *rows, {"ID": "-1", "COUNT": "", "RATIO": "", "PRICE": "", "KIND": "", "FLAG": ""})
    assert online_rows.materialize(dataset) == len(floats) + 1
    found = newest(dataset, *(int(row["ID"]) for row in rows))
    for row, stored in zip(rows, found, strict=True):
        assert stored is not None
        assert (stored["ID"], stored["COUNT"]) == (int(row["ID"]), int(row["COUNT"]))
        assert (repr(stored["RATIO"]), repr(stored["PRICE"])) == (repr(float(row["RATIO"])), repr(float(row["PRICE"])))
        assert (stored["KIND"], stored["FLAG"]) == ("Blue Collar", True)
    empty = {"COUNT": None, "RATIO": None, "PRICE": None, "KIND": None, "FLAG": None}
    assert newest(dataset, -1, BIG - 1) == [{"ID": -1} | empty, None]


def test_keys_that_look_alike_are_not_one(sample: Dataset) -> None:
    text = sample.model_copy(update={"columns": sample.columns | {"ID": sample.columns["NOTE"]}})
    ids = ["7", "007", "7.0", "ä", "a b", "a\tb"]
    load(text, *({"ID": key, "RATIO": str(i)} for i, key in enumerate(ids)))
    online_rows.materialize(text)
    assert values(text, "RATIO", *ids, "07", "a") == [0, 1, 2, 3, 4, 5, None, None]


def test_several_columns_are_one_key(sample: Dataset) -> None:
    key = {"entity": sample.entity.model_copy(update={"key": ("NOTE", "ID")})}
    dataset = sample.model_copy(update={"name": new_name(), **key})
    load(dataset, {"NOTE": "1", "ID": "23", "RATIO": "1"}, {"NOTE": "12", "ID": "3", "RATIO": "2"})
    online_rows.materialize(dataset)
    found = newest(dataset, "1", "12", "123", ID=[23, 3, 0])
    assert [row and row["RATIO"] for row in found] == [1, 2, None]


def test_the_newest_is_the_latest_event_and_then_the_latest_known(timed: Dataset) -> None:
    def row(at: int, seen: int, ratio: int) -> dict[str, str]:
        return {"AT": f"2026-01-0{at}T00:00:00.000001Z", "SEEN": f"2026-01-0{seen}", "RATIO": str(ratio)}

    load(timed, row(3, 4, 34), row(3, 5, 35), row(2, 9, 29))
    online_rows.materialize(timed)
    assert values(timed, "RATIO", 1) == [35]
    load(timed, row(1, 9, 19), suffix="_late")  # older than the stored row: it changes nothing
    online_rows.materialize(timed)
    assert values(timed, "RATIO", 1) == [35]
    load(timed, row(3, 6, 36), suffix="_corrected")
    online_rows.materialize(timed)
    (found,) = newest(timed, 1)
    assert found is not None
    assert (found["RATIO"], found["AT"]) == (36, datetime(2026, 1, 3, 0, 0, 0, 1, UTC))


def test_only_what_is_new_is_written(sample: Dataset) -> None:
    load(sample, {"ID": "1"}, {"ID": "2"})
    assert [online_rows.materialize(sample), online_rows.materialize(sample)] == [2, 0]
    load(sample, {"ID": "2", "RATIO": "7"}, {"ID": "3"}, suffix="_2")
    assert online_rows.materialize(sample) == 2
    assert values(sample, "RATIO", 1, 2, 3) == [0.5, 7, 0.5]


def test_a_command_brings_earlier_rows_online(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    load(sample, {"ID": "1"}, {"ID": "2"})
    monkeypatch.setattr("ml_platform.commands.dataset.find_table", lambda _: sample)
    result = CliRunner().invoke(app, ["dataset", "materialize", sample.name])
    assert result.exit_code == 0, result.output
    assert "the newest rows of 2 entities were written" in result.output
    assert values(sample, "RATIO", 2) == [0.5]


def test_an_interrupted_run_is_finished_by_the_next(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise psycopg.OperationalError("the server went away")

    load(sample, {"ID": "1"})
    with monkeypatch.context() as patch:
        patch.setattr(online_rows.WholeRowPostgresOnlineStore, "mark_materialized", away)
        with pytest.raises(psycopg.OperationalError):
            online_rows.materialize(sample)
    assert [online_rows.materialize(sample), online_rows.materialize(sample)] == [1, 0]


def test_when_columns_change_all_is_written_again_and_a_removed_one_is_not_guessed(sample: Dataset) -> None:
    load(sample, {"ID": "1"}, {"ID": "2"})
    online_rows.materialize(sample)
    without = {name: column for name, column in sample.columns.items() if name != "RATIO"}
    changed = sample.model_copy(update={"columns": without | {"MORE": sample.columns["RATIO"]}})
    load(changed, {"ID": "2", "MORE": "3"}, suffix="_2")
    assert online_rows.materialize(changed) == 2
    assert values(changed, "MORE", 1, 2) == [None, 3]
    with pytest.raises(ConfigurationError, match=r"does not hold RATIO, which the model was trained with.*send rows"):
        values(sample, "RATIO", 1, 2)  # as an older model would read it


def test_feast_itself_gives_the_same(sample: Dataset) -> None:
    load(sample, {"ID": str(BIG), "RATIO": "0.3"})
    online_rows.materialize(sample)
    store = features.store()
    values = store.get_online_features(store.get_feature_service(sample.name), [{"ID": BIG}, {"ID": 1}]).to_dict()
    assert {name: values[name] for name in ("ID", "RATIO", "KIND")} == {
        "ID": [BIG, 1], "RATIO": [0.3, None], "KIND": ["Blue Collar", None],
    }  # fmt: skip


def test_a_data_set_without_columns_of_its_own_is_scored_by_rows(sample: Dataset) -> None:
    without = {name: sample.columns[name] for name in ("ID", "LABEL", "COST")}
    bare = sample.model_copy(update={"columns": without})
    assert online_rows.materialize(bare) == 0
    with pytest.raises(ConfigurationError, match="send rows"):
        online_rows.newest_rows(bare, pa.RecordBatch.from_pydict({"ID": [1]}))
