"""The tables of a spec: made and changed with its YAML, and every version of it recorded. On a real Postgres."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.spec import FeatureTable
from ml_platform.storage.database import fetch, transaction
from ml_platform.storage.tables import ensure_tables, existing_columns, feature_columns
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name, timed_dataset

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def columns(schema: str, table: str) -> dict[str, str]:
    with transaction() as cursor:
        return existing_columns(cursor, schema, table)


def versions(name: str) -> list[tuple[int, str]]:
    return [
        (int(version), str(changes))
        for version, changes in fetch(
            "SELECT version, changes FROM uploads.specs WHERE name = $1 ORDER BY version", name
        )
    ]


def test_text_columns_are_kept_but_clocks_are_not_kept_twice() -> None:
    assert feature_columns(timed_dataset()) == ("COUNT", "RATIO", "PRICE", "KIND", "FLAG", "NOTE")


def test_tables_are_made_from_the_yaml() -> None:
    dataset = make_dataset(new_name())
    assert ensure_tables(dataset) == ensure_tables(dataset) == 1
    own = {"event_timestamp": "timestamp with time zone", "created_timestamp": "timestamp with time zone"}
    own |= {"upload_sha256": "text", "line": "bigint", "ID": "bigint"}
    assert columns("labels", dataset.name) == own | {"LABEL": "bigint", "COST": "double precision"}
    features = {"COUNT": "bigint", "RATIO": "double precision", "PRICE": "double precision", "KIND": "text"}
    assert columns("features", dataset.name) == own | features | {"FLAG": "boolean", "NOTE": "text"}


def test_a_feature_table_has_no_labels() -> None:
    name = new_name()
    table = FeatureTable.model_validate(
        {
            "kind": "table", "name": name, "description": "", "entity": {"name": "place", "key": ["A", "B"]},
            "columns": {"A": "text", "B": "integer", "TEMP": "number"},
        }
    )  # fmt: skip
    assert ensure_tables(table) == 1
    assert {"A": "text", "B": "bigint", "TEMP": "double precision"}.items() <= columns("features", name).items()
    assert columns("labels", name) == {}


def test_a_new_column_is_added_and_recorded() -> None:
    name = new_name()
    assert ensure_tables(make_dataset(name)) == 1
    assert ensure_tables(make_dataset(name, columns={"MORE": "number"})) == 2
    assert columns("features", name)["MORE"] == "double precision"
    assert versions(name) == [(1, ""), (2, "columns.MORE is new; rows loaded before lack it")]


def test_a_removed_column_stays_with_its_values() -> None:
    name = new_name()
    ensure_tables(make_dataset(name, columns={"MORE": "number"}))
    assert ensure_tables(make_dataset(name)) == 2
    assert columns("features", name)["MORE"] == "double precision"
    assert "columns.MORE was removed" in versions(name)[1][1]
    assert ensure_tables(make_dataset(name, columns={"MORE": "number"})) == 3


def test_a_changed_type_is_refused_and_changes_nothing() -> None:
    name = new_name()
    ensure_tables(make_dataset(name))
    with pytest.raises(ConfigurationError, match=rf"datasets/{name}.yaml: columns.RATIO was of type number and is now"):
        ensure_tables(make_dataset(name, columns={"RATIO": "text", "MORE": "number"}))
    assert "MORE" not in columns("features", name)
    assert versions(name) == [(1, "")]


def test_a_removed_column_does_not_come_back_with_another_type() -> None:
    name = new_name()
    ensure_tables(make_dataset(name, columns={"MORE": "number"}))
    ensure_tables(make_dataset(name))
    with pytest.raises(ConfigurationError, match=r"columns.MORE is now text \(text\).*holds double precision"):
        ensure_tables(make_dataset(name, columns={"MORE": "text"}))


def test_two_at_once_do_not_collide() -> None:
    dataset = make_dataset(new_name())
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ensure_tables, [dataset] * 8)) == {1}
    assert columns("features", dataset.name)
