"""A changed spec: what older rows can bear is put into words, what would damage them is refused."""

from typing import Any

import pytest

from ml_platform.specs.catalog import dataset
from ml_platform.specs.changes import compare_specs
from ml_platform.specs.spec import Table
from tests.ml_platform.ingestion.upload_cases import make_dataset, timed_dataset


def said(table: Table) -> dict[str, Any]:
    return table.model_dump(mode="json")


def test_without_a_change_there_is_nothing_to_say() -> None:
    found = compare_specs(said(make_dataset()), said(make_dataset()))
    assert (found.compatible, found.incompatible) == ((), ())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"columns": {"MORE": "number"}}, "columns.MORE is new; rows loaded before lack it"),
        (
            {"columns": {"COUNT": {"type": "integer", "min": 0, "max": 20}}},
            "columns.COUNT.max was 10.0 and is now 20.0",
        ),
        ({"columns": {"RATIO": "money"}}, "columns.RATIO.type was 'number' and is now 'money'"),
        ({"columns": {"NOTE": "category"}}, "columns.NOTE.type was 'text' and is now 'category'"),
        ({"missing": ["NA"]}, "missing was  and is now NA"),
        ({"leaks": []}, "leaks was COST and is now "),
        ({"label": {"column": "LABEL", "positive": 1, "negative": 0}}, "label was"),
    ],
)
def test_what_older_rows_can_bear_is_recorded(change: dict[str, Any], says: str) -> None:
    found = compare_specs(said(make_dataset()), said(make_dataset(**change)))
    assert found.incompatible == ()
    assert len(found.compatible) == 1
    assert found.compatible[0].startswith(says)


def test_a_column_that_was_removed_is_recorded() -> None:
    found = compare_specs(said(make_dataset(columns={"MORE": "number"})), said(make_dataset()))
    assert found.compatible == ("columns.MORE was removed; its values stay in the table, but no model uses them",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"columns": {"RATIO": "text"}}, "columns.RATIO was of type number and is now text"),
        ({"columns": {"KIND": "integer"}}, "columns.KIND was of type category and is now integer"),
        ({"entity": {"name": "thing", "key": "COUNT"}}, "entity.key was ID and is now COUNT"),
        ({"entity": {"name": "thing", "key": ["ID", "COUNT"]}}, "entity.key was ID and is now ID, COUNT"),
        ({"label": {"column": "COUNT", "positive": 1}}, "label.column was 'LABEL' and is now 'COUNT'"),
        ({"known_at": "load"}, "known_at was 'event_time' and is now 'load'"),
        ({"columns": {"ID": {"type": "text", "strip_prefix": "N"}}}, "columns.ID.strip_prefix was '' and is now 'N'"),
    ],
)
def test_what_would_damage_older_rows_is_refused(change: dict[str, Any], says: str) -> None:
    assert any(
        text.startswith(says) for text in compare_specs(said(make_dataset()), said(make_dataset(**change))).incompatible
    )


def test_another_event_time_is_refused() -> None:
    (text,) = compare_specs(said(make_dataset(columns={"AT": "timestamp"})), said(timed_dataset())).incompatible
    assert text == "event_time was None and is now 'AT'"


def test_another_zone_of_a_clock_is_refused_and_of_another_column_recorded() -> None:
    berlin = {"type": "timestamp", "zone": "Europe/Berlin"}
    before = said(timed_dataset(columns={"SEEN": "timestamp"}))
    found = compare_specs(before, said(timed_dataset(columns={"SEEN": "timestamp", "AT": berlin})))
    assert found.incompatible == (
        "columns.AT.zone was 'UTC' and is now 'Europe/Berlin'; keys or timestamps of rows already loaded depend on it",
    )
    found = compare_specs(before, said(timed_dataset(columns={"SEEN": berlin})))
    assert (len(found.compatible), found.incompatible) == (1, ())


def test_search_gate_and_description_are_no_changes_of_the_data() -> None:
    other = make_dataset(description="other", gate={"min_gain": 0.1}, search={"folds": 3})
    assert said(other) != said(make_dataset())
    assert other.sha256 == make_dataset().sha256
    assert compare_specs(said(make_dataset()), said(other)).compatible == ()


def test_what_a_joined_table_is_described_as_is_no_change_either() -> None:
    flights = dataset("flights")
    (weather,) = flights.tables
    other = flights.model_copy(update={"tables": (weather.model_copy(update={"description": "other"}),)})
    assert other.sha256 == flights.sha256
    shorter = flights.model_copy(update={"tables": (weather.model_copy(update={"ttl": "1h"}),)})
    assert shorter.sha256 != flights.sha256


def test_any_other_change_is_a_new_version() -> None:
    assert make_dataset(max_bad_rows=0.1).sha256 != make_dataset().sha256
    assert make_dataset(columns={"NOTE": {"type": "text", "missing": ["NA"]}}).sha256 != make_dataset().sha256
