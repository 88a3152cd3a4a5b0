"""The point-in-time join looks up each row's newest value that was true and known; on small tables written in SQL."""

from typing import Any

import pandas as pd
import pytest
from feast import Entity, FeatureView, Field, ValueType
from feast.errors import EntityTimestampInferenceException
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres import PostgreSQLOfflineStore
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Float64

from ml_platform.feature_store import features
from ml_platform.feature_store.offline_store import LateralPostgresOfflineStore, Lookup, join_query
from ml_platform.storage.database import fetch
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name

READINGS = """(VALUES
    ('a', 1, '2026-01-01'::timestamptz, '2026-01-01'::timestamptz, 10),
    ('a', 1, '2026-01-03', '2026-01-03', 30),
    ('a', 1, '2026-01-03', '2026-01-05', 31),
    ('a', 2, '2026-01-02', '2026-01-02', 20)
) AS readings (place, level, at, known, heat)"""


def on_servers(test: Any) -> Any:
    return pytest.mark.servers(pytest.mark.usefixtures("servers")(test))


def lookup(**changes: Any) -> Lookup:
    given = {
        "source": f"(SELECT * FROM {READINGS})", "keys": {"place": "p", "level": "q"}, "features": {"heat": "w__heat"},
        "event": "at", "created": "known", "ttl": 0, "by_known_time": True,
    }  # fmt: skip
    return Lookup(**given | changes)


def heats(time: str, *lookups: Lookup, p: str = "'a'", q: str = "1") -> list[Any]:
    """Return the features of one row, joined as of a time."""
    entity = f"SELECT 7 AS id, {p}::text AS p, {q}::int AS q, '{time}'::timestamptz AS t"
    ((key, *values),) = fetch(join_query(entity, ["id"], "t", lookups))
    assert key == 7
    return values


@on_servers
@pytest.mark.parametrize(
    ("time", "heat"),
    [
        ("2025-12-31", None),
        ("2026-01-01", 10),
        ("2026-01-02 23:59:59.999999", 10),
        ("2026-01-03", 30),
        ("2026-01-04 23:59:59", 30),
        ("2026-01-05", 31),
        ("2030-01-01", 31),
    ],
    ids=[
        "before all",
        "at the event",
        "just before the next",
        "the next",
        "before the correction",
        "corrected",
        "late",
    ],
)
def test_a_row_gets_the_newest_value_that_was_true_and_known(time: str, heat: int | None) -> None:
    assert heats(time, lookup()) == [heat]


@on_servers
def test_without_the_known_time_a_correction_counts_from_its_event_on() -> None:
    assert heats("2026-01-04", lookup(by_known_time=False)) == [31]
    assert heats("2026-01-02", lookup(created="", by_known_time=False)) == [10]


@on_servers
@pytest.mark.parametrize(("time", "heat"), [("2026-01-02", 10), ("2026-01-02 00:00:00.000001", None)])
def test_a_value_older_than_its_time_to_live_is_missing(time: str, heat: int | None) -> None:
    assert heats(time, lookup(ttl=86_400)) == [heat]


@on_servers
@pytest.mark.parametrize(
    ("p", "q", "heat"), [("'a'", "2", 20), ("'a'", "3", None), ("'b'", "1", None), ("NULL", "1", None)]
)
def test_all_columns_of_the_key_must_be_equal(p: str, q: str, heat: int | None) -> None:
    assert heats("2026-02-01", lookup(), p=p, q=q) == [heat]


@on_servers
def test_each_lookup_adds_its_own_features() -> None:
    second = lookup(features={"heat": "x__heat", "place": "x__place"}, ttl=86_400)
    assert heats("2026-01-05", lookup(), second) == [31, None, None]


@on_servers
def test_hostile_names_are_only_names() -> None:
    name = "a\"b'; DROP TABLE x; --"
    source = "(SELECT 'a' AS place, 1 AS level, 5 AS \"a\"\"b'; DROP TABLE x; --\", now() - interval '1 day' AS at)"
    assert heats("2999-01-01", lookup(source=source, features={name: name}, created="")) == [5]


def test_a_view_is_looked_up_by_its_source_keys_and_time_to_live() -> None:
    dataset = make_dataset("sample")
    view = features.feature_view(dataset)
    view.entity_columns = [Field(name="ID", dtype=Float64)]
    found = Lookup.of_view(view, ["sample:RATIO", "other:PRICE"], full_names=False, by_known_time=True)
    assert found == Lookup(
        source='features."sample"', keys={"ID": "ID"}, features={"RATIO": "RATIO"},
        event="event_timestamp", created="created_timestamp", ttl=0, by_known_time=True,
    )  # fmt: skip
    assert Lookup.of_view(view, ["sample:RATIO"], full_names=True, by_known_time=True).features == {
        "RATIO": "sample__RATIO"
    }


def test_a_view_without_key_columns_is_refused() -> None:
    source = PostgreSQLSource(name="s", table="t", timestamp_field="event_timestamp")
    entity = Entity(name="thing", join_keys=["ID"], value_type=ValueType.INT64)
    view = FeatureView(name="bare", entities=[entity], schema=[Field(name="RATIO", dtype=Float64)], source=source)
    view.entity_columns = []
    with pytest.raises(ValueError, match="the feature view bare has no key columns"):
        Lookup.of_view(view, ["bare:RATIO"], full_names=True, by_known_time=True)


@on_servers
class TestFeastsInterface:
    @pytest.fixture
    def arguments(self) -> dict[str, Any]:
        dataset = make_dataset(new_name())
        features.apply(dataset)
        store = features.store()
        return {
            "config": store.config, "feature_views": [store.get_feature_view(dataset.name)],
            "feature_refs": [f"{dataset.name}:RATIO"], "registry": store.registry, "project": store.project,
        }  # fmt: skip

    @pytest.mark.parametrize("times", ["7 AS other", "now() AS one, now() AS two"])
    def test_a_query_without_one_time_column_is_refused(self, arguments: dict[str, Any], times: str) -> None:
        query = f'SELECT 1 AS "ID", {times}'
        with pytest.raises(EntityTimestampInferenceException):
            LateralPostgresOfflineStore.get_historical_features(entity_df=query, **arguments)

    def test_entity_rows_in_a_frame_are_joined_by_feast(
        self, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = iter(["of Feast"])
        monkeypatch.setattr(PostgreSQLOfflineStore, "get_historical_features", lambda *_, **__: next(answers))
        frame = pd.DataFrame({"ID": [1], "event_timestamp": [pd.Timestamp("2026-01-01", tz="UTC")]})
        assert LateralPostgresOfflineStore.get_historical_features(entity_df=frame, **arguments) == "of Feast"
