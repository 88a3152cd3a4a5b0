"""What Feast asks of an offline store, asked of ours and of Feast's own beside it: ours passes wherever Feast's does.

The cases are those of Feast's universal suite for offline stores, and more. Where Feast's own store is wrong, the case
says so (`only_ours`): it must fail there as described, and pass with ours. `make prove` runs both, the gate only ours.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pytest
from feast import Entity, FeatureService, FeatureView, Field, ValueType
from feast.errors import EntityTimestampInferenceException, RequestDataNotFoundInEntityDfException
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import SavedDatasetPostgreSQLStorage
from feast.types import Array, Bool, FeastType, Float32, Float64, Int32, Int64, String, UnixTimestamp

from tests.ml_platform.feature_store.feast_repository import (
    EVENT,
    FEASTS,
    OURS,
    START,
    Examples,
    Repository,
    customer,
    draw_examples,
    driver,
    known_at,
    repository,
    with_request_data,
)

pytestmark = [
    pytest.mark.servers,
    pytest.mark.usefixtures("servers"),
    pytest.mark.filterwarnings("ignore:On demand feature view is an experimental feature:RuntimeWarning"),
]

KINDS = [pytest.param(OURS, id="ours"), pytest.param(FEASTS, id="feasts", marks=pytest.mark.prove)]
in_both_forms = pytest.mark.parametrize("form", ["query", "frame"])
with_both_names = pytest.mark.parametrize("full", [True, pytest.param(False, marks=pytest.mark.prove)])
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEYS = {
    "driver_stats": {"driver_id": "driver_id"}, "customer_profile": {"customer_id": "customer_id"},
    "order": {"customer_id": "customer_id", "driver_id": "driver_id"}, "global_stats": {}, "field_mapping": {},
}  # fmt: skip
FEATURES = [
    "driver_stats:conv_rate", "driver_stats:avg_daily_trips", "customer_profile:current_balance",
    "customer_profile:lifetime_trip_count", "order:order_is_success", "global_stats:num_rides",
    "global_stats:avg_ride_length", "field_mapping:feature_name",
]  # fmt: skip


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repository]:
    with repository(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def only_ours(store: Repository) -> Callable[..., AbstractContextManager[Any]]:
    """Expect that Feast's own store does not pass what is inside, by an error that is named with the reason."""

    def expectation(why: str, error: type[BaseException] = AssertionError) -> AbstractContextManager[Any]:
        assert why
        return pytest.raises(error) if store.kind == FEASTS else nullcontext()

    return expectation


@pytest.fixture
def examples(store: Repository) -> Examples:
    drawn = draw_examples(store)
    store.feast.apply(drawn.definitions)
    return drawn


def named(reference: str, full: bool) -> str:
    return reference.replace(":", "__") if full else reference.partition(":")[2]


def known(examples: Examples, reference: str, ttl: timedelta | None = None) -> list[Any]:
    """Return a feature of each of the example rows, by brute force."""
    view, _, feature = reference.partition(":")
    column = "column_name" if feature == "feature_name" else feature
    lives = examples.views[view].ttl if ttl is None else ttl
    return known_at(examples.rows, examples.frames[view], column, lives, KEYS[view])


def same(cells: pd.Series, expected: list[Any]) -> bool:
    """Return whether features are equal; numbers may be rounded to the precision of Float32."""
    pairs = zip(cells, expected, strict=True)
    return all(pd.isna(one) if other is None else one == pytest.approx(other, rel=1e-6) for one, other in pairs)


def check(joined: pd.DataFrame, examples: Examples, full: bool, ttl: timedelta | None = None) -> pd.DataFrame:
    """Check the features of the example rows, and return these in the order of the rows."""
    joined = joined.set_index("order_id").loc[examples.rows["order_id"]].reset_index()
    assert (joined[EVENT].dt.tz_localize("UTC") == pd.to_datetime(examples.rows[EVENT].tolist(), utc=True)).all()
    for reference in FEATURES:
        assert same(joined[named(reference, full)], known(examples, reference, ttl)), reference
    return joined


class TestTheExamples:
    """Drivers, customers, orders (two keys), and the world (no key), with times of several zones."""

    @in_both_forms
    @with_both_names
    def test_all_features_with_on_demand_ones(
        self, store: Repository, examples: Examples, form: str, full: bool
    ) -> None:
        rows = with_request_data(examples.rows)
        features = [*FEATURES, "plus:plus_100", "plus:plus_val"]
        joined = store.join(store.entity_rows(rows, form), features, full_feature_names=full)
        assert sorted(joined) == sorted([*rows, *(named(reference, full) for reference in features)])
        joined = check(joined, examples, full)
        rates = known(examples, "driver_stats:conv_rate")
        added = [None if rate is None else rate + i for i, rate in enumerate(rates)]
        assert same(joined[named("plus:plus_val", full)], added)
        assert joined[named("plus:plus_100", full)].notna().sum() == sum(rate is not None for rate in rates) > 0

    @in_both_forms
    @with_both_names
    def test_only_those_on_demand_features_that_are_asked_for(
        self, store: Repository, examples: Examples, form: str, full: bool
    ) -> None:
        rows = store.entity_rows(with_request_data(examples.rows), form)
        joined = store.join(rows, ["plus:plus_100"], full_feature_names=full)
        assert named("plus:plus_100", full) in joined
        assert named("plus:plus_val", full) not in joined

    @in_both_forms
    def test_without_the_input_of_an_on_demand_feature_it_fails(
        self, store: Repository, examples: Examples, form: str, only_ours: Any
    ) -> None:
        rows = store.entity_rows(examples.rows, form)
        feasts = only_ours("a query's columns are not looked at", KeyError) if form == "query" else nullcontext()
        with feasts, pytest.raises(RequestDataNotFoundInEntityDfException):
            store.join(rows, ["plus:plus_val"])

    @in_both_forms
    def test_one_view_under_two_names_and_on_other_columns(
        self, store: Repository, examples: Examples, form: str
    ) -> None:
        place = examples.views["location_stats"]
        service = FeatureService(
            name="way",
            features=[
                place.with_name("start").with_join_key_map({"location_id": "origin_id"}),
                place.with_name("end").with_join_key_map({"location_id": "destination_id"}),
            ],
        )
        store.feast.apply([*examples.definitions, service])
        joined = store.join(store.entity_rows(examples.rows, form), service, full_feature_names=True)
        joined = joined.set_index("order_id").loc[examples.rows["order_id"]]
        for name, column in (("start", "origin_id"), ("end", "destination_id")):
            expected = known_at(
                examples.rows, examples.frames["location_stats"], "temperature", place.ttl, {"location_id": column}
            )
            assert same(joined[f"{name}__temperature"], expected)

    @pytest.mark.prove
    @in_both_forms
    def test_a_service_with_on_demand_features(self, store: Repository, examples: Examples, form: str) -> None:
        service = FeatureService(
            name="rates", features=[examples.views["driver_stats"][["conv_rate"]], examples.views["plus"]]
        )
        store.feast.apply([*examples.definitions, service])
        joined = store.join(store.entity_rows(with_request_data(examples.rows), form), service)
        joined = joined.set_index("order_id").loc[examples.rows["order_id"]]
        assert same(joined["conv_rate"], known(examples, "driver_stats:conv_rate"))
        assert {"plus_100", "plus_val"} <= set(joined)

    @in_both_forms
    def test_without_a_time_to_live(self, store: Repository, examples: Examples, form: str) -> None:
        for view in examples.views.values():
            view.ttl = timedelta(0)
        store.feast.apply(examples.definitions)
        joined = store.join(store.entity_rows(examples.rows, form), FEATURES)
        check(joined, examples, full=False, ttl=timedelta(0))

    @pytest.mark.prove
    @in_both_forms
    def test_a_view_that_features_are_pushed_to(self, store: Repository, examples: Examples, form: str) -> None:
        rows = examples.rows.rename(columns={"origin_id": "location_id"})
        joined = store.join(store.entity_rows(rows, form), ["pushed_stats:temperature"])
        expected = known_at(
            rows, examples.frames["location_stats"], "temperature", timedelta(days=2), {"location_id": "location_id"}
        )
        assert same(joined.set_index("order_id").loc[rows["order_id"]]["temperature"], expected)

    @pytest.mark.prove
    @in_both_forms
    def test_a_feature_that_a_view_does_not_have(self, store: Repository, examples: Examples, form: str) -> None:
        narrow = FeatureView(
            name="narrow", entities=[driver], schema=[Field(name="avg_daily_trips", dtype=Int32)],
            source=examples.views["driver_stats"].batch_source,
        )  # fmt: skip
        store.feast.apply([*examples.definitions, narrow])
        with pytest.raises(KeyError):
            store.join(store.entity_rows(examples.rows, form), ["narrow:conv_rate"])

    @pytest.mark.filterwarnings("ignore:Saving dataset is an experimental feature:RuntimeWarning")
    @in_both_forms
    def test_a_saved_data_set(self, store: Repository, examples: Examples, form: str) -> None:
        rows = store.entity_rows(examples.rows, form)
        job = store.feast.get_historical_features(entity_df=rows, features=FEATURES)
        store.tables.append(f"{store.name}_saved")
        saved = store.feast.create_saved_dataset(
            from_=job, name="saved", storage=SavedDatasetPostgreSQLStorage(store.tables[-1])
        )
        times = pd.to_datetime(examples.rows[EVENT].tolist(), utc=True)
        assert (pd.Timestamp(saved.min_event_timestamp), pd.Timestamp(saved.max_event_timestamp)) == (
            times.min(), times.max(),
        )  # fmt: skip
        kept = saved.to_df().sort_values([EVENT, "customer_id", "driver_id"], ignore_index=True)
        joined = job.to_df().sort_values([EVENT, "customer_id", "driver_id"], ignore_index=True)
        for reference in FEATURES:
            assert same(kept[named(reference, full=False)], joined[named(reference, full=False)].replace(np.nan, None))

    @pytest.mark.parametrize("latest", [True, False])
    def test_the_online_store_gets_the_newest_rows(self, store: Repository, examples: Examples, latest: bool) -> None:
        store.feast.config.materialization_config.pull_latest_features = latest
        until = START + timedelta(hours=30)
        store.feast.materialize(START, until, ["driver_stats"])
        online = store.feast.get_online_features(
            ["driver_stats:avg_daily_trips"], [{"driver_id": one} for one in (5001, 5005)]
        ).to_dict()
        rows = pd.DataFrame({"driver_id": [5001, 5005], EVENT: [until, until]})
        expected = known_at(
            rows, examples.frames["driver_stats"], "avg_daily_trips", timedelta(0), {"driver_id": "driver_id"}
        )
        assert online["avg_daily_trips"] == expected


def declare(
    store: Repository,
    frame: pd.DataFrame,
    ttl: timedelta = timedelta(0),
    entities: Any = (driver,),
    name: str = "stats",
    **clock: Any,
) -> FeatureView:
    """Register a view of the feature `trips`, whose schema also lists its keys."""
    kinds = {"place": String, "level": Int64, "driver_id": Int64, "customer_id": Int64}
    keys = [Field(name=entity.join_key, dtype=kinds[entity.join_key]) for entity in entities]
    view = FeatureView(
        name=name, entities=list(entities), ttl=ttl, schema=[*keys, Field(name="trips", dtype=Int32)],
        source=store.source(frame, name, **clock),
    )  # fmt: skip
    store.feast.apply([*entities, view])
    return view


def stats(*rows: tuple[int, int, datetime, datetime], **names: str) -> pd.DataFrame:
    """Return feature rows of drivers, trips, event time and known time."""
    return pd.DataFrame(rows, columns=["driver_id", "trips", EVENT, "created"]).rename(columns=names)


def trips(joined: pd.DataFrame) -> list[Any]:
    """Return the feature of each row, by the driver's number."""
    return [None if pd.isna(value) else value for value in joined.sort_values("driver_id")["trips"]]


TWO = pd.DataFrame({"driver_id": [1001, 1002], EVENT: [NOON + 2 * HOUR] * 2})


@in_both_forms
class TestTheJoin:
    def test_a_correction_replaces_a_value_and_a_backfill_does_not(self, store: Repository, form: str) -> None:
        later = NOON + HOUR
        declare(store, stats((1001, 10, NOON, NOON), (1001, 20, NOON, later), (1002, 30, NOON, later),
                             (1002, 40, later, NOON)))  # fmt: skip
        assert trips(store.join(store.entity_rows(TWO, form), ["stats:trips"])) == [20, 40]

    def test_what_was_not_known_yet_is_left_out(self, store: Repository, form: str) -> None:
        late = NOON + 3 * HOUR
        declare(store, stats((1001, 10, NOON, NOON), (1001, 20, NOON, late), (1002, 30, NOON, late)))
        rows = store.entity_rows(TWO, form)
        assert trips(store.join(rows, ["stats:trips"])) == [20, 30]
        assert trips(store.join(rows, ["stats:trips"], filter_by_created_timestamp=True)) == [10, None]

    @pytest.mark.parametrize(
        ("column", "field", "clock"),
        [
            ("id", "driver_id", {}),
            ("number", "trips", {}),
            ("at", EVENT, {"timestamp_field": EVENT}),
            ("seen", "created", {"created_timestamp_column": "created"}),
        ],
        ids=["key", "feature", "event time", "known time"],
    )
    def test_a_column_may_have_another_name(
        self, store: Repository, form: str, column: str, field: str, clock: dict[str, str]
    ) -> None:
        frame = stats((1001, 10, NOON, NOON), (1001, 20, NOON, NOON + HOUR), (1002, 40, NOON, NOON), **{field: column})
        declare(store, frame, field_mapping={column: field}, **clock)
        assert trips(store.join(store.entity_rows(TWO, form), ["stats:trips"])) == [20, 40]

    def test_columns_of_a_composite_key_are_compared_one_by_one(
        self, store: Repository, form: str, only_ours: Any
    ) -> None:
        place = Entity(name="place", join_keys=["place"], value_type=ValueType.STRING)
        level = Entity(name="level", join_keys=["level"], value_type=ValueType.INT64)
        frame = pd.DataFrame(
            {"place": ["1", "12"], "level": [23, 3], "trips": [1, 2], EVENT: [NOON] * 2, "created": NOON}
        )
        declare(store, frame, entities=(place, level))
        rows = pd.DataFrame({"place": ["1", "12"], "level": [23, 3], "driver_id": [1, 2], EVENT: [NOON + HOUR] * 2})
        joined = trips(store.join(store.entity_rows(rows, form), ["stats:trips"]))
        with only_ours("the columns of a key are joined to one text: ('1', 23) and ('12', 3) are the same entity"):
            assert joined == [1, 2]

    def test_a_time_to_live_below_a_second(self, store: Repository, form: str, only_ours: Any) -> None:
        ttl = timedelta(milliseconds=500)
        declare(store, stats((1001, 10, NOON, NOON)), ttl=ttl)
        rows = pd.DataFrame({"driver_id": [1001, 1001], EVENT: [NOON + ttl, NOON + ttl + timedelta.resolution]})
        joined = store.join(store.entity_rows(rows, form), ["stats:trips"]).sort_values(EVENT)
        with only_ours("it is rounded to zero, which means forever"):
            assert trips(joined) == [10, None]

    def test_a_time_at_the_edge_counts(self, store: Repository, form: str) -> None:
        declare(store, stats((1001, 10, NOON, NOON), (1002, 40, NOON + 3 * HOUR, NOON)), ttl=HOUR)
        for at, expected in ((NOON, 10), (NOON + HOUR, 10), (NOON + HOUR + timedelta(milliseconds=1), None)):
            rows = pd.DataFrame({"driver_id": [1001], EVENT: [at]})
            assert trips(store.join(store.entity_rows(rows, form), ["stats:trips"])) == [expected]

    def test_rows_that_are_equal_stay(self, store: Repository, form: str) -> None:
        declare(store, stats((1001, 10, NOON, NOON)))
        rows = pd.concat([TWO, TWO], ignore_index=True)
        assert trips(store.join(store.entity_rows(rows, form), ["stats:trips"])) == [10, 10, None, None]

    def test_feature_rows_that_are_equal_make_no_more_rows(self, store: Repository, form: str, only_ours: Any) -> None:
        declare(store, stats((1001, 10, NOON, NOON), (1001, 10, NOON, NOON)))
        joined = trips(store.join(store.entity_rows(TWO, form), ["stats:trips"]))
        with only_ours("each of the equal feature rows is joined"):
            assert joined == [10, None]

    def test_a_feature_row_without_its_known_time_counts_but_not_before_others(
        self, store: Repository, form: str, only_ours: Any
    ) -> None:
        frame = stats((1001, 10, NOON, NOON), (1001, 20, NOON, pd.NaT), (1002, 30, NOON, pd.NaT))  # type: ignore[arg-type]
        declare(store, frame)
        joined = trips(store.join(store.entity_rows(TWO, form), ["stats:trips"]))
        with only_ours("a row without a known time is left out"):
            assert joined == [10, 30]


class TestTimes:
    @pytest.mark.parametrize(
        ("rows", "zone_of_features"),
        [
            ("SELECT 1001 AS driver_id, timestamptz '2026-03-02 12:30+00' AS event_timestamp", None),
            ("SELECT 1001 AS driver_id, timestamp '2026-03-02 12:30' AS event_timestamp", UTC),
            (pd.DataFrame({"driver_id": [1001], EVENT: [datetime(2026, 3, 2, 12, 30)]}), None),
        ],
        ids=["features without", "query without", "frame and features without"],
    )
    def test_times_without_a_zone_are_utc_in_a_session_of_any_zone(
        self, store: Repository, monkeypatch: pytest.MonkeyPatch, rows: Any, zone_of_features: Any, only_ours: Any
    ) -> None:
        noon = NOON.replace(tzinfo=zone_of_features)
        declare(store, stats((1001, 10, noon, noon), (1001, 40, noon + HOUR, noon), (1001, 5, noon - 5 * HOUR, noon)))
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("PGTZ", "Europe/Berlin" if zone_of_features else "America/New_York")
            joined = trips(store.join(rows, ["stats:trips"]))
        with only_ours("they are times of the session's zone"):
            assert joined == [10]

    @pytest.mark.parametrize("latest", [True, pytest.param(False, marks=pytest.mark.prove)])
    def test_rows_without_a_zone_go_online_by_their_time_in_utc(
        self, store: Repository, monkeypatch: pytest.MonkeyPatch, latest: bool, only_ours: Any
    ) -> None:
        naive = NOON.replace(tzinfo=None)
        declare(store, stats((1001, 10, naive, naive)))
        store.feast.config.materialization_config.pull_latest_features = latest
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("PGTZ", "America/New_York")
            store.feast.materialize(NOON - HOUR, NOON + HOUR)
        online = store.feast.get_online_features(["stats:trips"], [{"driver_id": 1001}]).to_dict()
        with only_ours("they are times of the session's zone"):
            assert online["trips"] == [10]

    def test_a_frame_may_mix_zones(self, store: Repository, only_ours: Any) -> None:
        declare(store, stats((1001, 10, NOON, NOON), (1002, 40, NOON + HOUR, NOON)))
        ahead = timezone(timedelta(hours=5))
        rows = pd.DataFrame({
            "driver_id": [1001, 1001, 1002, 1002],
            EVENT: pd.Series([pd.Timestamp(NOON), pd.Timestamp(NOON).tz_localize(None) - HOUR,
                              pd.Timestamp(NOON + HOUR).tz_convert(ahead), pd.Timestamp(NOON).tz_convert(ahead)],
                             dtype=object),
        })  # fmt: skip
        with only_ours("times with and without a zone are compared", TypeError):
            assert sorted(trips(store.join(rows, ["stats:trips"])), key=str) == [10, 40, None, None]

    @in_both_forms
    def test_the_time_column_may_have_another_name(self, store: Repository, form: str, only_ours: Any) -> None:
        declare(store, stats((1001, 10, NOON, NOON)))
        rows: Any = TWO.rename(columns={EVENT: "moment"})
        feasts = nullcontext()
        if form == "query":
            rows = f"SELECT * FROM {store.table(rows, 'rows')}"
            feasts = only_ours("the types of a query's columns are not known", EntityTimestampInferenceException)
        with feasts:
            assert trips(store.join(rows, ["stats:trips"])) == [10, None]


class TestARangeOfTime:
    """Without entity rows, each key and event time of the range is a row."""

    def two_views(self, store: Repository, *other: Entity) -> None:
        declare(store, stats((1001, 10, NOON, NOON), (1001, 20, NOON + HOUR, NOON), (1002, 5, NOON - 9 * HOUR, NOON)))
        frame = stats((1001, 7, NOON - HOUR, NOON), (1003, 8, NOON, NOON)).assign(customer_id=1)
        fields = [Field(name="trips_too", dtype=Int32), *(Field(name=one.join_key, dtype=Int64) for one in other)]
        source = store.source(frame.rename(columns={"trips": "trips_too"}), "more")
        view = FeatureView(name="more", entities=list(other), schema=fields, source=source)
        store.feast.apply([driver, customer, view])

    def rows(self, store: Repository, *features: str, **options: Any) -> list[tuple[Any, ...]]:
        given = {"start_date": NOON - 2 * HOUR, "end_date": NOON + HOUR} | options
        joined = store.join(None, list(features), **given)
        columns = ["driver_id", EVENT, *(one.partition(":")[2] for one in features)]
        rows = joined[columns].sort_values(["driver_id", EVENT]).itertuples(index=False, name=None)
        return [tuple(None if pd.isna(cell) else cell for cell in (row[0], row[1].hour, *row[2:])) for row in rows]

    def test_one_view(self, store: Repository) -> None:
        self.two_views(store, driver)
        assert self.rows(store, "stats:trips") == [(1001, 12, 10), (1001, 13, 20)]
        assert self.rows(store, "stats:trips", end_date=NOON) == [(1001, 12, 10)]
        assert self.rows(store, "stats:trips", start_date=NOON + 5 * HOUR, end_date=NOON + 6 * HOUR) == []

    def test_times_without_a_zone_are_utc(self, store: Repository) -> None:
        self.two_views(store, driver)
        naive = {"start_date": NOON.replace(tzinfo=None), "end_date": NOON.replace(tzinfo=None)}
        assert self.rows(store, "stats:trips", **naive) == [(1001, 12, 10)]

    def test_two_views_with_the_same_key(self, store: Repository) -> None:
        self.two_views(store, driver)
        assert self.rows(store, "stats:trips", "more:trips_too") == [
            (1001, 11, None, 7), (1001, 12, 10, 7), (1001, 13, 20, 7), (1003, 12, None, 8),
        ]  # fmt: skip

    def test_a_view_about_no_entity_is_joined_to_the_rows_of_others(self, store: Repository, only_ours: Any) -> None:
        self.two_views(store)
        with only_ours("its SQL has a comma too many for a view without a key", psycopg.errors.SyntaxError):
            assert self.rows(store, "stats:trips", "more:trips_too") == [(1001, 12, 10, 8), (1001, 13, 20, 8)]

    def test_a_view_about_no_entity_alone(self, store: Repository) -> None:
        self.two_views(store)
        joined = store.join(None, ["more:trips_too"], start_date=NOON - 2 * HOUR, end_date=NOON)
        assert sorted(joined["trips_too"]) == [7, 8]

    def test_a_key_may_have_another_name(self, store: Repository, only_ours: Any) -> None:
        frame = stats((1001, 10, NOON, NOON), driver_id="id")
        declare(store, frame, field_mapping={"id": "driver_id"})
        with only_ours("the mapping of key columns is ignored without entity rows", psycopg.errors.UndefinedColumn):
            assert self.rows(store, "stats:trips") == [(1001, 12, 10)]

    def test_views_with_different_keys_are_refused(self, store: Repository, only_ours: Any) -> None:
        self.two_views(store, customer)
        refused = pytest.raises(ValueError, match="the same join keys; these have: customer_id; driver_id")
        with (
            only_ours("its SQL looks for one view's key in the rows of the other", psycopg.errors.UndefinedColumn),
            refused,
        ):
            store.join(None, ["stats:trips", "more:trips_too"], start_date=NOON - HOUR, end_date=NOON)


TYPES: dict[str, tuple[FeastType, list[Any], Any]] = {
    "int32": (Int32, [1, 2], pa.types.is_signed_integer),
    "int64": (Int64, [2**40, 2**41], pa.types.is_signed_integer),
    "float32": (Float32, [0.5, 1.5], pa.types.is_floating),
    "float64": (Float64, [0.1, 0.2], pa.types.is_float64),
    "string": (String, ["a", "ü"], pa.types.is_string),
    "bool": (Bool, [True, False], pa.types.is_boolean),
    "datetime": (UnixTimestamp, [datetime(2026, 1, 1), datetime(2026, 1, 2)], pa.types.is_timestamp),
}  # fmt: skip
CELLS = [
    pytest.param(
        kind, shape, marks=[] if (kind, shape) in (("string", "cell"), ("int64", "list")) else pytest.mark.prove
    )
    for kind in TYPES
    for shape in ("cell", "list", "empty list")
    if kind != "string" or shape == "cell"  # Feast's helper writes no lists of texts to Postgres
]


class TestTypes:
    @pytest.mark.parametrize(("kind", "shape"), CELLS)
    def test_a_feature_keeps_its_type(self, store: Repository, kind: str, shape: str) -> None:
        dtype, values, fits = TYPES[kind]
        cells = {"cell": values, "list": [values, values], "empty list": [[], values]}[shape]
        frame = pd.DataFrame({"driver_id": [1001, 1002], "value": cells, EVENT: [NOON] * 2, "created": [NOON] * 2})
        view = FeatureView(
            name="typed", entities=[driver], source=store.source(frame, "typed"),
            schema=[Field(name="value", dtype=dtype if shape == "cell" else Array(dtype))],
        )  # fmt: skip
        store.feast.apply([driver, view])
        job = store.feast.get_historical_features(entity_df=TWO, features=["typed:value"])
        arrow = job.to_arrow().sort_by("driver_id").column("value")
        assert fits(arrow.type if shape == "cell" else arrow.type.value_type)
        assert arrow.to_pylist() == cells

    @pytest.mark.filterwarnings("ignore:Entity value_type will be mandatory:DeprecationWarning")
    @pytest.mark.parametrize(("dtype", "inferred"), [("int32", Int32), ("int64", Int64), ("str", String)])
    def test_the_type_of_a_key_is_inferred(self, store: Repository, dtype: str, inferred: FeastType) -> None:
        frame = stats((1001, 10, NOON, NOON)).astype({"driver_id": dtype})
        entity = Entity(name="driver", join_keys=["driver_id"])
        view = FeatureView(
            name="stats", entities=[entity], schema=[Field(name="trips", dtype=Int32)], source=store.source(frame, "s")
        )
        store.feast.apply([entity, view])
        assert [(column.name, column.dtype) for column in view.entity_columns] == [("driver_id", inferred)]
        rows = TWO.astype({"driver_id": dtype})
        assert trips(store.join(rows, ["stats:trips"])) == [10, None]
