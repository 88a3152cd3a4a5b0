"""Changes of a spec: compatible ones are described, incompatible ones are rejected."""

from typing import Any

import pytest

from ml_platform.specs.changes import compare_specs
from ml_platform.specs.spec import Table
from tests.ml_platform.ingestion.upload_cases import make_dataset, timed_dataset
from tests.ml_platform.keyless import without_key


def dumped(table: Table) -> dict[str, Any]:
    return table.model_dump(mode="json")


def test_equal_specs_have_no_changes() -> None:
    found = compare_specs(dumped(make_dataset()), dumped(make_dataset()))
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
        ({"missing": ["NA"]}, "missing was none and is now NA"),
        ({"leaks": []}, "leaks was COST and is now none"),
        ({"label": {"column": "LABEL", "positive": 1, "negative": 0}}, "label was"),
    ],
)
def test_a_compatible_change_is_described(change: dict[str, Any], says: str) -> None:
    found = compare_specs(dumped(make_dataset()), dumped(make_dataset(**change)))
    assert found.incompatible == ()
    assert len(found.compatible) == 1
    assert found.compatible[0].startswith(says)


def test_sensitive_columns_are_compatible_changes_and_say_what_becomes_of_models() -> None:
    plain, judged = dumped(make_dataset()), dumped(make_dataset(sensitive=["KIND"]))
    no_feature = (
        "columns.KIND is no feature of models that are trained from now on; the live model goes on as it was trained"
    )
    assert compare_specs(plain, judged).compatible == ("sensitive.KIND is new: models are judged by it", no_feature)
    assert compare_specs(judged, plain).compatible == (
        "sensitive.KIND was removed: models are no longer judged by it", no_feature.replace("no feature", "a feature"),
    )  # fmt: skip
    cut, seen = ({"column": "COUNT", "feature": True, "cuts": cuts} for cuts in ([2, 5], None))
    cut, seen = (dumped(make_dataset(sensitive=[one])) for one in (cut, seen))
    assert compare_specs(plain, seen).compatible == ("sensitive.COUNT is new: models are judged by it",)
    assert compare_specs(seen, cut).compatible == ("sensitive.COUNT.cuts was None and is now 2.0, 5.0",)


def test_a_spec_that_was_recorded_before_there_were_sensitive_columns_has_none() -> None:
    recorded = {field: value for field, value in dumped(make_dataset()).items() if field != "sensitive"}
    assert compare_specs(recorded, dumped(make_dataset())).compatible == ()


def test_a_removed_column_is_compatible() -> None:
    found = compare_specs(dumped(make_dataset(columns={"MORE": "number"})), dumped(make_dataset()))
    assert found.compatible == ("columns.MORE was removed; its values stay in the table, but no model uses them",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"columns": {"RATIO": "text"}}, "columns.RATIO was of type number and is now text"),
        ({"columns": {"KIND": "integer"}}, "columns.KIND was of type category and is now integer"),
        ({"entity": {"name": "thing", "key": "COUNT"}}, "entity.key was ID and is now COUNT"),
        ({"entity": {"name": "thing", "key": ["ID", "COUNT"]}}, "entity.key was ID and is now ID, COUNT"),
        ({"label": {"column": "COUNT", "positive": 1}}, "label.column was 'LABEL' and is now 'COUNT'"),
        (
            {"known_at": "SEEN", "columns": {"SEEN": "timestamp"}},
            "known_at was 'event_time' and is now 'SEEN'",
        ),
        ({"columns": {"ID": {"type": "text", "strip_prefix": "N"}}}, "columns.ID.strip_prefix was '' and is now 'N'"),
    ],
)
def test_an_incompatible_change_is_described(change: dict[str, Any], says: str) -> None:
    assert any(
        text.startswith(says)
        for text in compare_specs(dumped(make_dataset()), dumped(make_dataset(**change))).incompatible
    )


def test_another_event_time_is_incompatible() -> None:
    (text,) = compare_specs(dumped(make_dataset(columns={"AT": "timestamp"})), dumped(timed_dataset())).incompatible
    assert text == "event_time was None and is now 'AT'"


def test_another_zone_is_incompatible_only_for_event_and_availability_time() -> None:
    berlin = {"type": "timestamp", "zone": "Europe/Berlin"}
    before = dumped(timed_dataset(columns={"KNOWN": "timestamp"}))
    found = compare_specs(before, dumped(timed_dataset(columns={"KNOWN": "timestamp", "AT": berlin})))
    assert found.incompatible == (
        "columns.AT.zone was 'UTC' and is now 'Europe/Berlin'; keys or timestamps of rows already loaded depend on it",
    )
    found = compare_specs(before, dumped(timed_dataset(columns={"KNOWN": berlin})))
    assert (len(found.compatible), found.incompatible) == (1, ())


def test_search_gate_and_description_are_no_changes_of_the_data() -> None:
    other = make_dataset(description="other", gate={"min_gain": 0.1}, search={"folds": 3})
    assert dumped(other) != dumped(make_dataset())
    assert other.sha256 == make_dataset().sha256
    assert compare_specs(dumped(make_dataset()), dumped(other)).compatible == ()


def test_a_label_that_comes_or_goes_is_incompatible() -> None:
    labelled, unlabelled = dumped(make_dataset()), {**dumped(make_dataset()), "label": None}
    for old, new in ((labelled, unlabelled), (unlabelled, labelled)):
        assert (
            "a feature table became a data set with a label, or the other way round"
            in compare_specs(old, new).incompatible
        )


def test_a_key_cannot_be_dropped_or_added() -> None:
    keyed, keyless = dumped(make_dataset()), dumped(without_key(make_dataset()))
    assert compare_specs(keyed, keyless).incompatible == ("entity.key was ID and is now none",)
    assert compare_specs(keyless, keyed).incompatible == ("entity.key was none and is now ID",)
