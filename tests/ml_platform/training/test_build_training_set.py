"""What a training may see: each label with what was known at its time, frozen for good. On real servers, with Feast."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from ml_platform.exceptions import ConfigurationError, DegenerateDataError, RegistryError
from ml_platform.feature_store import features
from ml_platform.ingestion import uploads
from ml_platform.specs.catalog import dataset
from ml_platform.specs.parts import Label
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch, identifier
from ml_platform.training import build_training_set, training_set
from ml_platform.training.results import Source
from tests.ml_platform.ingestion.upload_cases import csv_bytes, drop, make_dataset, many, new_name, timed_dataset

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

START = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = datetime(2200, 1, 1, tzinfo=UTC)


def load(data_set: Dataset, *rows: dict[str, str], suffix: str = "") -> str:
    """Load a file of such rows; return the SHA-256 of its bytes."""
    outcome = uploads.ingest(data_set, drop(data_set, csv_bytes(*rows), suffix))
    assert outcome["outcome"] == "loaded", outcome["reasons"]
    return outcome["sha256"]


def frozen(data_set: Dataset) -> pd.DataFrame:
    return training_set.load(data_set, build_training_set.freeze(data_set)).frame


def day(number: float) -> str:
    return (START + timedelta(days=number)).isoformat()


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


@pytest.fixture
def reported() -> Dataset:
    """A data set whose rows were true at AT and known from SEEN on."""
    return timed_dataset(new_name(), known_at="SEEN", columns={"SEEN": "timestamp"})


def test_what_is_loaded_back_is_what_was_built(sample: Dataset) -> None:
    load(sample, {"ID": "3"}, {"ID": "1", "KIND": "", "FLAG": "", "COUNT": ""}, {"ID": "2", "LABEL": "1", "FLAG": "no"})
    reference = build_training_set.freeze(sample)
    built, classes, brought = build_training_set.build(sample)
    back = training_set.load(sample, reference)
    pd.testing.assert_frame_equal(back.frame, built, check_exact=True)
    assert back.classes == tuple(classes) == ("0", "1")
    assert back.sha256 == training_set.content_hash(built) == reference.sha256
    assert list(built) == ["ID", "event_timestamp", "COUNT", "RATIO", "PRICE", "KIND", "FLAG", "LABEL"]
    assert built.dtypes.astype(str).tolist()[2:] == ["float64"] * 3 + ["object", "float64", "int64"]
    assert built["ID"].tolist() == [1, 2, 3]
    assert built["LABEL"].tolist() == [0, 1, 0]
    assert type(built["KIND"][0]) is type(back.frame["KIND"][0]) is float
    assert np.isnan(built["FLAG"][0])
    assert back.sources == [Source(f"train_{sample.name}.csv", next(iter(brought)), 3)]
    assert list(brought.values()) == [3]


def test_frozen_twice_it_is_one_object(sample: Dataset) -> None:
    load(sample, {"ID": "1"})
    first = build_training_set.freeze(sample)
    (written,) = object_store.list_objects("mlflow", f"training_sets/{sample.name}/")
    assert build_training_set.freeze(sample) == first
    assert object_store.list_objects("mlflow", f"training_sets/{sample.name}/") == [written]
    load(sample, {"ID": "2"}, suffix="_2")
    assert build_training_set.freeze(sample).sha256 != first.sha256
    assert training_set.load(sample, first).frame["ID"].tolist() == [1]


def test_the_order_of_loading_does_not_matter() -> None:
    rows = [{"ID": str(i), "AT": day(i % 3), "RATIO": f"{i / 7}", "LABEL": f"{i % 2}"} for i in range(40)]
    hashes = set()
    for order in (rows, rows[::-1]):
        data_set = timed_dataset(new_name())
        load(data_set, *order[:25])
        load(data_set, *order[25:], suffix="_2")
        hashes.add(build_training_set.freeze(data_set).sha256)
    assert len(hashes) == 1


def test_a_tampered_file_is_refused(sample: Dataset) -> None:
    load(sample, {"ID": "1"}, {"ID": "2", "LABEL": "1"})
    reference = build_training_set.freeze(sample)
    frame = training_set.load(sample, reference).frame
    body = frame.assign(LABEL=1 - frame["LABEL"]).to_parquet(index=False)
    object_store.client().put_object(Bucket="mlflow", Key=reference.key, Body=body)
    with pytest.raises(RegistryError, match="content hash"):
        training_set.load(sample, reference)


def test_without_labels_there_is_no_training_set(sample: Dataset) -> None:
    with pytest.raises(DegenerateDataError, match=f"no labelled rows are loaded; drop train_{sample.name}"):
        build_training_set.freeze(sample)


def test_the_sources_are_the_uploads_whose_labels_are_in_it(reported: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(reported, {"AT": day(0), "SEEN": day(0)})
    corrected = load(reported, {"AT": day(0), "SEEN": day(1), "LABEL": "1"}, suffix="_2")
    build = build_training_set.build

    def built_just_before_a_load(data_set: Dataset) -> Any:
        answer = build(data_set)
        load(data_set, {"ID": "9", "AT": day(0), "SEEN": day(0)}, suffix="_3")
        return answer

    monkeypatch.setattr(build_training_set, "build", built_just_before_a_load)
    sources = [source.sha256 for source in build_training_set.freeze(reported).sources]
    assert sources == [corrected] != [first]


@pytest.mark.parametrize(
    ("column", "positive", "cells"),
    [
        ("text", "yes", ("yes", "no")),
        ({"type": "category", "strip_prefix": "z_"}, "z_Yes", ("z_Yes", "No")),
        ("boolean", "yes", ("true", "no")),
        ("boolean", 1, ("yes", "0")),
        ("number", 1, ("1.0", "0")),
        ("text", "it's '; --", ("it's '; --", "no")),
    ],
)
def test_the_positive_value_is_read_as_a_cell_is(column: Any, positive: Any, cells: tuple[str, str]) -> None:
    label = {"column": "LABEL", "positive": positive}
    data_set = make_dataset(new_name(), label=label, columns={"LABEL": column})
    load(data_set, *({"ID": str(i), "LABEL": cell} for i, cell in enumerate(cells)))
    assert frozen(data_set)["LABEL"].tolist() == [1, 0]


def test_a_positive_value_that_no_cell_can_hold_is_named() -> None:
    data_set = make_dataset(new_name(), label={"column": "LABEL", "positive": "yes"})
    with pytest.raises(ConfigurationError, match=r"label.positive is 'yes': not a whole number"):
        load(data_set, {"ID": "1"})
    load(data_set.model_copy(update={"label": Label(column="LABEL", positive="1")}), {"ID": "1"})
    with pytest.raises(ConfigurationError, match=r"label.positive is 'yes': not a whole number"):
        build_training_set.freeze(data_set)


def test_a_loaded_label_that_the_spec_no_longer_names_is_an_error_that_says_where_it_is(sample: Dataset) -> None:
    name = sample.name
    wider = make_dataset(name, label={"column": "LABEL", "classes": ["0", "1", "2"]})
    load(wider, {"ID": "7"}, {"ID": "8", "LABEL": "1"}, {"ID": "9"})
    load(wider, {"ID": "1"}, {"ID": "2", "LABEL": "2"}, suffix="_wrong")
    with pytest.raises(DegenerateDataError) as error:
        build_training_set.freeze(sample)
    (summary, line) = str(error.value).splitlines()
    assert summary.startswith(f"{name}: 1 rows have a label LABEL beyond 0 and 1")
    assert line == f"train_{name}_wrong.csv, line 3 (ID 2): '2'"


# -- point in time ----------------------------------------------------------------------------------------------------


@pytest.fixture
def declared(tmp_path: Path, reported: Dataset) -> Dataset:
    """A data set with both clocks, declared as a user declares one: by a YAML."""
    document = reported.model_dump(mode="json", exclude_defaults=True)
    (tmp_path / f"{reported.name}.yaml").write_text(yaml.safe_dump(document))
    return dataset(reported.name, tmp_path)


def history(chance: random.Random, entities: int, rows: int) -> list[dict[str, Any]]:
    """Draw rows with ties in event time, late reports, backfills, corrections and forecasts."""
    drawn = {}
    for number in range(rows):
        at = chance.randrange(8)
        row = {"ID": chance.randrange(entities), "AT": at, "SEEN": at + chance.choice([-1, 0, 0, 0, 1, 2, 6])}
        drawn[tuple(row.values())] = row | {"LABEL": chance.randrange(2), "RATIO": number}
    return list(drawn.values())


def known_then(rows: list[dict[str, Any]], entity: int, at: float) -> dict[str, Any] | None:
    """Return the row that a label of that time may see: what was true and known by then, the newest of it."""
    seen = [row for row in rows if row["ID"] == entity and row["AT"] <= at and row["SEEN"] <= at]
    return max(seen, key=lambda row: (row["AT"], row["SEEN"]), default=None)


def as_cells(row: dict[str, Any]) -> dict[str, str]:
    times = {name: day(row[name]) for name in ("AT", "SEEN")}
    kind = {"KIND": "" if row["RATIO"] % 5 == 0 else f"kind {row['RATIO'] % 3}"}
    return {name: str(value) for name, value in row.items()} | times | kind


def test_the_join_equals_a_brute_force_join(declared: Dataset) -> None:
    chance = random.Random(11)  # noqa: S311 – no secret
    rows = history(chance, entities=12, rows=600)
    chance.shuffle(rows)
    for part in range(3):
        load(declared, *map(as_cells, rows[part::3]), suffix=f"_{part}")
    latest = {(row["ID"], row["AT"]): row for row in sorted(rows, key=lambda row: row["SEEN"])}
    expected = []
    for (entity, at), label in sorted(latest.items()):
        seen = known_then(rows, entity, at)
        expected.append((entity, day(at), label["LABEL"], seen["RATIO"] if seen else None))
    frame = frozen(declared)
    ratios = [None if np.isnan(value) else value for value in frame["RATIO"]]
    times = [at.isoformat() for at in frame["event_timestamp"]]
    found = list(zip(frame["ID"], times, frame["LABEL"], ratios, strict=True))
    assert found == expected
    assert {None} < {ratio for *_, ratio in found}
    sent = {row["RATIO"]: as_cells(row)["KIND"] or None for row in rows}
    kinds = [kind if isinstance(kind, str) else None for kind in frame["KIND"]]
    assert kinds == [sent.get(ratio) for ratio in ratios]


def test_labels_at_any_time_see_what_a_brute_force_join_sees(declared: Dataset) -> None:
    chance = random.Random(12)  # noqa: S311 – no secret
    rows = history(chance, entities=12, rows=400)
    load(declared, *map(as_cells, rows))
    features.apply(declared)
    wanted = sorted({(chance.randrange(14), chance.randrange(-4, 60) / 4) for _ in range(500)})
    values = ", ".join(f"({entity}, '{day(at)}'::timestamptz)" for entity, at in wanted)
    query = f'SELECT * FROM (VALUES {values}) AS asked("ID", event_timestamp)'
    joined = features.historical_features(declared, query).sort_values(["ID", "event_timestamp"])
    seen = [known_then(rows, *one) for one in wanted]
    assert len(joined) == len(wanted)
    assert [None if np.isnan(v) else v for v in joined["RATIO"].astype("float64")] == [r and r["RATIO"] for r in seen]
    assert None in seen


def test_a_feature_that_is_known_only_after_the_label_is_never_seen(reported: Dataset) -> None:
    """The canary: it equals the label, so one that is seen would make a perfect and useless model."""
    rows = [{"ID": str(i), "LABEL": str(i % 2), "COUNT": str(i % 2)} for i in range(50)]
    load(reported, *(row | {"AT": day(1), "SEEN": day(1 + (1 + int(row["ID"])) / 86400e3)} for row in rows))
    frame = frozen(reported)
    assert (len(frame), frame["LABEL"].sum()) == (50, 25)
    assert frame[list(reported.features)].isna().all(axis=None)
    load(reported, *(row | {"AT": day(0), "SEEN": day(1), "COUNT": "7"} for row in rows), suffix="_2")
    frame = frozen(reported)
    assert (frame["COUNT"][frame["event_timestamp"] == day(1)] == 7).all()


def test_a_backfill_is_not_seen_by_labels_before_it_was_loaded() -> None:
    data_set = timed_dataset(new_name(), known_at="load")
    rows = [{"ID": str(i), "LABEL": str(i % 2), "COUNT": str(i % 2), "AT": day(i % 5)} for i in range(50)]
    load(data_set, *rows)
    assert frozen(data_set)[list(data_set.features)].isna().all(axis=None)
    load(data_set, *(row | {"AT": NEVER.isoformat()} for row in rows), suffix="_2")
    later = frozen(data_set)[lambda frame: frame["event_timestamp"] == NEVER]
    assert (later["COUNT"] == later["ID"] % 2).all()


def test_an_entity_uploaded_again_keeps_what_its_first_label_saw(sample: Dataset) -> None:
    load(sample, {"ID": "1", "RATIO": "0.1"}, {"ID": "2", "RATIO": "0.2"})
    load(sample, {"ID": "1", "RATIO": "0.9", "LABEL": "1"}, suffix="_2")
    frame = frozen(sample)
    assert frame[["ID", "RATIO", "LABEL"]].to_numpy().tolist() == [[1, 0.1, 0], [1, 0.9, 1], [2, 0.2, 0]]
    assert frame["event_timestamp"].is_monotonic_increasing is False
    assert frame["event_timestamp"].nunique() == 2


def test_the_join_of_a_plain_upload_is_never_empty(sample: Dataset) -> None:
    uploads.ingest(sample, drop(sample, many(500)))
    frame = frozen(sample)
    assert len(frame) == 500
    assert frame[list(sample.features)].notna().all(axis=None)


def test_applied_twice_it_is_the_same_registry(sample: Dataset) -> None:
    features.apply(sample)
    view = features.store().get_feature_view(sample.name)
    features.apply(sample)
    assert features.store().get_feature_view(sample.name) == view
    assert [field.name for field in view.features] == list(sample.features)
    assert fetch(f"SELECT to_regclass('features.{identifier(sample.name)}')::text") == [(None,)]
