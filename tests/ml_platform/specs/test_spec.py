"""Data sets and feature tables: their columns, features, uploads and versions, and the mistakes in them."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import dataset, datasets, read_table
from ml_platform.specs.spec import Dataset, FeatureTable, error_text, joined_name
from tests.ml_platform.ingestion.upload_cases import make_dataset, timed_dataset
from tests.ml_platform.keyless import without_key
from tests.ml_platform.specs.spec_cases import AGE, AGE_LINE, AUTO, WEATHER, write_spec


def test_auto_has_its_26_columns_and_23_features() -> None:
    auto = dataset("auto")
    assert len(auto.columns) == 26
    assert len(auto.features) == 23
    assert not {"INDEX", "TARGET_FLAG", "TARGET_AMT"} & set(auto.features)


def test_a_leak_is_never_a_feature_but_is_stored_with_the_label() -> None:
    assert dataset("auto").label_columns == ("TARGET_FLAG", "TARGET_AMT")


C = "search.candidates.logistic_regression.C"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("key: INDEX", "key: ID", ["entity.key", "'ID'"]),
        ("leaks: [TARGET_AMT]", "leaks: [AMOUNT]", ["leaks.0", "'AMOUNT'"]),
        ("on_bad_row: reject_row", "on_bad_row: shrug", ["on_bad_row", "'shrug'", "reject_file"]),
        ("event_time: null", "event_time: AGE", ["event_time", "'AGE'", "timestamp"]),
        (AGE_LINE, "  AGE: integer\n  event_timestamp: number\n", ["event_timestamp"]),
        (AGE_LINE, '  AGE: integer\n  \'A"; DROP\': number\n', ['A"; DROP']),
        ("gate:", "gates:", ["gates: no such field; there are: ", "gate, promotion"]),
        ("folds: 5", "fold: 5", ["search.fold: no such field; there are: scoring, ", "candidates (got 5)"]),
        ("key: INDEX", "key: [INDEX, ID]", ["entity.key.1", "'ID'"]),
        ("key: INDEX", "key: INCOME", ["entity.key", "'INCOME'", "integer, text, category"]),
        (AGE, "AGE: {type: integer, header: INCOME}", ["columns", "INCOME", "two"]),
        (AGE, "A__B: integer", ["A__B", "header"]),
        ("leaks: [TARGET_AMT]", "leaks: [INDEX]", ["leaks", "INDEX", "key"]),
        ("leaks: [TARGET_AMT]", "ignore: [AGE]", ["ignore", "AGE"]),
        ("leaks: [TARGET_AMT]", "delimiter: ':'", ["delimiter", "':'", "';'"]),
        ("C: [0.1, 1.0]", "C: {low: 1, hi: 2}", [f"{C}.hi: no such field; there are: low, high, log"]),
        ("C: [0.1, 1.0]", "C: 1.0", [f"{C}: Input should be a valid list (got 1.0)"]),
        ("C: [0.1, 1.0]", "C: {low: 1, high: 2}", ["search: candidates.logistic_regression.C: {low: 1, high: 2} is a"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_field_and_value(tmp_path: Path, old: str, new: str, says: list[str]) -> None:
    assert old in AUTO
    path = write_spec(tmp_path, AUTO.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        read_table(path)
    for part in [str(path), *says]:
        assert part in str(caught.value)


def test_the_features_are_own_columns_then_keys_then_joined_columns() -> None:
    flights = dataset("flights")
    (weather,) = flights.tables
    names = list(flights.features)
    own = list(flights.own_features)
    assert names[: len(own)] == own
    assert names[len(own) : len(own) + 2] == ["carrier", "origin"]
    assert names[len(own) + 2 :] == [f"weather__{name}" for name in weather.own_features]


def test_keys_labels_timestamps_and_texts_are_no_features() -> None:
    of = timed_dataset(known_at="KNOWN", columns={"KNOWN": "timestamp", "OTHER": "timestamp"})
    assert list(of.own_features) == list(of.stored_columns) == ["COUNT", "RATIO", "PRICE", "KIND", "FLAG"]


def test_a_column_of_a_join_is_stored_even_if_it_is_no_feature() -> None:
    flights = dataset("flights")
    (join,) = flights.features_from
    by_tail = flights.model_copy(update={"features_from": (join.model_copy(update={"on": {"origin": "tailnum"}}),)})
    assert by_tail.join_columns == {"weather__origin": "tailnum"}
    assert "tailnum" in by_tail.stored_columns
    assert "tailnum" not in flights.stored_columns


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"known_at": "SEEN"}, "known_at names the column 'SEEN', which `columns` does not list"),
        ({"known_at": "load"}, "known_at is load, but there is no event_time"),
        ({"known_at": "COUNT"}, "known_at names 'COUNT', whose type must be timestamp"),
        ({"entity": {"name": "t", "key": ["ID", "COUNT"], "features": ["COUNT"]}}, "must be category"),
        ({"label": {"column": "AT", "positive": 1}, "columns": {"AT": "timestamp"}}, "cannot be of type timestamp"),
        ({"label": {"column": "ID", "positive": 1}}, "label and leaks cannot be key, event_time or known_at: ID"),
        ({"leaks": ["COST", "COUNT", "RATIO", "PRICE", "KIND", "FLAG"]}, "none is left as a feature"),
        ({"max_bad_rows": 1.5}, "less than or equal to 1"),
        ({"more": 1}, "Extra inputs"),
    ],
)
def test_fields_must_fit_together(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        make_dataset(**change)


def test_without_a_key_the_rows_get_ids_in_a_column_of_their_own() -> None:
    of = without_key(make_dataset())
    assert (of.has_key, of.keys, of.key_columns["row_id"].type, of.header("row_id")) == (
        False, ("row_id",), "text", "row_id",
    )  # fmt: skip
    assert "row_id" not in {**of.columns, **of.features}
    assert Dataset.model_validate_json(of.model_dump_json()) == of
    with pytest.raises(KeyError):
        of.header("MORE")


@pytest.mark.parametrize("name", ["row_id", "Row_ID"])
def test_the_name_of_that_column_is_reserved_only_without_a_key(name: str) -> None:
    with pytest.raises(ValidationError, match=f"columns.{name}: without `entity.key`, the name row_id is reserved"):
        without_key(make_dataset(columns={name: "text"}))
    with_key = make_dataset(entity={"name": "row", "key": name}, columns={name: "text"})
    assert (with_key.has_key, with_key.keys) == (True, (name,))


def test_a_feature_table_needs_a_key() -> None:
    table = {"kind": "table", "name": "rates", "description": "", "entity": {"name": "day"}, "columns": {"r": "number"}}
    with pytest.raises(ValidationError, match=r"entity\.key: a feature table needs one"):
        FeatureTable.model_validate(table)


def test_a_table_of_features_only_from_others_is_allowed() -> None:
    leaks = ["COST", "COUNT", "RATIO", "PRICE", "KIND", "FLAG"]
    assert make_dataset(leaks=leaks, features_from=["weather"]).own_features == {}


def test_the_holdout_is_by_time_if_there_is_an_event_time_unless_the_gate_says_otherwise() -> None:
    assert make_dataset().holdout_by == "entity"
    assert timed_dataset().holdout_by == "time"
    assert timed_dataset(gate={"holdout_by": "entity"}).holdout_by == "entity"


def test_a_column_has_the_name_of_its_header_in_the_file() -> None:
    of = make_dataset(columns={"RATIO": {"type": "number", "header": "Ratio (%)"}})
    assert (of.header("RATIO"), of.header("COUNT")) == ("Ratio (%)", "COUNT")


def test_a_joined_feature_is_named_after_its_table() -> None:
    assert joined_name("weather", "temp") == "weather__temp"


def test_an_error_text_names_the_field_and_shows_the_value() -> None:
    error = {"loc": ("columns", "AGE", "min"), "msg": "Value error, too small", "input": 3, "type": "value_error"}
    assert error_text(error, Dataset) == "columns.AGE.min: too small (got 3)"
    whole = {"loc": (), "msg": "Value error, bad", "input": {}, "type": "value_error"}
    assert error_text(whole, FeatureTable) == "the file: bad"


@pytest.mark.parametrize(
    ("key", "owned"),
    [
        ("train_auto.csv", True),
        ("train_auto_2026-11.csv", True),
        ("processed/train_auto.csv", False),
        ("train_auto.csv.gz", True),
        ("train_auto.xlsx", True),
        ("train_auto/", False),  # a folder, as consoles create it
        ("train_auto/2026/", False),
        ("train_auto/2026.csv", True),
        ("test_auto.csv", False),
    ],
)
def test_a_data_set_owns_only_its_unsettled_files(key: str, owned: bool) -> None:
    assert dataset("auto").owns(key, "train") is owned


def test_a_spec_is_the_same_after_a_round_trip_through_json() -> None:
    for one in datasets():
        assert Dataset.model_validate_json(one.model_dump_json()) == one
        assert Dataset.model_validate_json(one.model_dump_json()).sha256 == one.sha256


def test_any_other_change_is_a_new_version() -> None:
    assert make_dataset(max_bad_rows=0.1).sha256 != make_dataset().sha256
    assert make_dataset(columns={"NOTE": {"type": "text", "missing": ["NA"]}}).sha256 != make_dataset().sha256


def test_how_results_are_written_is_not_part_of_the_version() -> None:
    assert make_dataset(result={"format": "parquet", "explain": 3}).sha256 == make_dataset().sha256
    with pytest.raises(ValueError, match="'csv' or 'parquet'"):
        make_dataset(result={"format": "xlsx"})


@pytest.mark.parametrize("explain", [-1, 21, 2.5, True, "3"])
def test_a_number_of_reasons_is_a_whole_number_up_to_20(explain: object) -> None:
    with pytest.raises(ValidationError, match=r"result\.explain"):
        make_dataset(result={"explain": explain})


def test_the_description_of_a_joined_table_is_not_part_of_the_version() -> None:
    flights = dataset("flights")
    (weather,) = flights.tables
    other = flights.model_copy(update={"tables": (weather.model_copy(update={"description": "other"}),)})
    assert other.sha256 == flights.sha256
    shorter = flights.model_copy(update={"tables": (weather.model_copy(update={"ttl": "1h"}),)})
    assert shorter.sha256 != flights.sha256


@pytest.mark.parametrize("name", ["xmin", "CTID", "tableoid"])
def test_names_of_postgres_system_columns_are_reserved(tmp_path: Path, name: str) -> None:
    path = write_spec(tmp_path, AUTO.replace(AGE_LINE, f"  {name}: integer\n", 1))
    with pytest.raises(ConfigurationError, match=rf"columns.{name}: .* are reserved; .*another name, .*`header`"):
        read_table(path)


def test_prefixes_of_the_buckets_are_no_names(tmp_path: Path) -> None:
    path = write_spec(tmp_path, AUTO.replace("name: auto", "name: train_auto", 1), "train_auto")
    with pytest.raises(ConfigurationError, match="name: may not begin with train_"):
        read_table(path)


@pytest.mark.parametrize("name", ["proc", "processed", "re", "t", "train", "test"])
def test_a_feature_table_never_owns_settled_or_foreign_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        read_table(write_spec(tmp_path, WEATHER.replace("name: weather", f"name: {name}"), name))


def test_a_feature_table_has_its_own_prefix_and_fields(tmp_path: Path) -> None:
    weather = read_table(write_spec(tmp_path, WEATHER, "weather"))
    assert weather.owns("weather_2013.csv.gz", "train")
    assert not weather.owns("train_weather.csv", "train")
    with pytest.raises(ConfigurationError, match=r"ttl.*'3 hours'"):
        read_table(write_spec(tmp_path, WEATHER.replace("ttl: 3h", "ttl: 3 hours"), "weather"))
    with pytest.raises(ConfigurationError, match=r"label: no such field; there are: name, .*, kind, ttl$"):
        read_table(write_spec(tmp_path, WEATHER + "label: {column: temp, positive: 1}\n", "weather"))


def test_a_feature_table_needs_features(tmp_path: Path) -> None:
    text = WEATHER.partition("columns:")[0] + "columns: {origin: category, observed_at: timestamp}\n"
    with pytest.raises(ConfigurationError, match=r"weather.yaml: .*: columns: none is left as a feature$"):
        read_table(write_spec(tmp_path, text, "weather"))


def test_the_time_to_live_is_a_duration_and_zero_without_one() -> None:
    weather = dataset("flights").tables[0]
    assert weather.time_to_live.total_seconds() == 3 * 3600
    assert weather.model_copy(update={"ttl": None}).time_to_live.total_seconds() == 0
