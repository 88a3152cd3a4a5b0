"""Features of other tables as of the label's time: equal to a brute-force join, whatever order the rows came in."""

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres import PostgreSQLOfflineStore

from ml_platform.feature_store import features, point_in_time
from ml_platform.feature_store.offline_store import STORE, LateralPostgresOfflineStore, lookup_of
from ml_platform.specs.spec import Dataset
from ml_platform.training import build_training_set, training_set
from tests.ml_platform.feature_store.joined_tables import TTL, declare, load, moment, timed
from tests.ml_platform.keyless import without_key

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

NEVER = datetime(2200, 1, 1, tzinfo=UTC)
PLACES = [("1", 23), ("12", 3), ("a", 1), ("a", 2), ("b", 1)]  # concatenated, the first two are equal


@pytest.fixture
def joined(tmp_path: Path) -> Dataset:
    return declare(tmp_path)


def draw_readings(chance: random.Random, count: int) -> list[dict[str, Any]]:
    """Draw readings with ties in event time, late reports, corrections and forecasts, in any order."""
    drawn = {}
    for number in range(count):
        at = chance.randrange(40) / 4
        seen = at + chance.choice([-1, 0, 0, 0, 0.25, 1, 5])
        place = chance.choice(PLACES[:-1])
        sky = chance.choice(["clear", "rain", ""])
        drawn[(place, at, seen)] = {"A": place[0], "B": place[1], "AT": at, "SEEN": seen, "TEMP": number, "SKY": sky}
    rows = list(drawn.values())
    chance.shuffle(rows)
    return rows


def draw_visits(chance: random.Random, count: int) -> list[dict[str, Any]]:
    places = [*PLACES, ("", ""), ("z", 9)]
    visits = []
    for number in range(count):
        p, q = chance.choice(places)
        at = chance.randrange(-4, 60) / 4
        visits.append({"ID": number, "LABEL": chance.choice(["yes", "no"]), "WHEN": at, "P": p, "Q": q})
    return visits


def known_then(readings: list[dict[str, Any]], visit: dict[str, Any]) -> dict[str, Any] | None:
    """Return the reading that a visit may see: true and known by then, not too old, the newest of it."""
    at = visit["WHEN"]
    allowed = [
        row for row in readings
        if (row["A"], row["B"]) == (visit["P"], visit["Q"]) and at - TTL <= row["AT"] <= at and row["SEEN"] <= at
    ]  # fmt: skip
    return max(allowed, key=lambda row: (row["AT"], row["SEEN"]), default=None)


def values(cells: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in cells]


def expected(readings: list[dict[str, Any]], visits: list[dict[str, Any]], column: str) -> list[Any]:
    known = [known_then(readings, visit) for visit in visits]
    return [(row[column] or None if isinstance(row[column], str) else row[column]) if row else None for row in known]


@pytest.mark.parametrize("seed", range(3))
def test_training_and_scoring_equal_a_brute_force_join(joined: Dataset, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 – no secret
    (table,) = joined.tables
    readings, visits = draw_readings(chance, 400), draw_visits(chance, 300)
    for part in range(3):  # out of order, and some of them after the labels
        load(table, timed(readings[part::3]), suffix=f"_{part}")
        if part == 1:
            load(joined, timed(visits))
    names = [f"{table.name}__{column}" for column in ("TEMP", "SKY")]
    frame = training_set.load(joined, build_training_set.freeze(joined)).frame
    for name, column in zip(names, ("TEMP", "SKY"), strict=True):
        assert values(frame[name]) == expected(readings, visits, column)
    rows = pa.RecordBatch.from_pylist([row | {"WHEN": moment(row["WHEN"]), "P": row["P"] or None, "Q": row["Q"] or None}
                                       for row in visits])  # fmt: skip
    scored = point_in_time.joined_features(joined, rows, NEVER)
    for name, column in zip(names, ("TEMP", "SKY"), strict=True):
        assert values(scored[name]) == expected(readings, visits, column)
    assert {None} < set(values(scored[names[0]]))
    entities = pd.DataFrame(timed(visits)).replace("", None).rename(columns={"WHEN": "event_timestamp"} | on(joined))
    framed = historical(LateralPostgresOfflineStore, joined, entities)
    for name, column in zip(names, ("TEMP", "SKY"), strict=True):
        assert values(framed[name]) == expected(readings, visits, column)


def test_rows_without_a_key_are_joined_on_their_columns(joined: Dataset) -> None:
    chance = random.Random(9)  # noqa: S311 – no secret
    keyless = without_key(joined)
    (table,) = keyless.tables
    readings, visits = draw_readings(chance, 200), draw_visits(chance, 100)
    visits += [visit | {"LABEL": "yes"} for visit in visits[:20]]  # equal rows, all of which count
    load(table, timed(readings))
    load(keyless, timed(visits))
    frame = training_set.load(keyless, build_training_set.freeze(keyless)).frame
    numbers = [int(row_id.split(":")[1]) for row_id in frame["row_id"]]
    assert sorted(numbers) == list(range(1, 121))
    in_order = [visits[number - 1] for number in numbers]
    for column in ("TEMP", "SKY"):
        assert values(frame[f"{table.name}__{column}"]) == expected(readings, in_order, column)


def on(dataset: Dataset) -> dict[str, str]:
    """Return the name that the join has for each column of a visit that readings are joined on."""
    return {column: name for name, column in dataset.join_columns.items()}


def historical(kind: Any, dataset: Dataset, rows: pd.DataFrame | str) -> pd.DataFrame:
    """Join the readings to rows by one of the two stores; return them by the number of the visit."""
    store, (table,) = features.store(), dataset.tables
    joined: pd.DataFrame = kind.get_historical_features(
        config=store.config, feature_views=features.joined_views(dataset),
        feature_refs=[f"{table.name}:{name}" for name in ("TEMP", "SKY")], entity_df=rows,
        registry=store.registry, project=store.project, full_feature_names=True, filter_by_created_timestamp=True,
    ).to_df()  # fmt: skip
    return joined.sort_values("ID", ignore_index=True)


def test_where_keys_cannot_be_confused_the_join_equals_feasts_own(joined: Dataset) -> None:
    chance = random.Random(7)  # noqa: S311 – no secret
    (table,) = joined.tables
    readings = [row for row in draw_readings(chance, 300) if row["A"] == "a"]
    visits = [row for row in draw_visits(chance, 200) if row["P"] == "a"]
    load(table, timed(readings))
    load(joined, timed(visits))
    features.apply(joined)
    query = build_training_set.labels_query(joined)
    own, theirs = (historical(kind, joined, query) for kind in (LateralPostgresOfflineStore, PostgreSQLOfflineStore))
    pd.testing.assert_frame_equal(own[sorted(own)], theirs[sorted(own)])
    assert own[f"{table.name}__TEMP"].notna().any()


def test_the_way_back_to_feasts_own_store(joined: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `type: postgres` in feature_store.yaml, the same rows give the same training set; scoring is as before."""
    chance = random.Random(8)  # noqa: S311 – no secret
    (table,) = joined.tables
    visits = [row for row in draw_visits(chance, 100) if row["P"] in ("a", "b")]
    load(table, timed([row for row in draw_readings(chance, 200) if row["A"] in ("a", "b")]))
    load(joined, timed(visits))
    rows = pa.RecordBatch.from_pylist([row | {"WHEN": moment(row["WHEN"])} for row in visits])
    frozen, scored = build_training_set.freeze(joined), point_in_time.joined_features(joined, rows, NEVER)
    written = (features.REPOSITORY / "feature_store.yaml").read_text(encoding="utf-8")
    (tmp_path / "feature_store.yaml").write_text(written.replace(STORE, "postgres"), encoding="utf-8")
    monkeypatch.setattr(features, "REPOSITORY", tmp_path)
    assert features.store().config.offline_store.type == "postgres"
    assert build_training_set.freeze(joined) == frozen
    pd.testing.assert_frame_equal(point_in_time.joined_features(joined, rows, NEVER), scored)


def test_a_canary_from_the_future_is_never_seen(joined: Dataset) -> None:
    """Readings that equal the label, made right after it, known late, or known before they are true."""
    (table,) = joined.tables
    visits = [{"ID": i, "LABEL": "yes" if i % 2 else "no", "WHEN": 5, "P": "a", "Q": i} for i in range(40)]
    late = [{"A": "a", "B": i, "AT": 5 + 1e-6, "SEEN": 0, "TEMP": i % 2, "SKY": ""} for i in range(40)]
    known_late = [{"A": "a", "B": i, "AT": 4, "SEEN": 5 + 1e-6, "TEMP": i % 2, "SKY": ""} for i in range(40)]
    load(table, timed([*late, *known_late]))
    load(joined, timed(visits))
    frame = training_set.load(joined, build_training_set.freeze(joined)).frame
    assert len(frame) == 40
    assert frame[f"{table.name}__TEMP"].isna().all()


def test_a_value_lives_as_long_as_its_table_says_and_no_longer(joined: Dataset) -> None:
    (table,) = joined.tables
    load(table, timed([{"A": "a", "B": 1, "AT": 0, "SEEN": 0, "TEMP": 7, "SKY": ""}]))
    times = [-0.25, 0, TTL, TTL + 1e-6]
    load(joined, timed([{"ID": i, "LABEL": "no", "WHEN": at, "P": "a", "Q": 1} for i, at in enumerate(times)]
                       + [{"ID": 9, "LABEL": "yes", "WHEN": 0, "P": "a", "Q": 2}]))  # fmt: skip
    frame = training_set.load(joined, build_training_set.freeze(joined)).frame
    assert values(frame[f"{table.name}__TEMP"]) == [None, 7, 7, None, None]


def test_a_table_is_looked_up_like_its_view(joined: Dataset) -> None:
    (table,), (view,) = joined.tables, features.joined_views(joined)
    refs = [f"{table.name}:{name}" for name in table.own_features]
    features.apply(joined)  # which tells Feast the keys' types
    assert point_in_time.table_lookup(table).join("v", "event_timestamp") == lookup_of(
        view, refs, full_names=True, by_known_time=True
    ).join("v", "event_timestamp")
