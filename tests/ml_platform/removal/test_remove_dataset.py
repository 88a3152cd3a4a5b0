"""A data set ends: nothing of it is left in tables and Feast, its files stay, and its name can be used again."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from ml_platform.exceptions import ConfigurationError
from ml_platform.feature_store import features, online_rows
from ml_platform.ingestion import uploads
from ml_platform.removal import remove_dataset
from ml_platform.removal.forget_entity import erase
from ml_platform.removal.forget_entity import plan as plan_erasure
from ml_platform.removal.remove_dataset import plan, remove
from ml_platform.specs.catalog import catalog, find_table
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage import object_store, tables
from ml_platform.storage.database import fetch
from ml_platform.training import build_training_set
from tests.ml_platform.ingestion.upload_cases import csv_bytes, drop, ingest, make_dataset, many, new_name, rows_in
from tests.ml_platform.removal.test_withdraw_upload import online

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

TABLE = {
    "kind": "table",
    "description": "weather",
    "entity": {"name": "place", "key": "PLACE"},
    "columns": {"PLACE": "text", "TEMP": "number"},
}


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the specs."""
    monkeypatch.setattr(tables, "DATASETS_DIR", tmp_path)
    return tmp_path


def write(folder: Path, name: str, **changes: Any) -> Table:
    """Write the YAML of a data set, and return its spec."""
    spec = make_dataset(name, **changes).model_dump(mode="json", exclude_defaults=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(spec))
    return find_table(name, folder)


@pytest.fixture
def sample(specs: Path) -> Dataset:
    """A data set with rows online, bad values, a waiting file and a frozen training set."""
    dataset = write(specs, new_name())
    assert isinstance(dataset, Dataset)
    ingest(dataset, csv_bytes({"ID": "1"}, {"ID": "2", "LABEL": "1"}, {"ID": "3", "RATIO": "x"}))
    online_rows.materialize(dataset)
    build_training_set.freeze(dataset)
    drop(dataset, many(3), "_waits")
    return dataset


def end(folder: Path, name: str) -> Path:
    return Path(remove(plan(name, folder), reason="the product ended", by="ann"))


def left_behind(name: str) -> list[str]:
    """Return what Postgres and Feast still have of a data set, but records that are meant to stay."""
    found = [f"{schema}.{name}" for (schema,) in fetch(
        "SELECT table_schema::text FROM information_schema.tables WHERE table_name = $1", name)]  # fmt: skip
    for table, column in (
        ("uploads.ledger", "dataset"), ("uploads.arrivals", "dataset"), ("uploads.rejected_rows", "dataset"),
        ("uploads.training_sets", "dataset"), ("uploads.withdrawals", "dataset"),
        ("uploads.specs", "name"), ("predictions.log", "model"), ("monitoring.checks", "dataset"),
        ("monitoring.retrainings", "dataset"), ("predictions.shadow", "model"), ("models.shadows", "model"),
    ):  # fmt: skip
        found += [table] * fetch(f"SELECT count(*) FROM {table} WHERE {column} = $1", name)[0][0]
    found += [key for (key,) in fetch("SELECT object_key FROM uploads.attempts") if name in key]
    feast = features.store()
    for objects in (feast.list_feature_views(), feast.list_feature_services(), feast.list_data_sources()):
        found += [one.name for one in objects if name in one.name]
    online_store = online_rows.repo_config().online_store
    with psycopg.connect(
        host=online_store.host, port=online_store.port, dbname=online_store.database, user=online_store.user,
        password=online_store.password,
    ) as connection:  # fmt: skip
        there = connection.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE %s", (f"%{name}%",))
        found += [table for (table,) in there]
    return found


def test_nothing_is_left_but_its_files_and_who_and_why_are_recorded(sample: Dataset, specs: Path) -> None:
    name, written = sample.name, (specs / f"{sample.name}.yaml").read_bytes()
    assert left_behind(name)
    planned = plan(name, specs)
    counts = {"uploads.ledger": 1, "uploads.rejected_rows": 1, f'features."{name}"': 2, f'labels."{name}"': 2}
    assert counts.items() <= planned.table_rows.items()
    files = {place: files for place, (files, _) in planned.files.items()}
    assert files == {
        f"train/train_{name}": 1, f"train/processed/train_{name}": 3, f"reports/templates/{name}.csv": 1,
        f"reports/templates/labels/{name}.csv": 1,
        f"mlflow/training_sets/{name}/": 1,
    }  # fmt: skip
    assert rows_in("features", sample) == 2
    moved_to = end(specs, name)
    assert left_behind(name) == []
    assert moved_to.parent == specs / "removed"
    assert moved_to.read_bytes() == written
    assert catalog(specs).datasets == ()
    assert catalog(specs).problems == ()
    for place, number in files.items():
        bucket, _, prefix = place.partition("/")
        assert len(object_store.list_objects(bucket, prefix)) == number
    recorded = "SELECT removed_by, reason, finished_at >= began_at FROM uploads.removals WHERE name = $1"
    assert fetch(recorded, name) == [("ann", "the product ended", True)]
    with pytest.raises(ConfigurationError, match=f"there is no {name!r}"):
        plan(name, specs)


def test_the_name_may_be_used_anew_with_other_columns_and_the_same_bytes(sample: Dataset, specs: Path) -> None:
    name = sample.name
    with pytest.raises(ConfigurationError):
        tables.ensure_tables(sample.model_copy(update={"event_time": "AT"}))
    end(specs, name)
    again = write(specs, name, columns={"NOTE": "category"})
    assert isinstance(again, Dataset)
    report = ingest(again, csv_bytes({"ID": "1"}, {"ID": "2", "LABEL": "1"}, {"ID": "3", "RATIO": "x"}))
    assert (report["outcome"], report["rows_loaded"]) == ("loaded", 2)
    assert online_rows.materialize(again) == 2
    assert online(again, 1, 3) == [0.5, None]
    end(specs, name)
    assert left_behind(name) == []


def test_an_erased_entity_does_not_come_back_with_the_name(sample: Dataset, specs: Path) -> None:
    data = csv_bytes({"ID": "7"}, {"ID": "8"})
    ingest(sample, data, "_erased")
    object_store.client().delete_object(Bucket="train", Key=f"train_{sample.name}_waits.csv")
    erase(plan_erasure(sample, ["8"]), reason="x", by="ann")
    end(specs, sample.name)
    again = write(specs, sample.name)
    assert isinstance(again, Dataset)
    assert ingest(again, data)["outcome"] == "rejected"


def test_a_task_that_began_before_does_not_create_the_tables_again(sample: Dataset, specs: Path) -> None:
    end(specs, sample.name)
    for task in (
        lambda: uploads.load(sample, "train", f"train_{sample.name}_waits.csv"),
        lambda: online_rows.materialize(sample),
        lambda: build_training_set.freeze(sample),
    ):
        with pytest.raises(ConfigurationError, match="was removed"):
            task()
    assert left_behind(sample.name) == []


class Killed(Exception):  # noqa: N818 – not an error of the platform's: nothing may catch it
    """Stands for the end of the process at a point where a kill cannot be placed."""


def test_a_killed_removal_is_completed_by_the_next(
    sample: Dataset, specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise Killed

    for module, function in (
        (remove_dataset, "_move"), (remove_dataset, "archive"), (features, "unregister"),
        (online_rows._STORE, "remove_view"),
    ):  # fmt: skip
        with monkeypatch.context() as killing:
            killing.setattr(module, function, die)
            with pytest.raises(Killed):
                end(specs, sample.name)
        assert rows_in("features", sample) == 2
    moved_to = end(specs, sample.name)
    assert left_behind(sample.name) == []
    assert len(list(moved_to.parent.iterdir())) == 1
    assert fetch("SELECT count(*) FROM uploads.removals WHERE name = $1", sample.name) == [(1,)]


def test_a_feature_table_ends_only_when_nobody_joins_it(specs: Path) -> None:
    name, table = new_name(), new_name()
    (specs / f"{table}.yaml").write_text(yaml.safe_dump({"name": table, **TABLE}))
    dataset = write(specs, name, features_from=[{"table": table, "on": {"PLACE": "NOTE"}}], columns={"NOTE": "text"})
    assert isinstance(dataset, Dataset)
    features.apply(dataset)
    with pytest.raises(ConfigurationError, match=f"{table} is joined by {name}: remove it from their"):
        plan(table, specs)
    end(specs, name)
    assert table in [view.name for view in features.store().list_feature_views()]
    end(specs, table)
    assert left_behind(table) == []


def test_an_entity_that_another_data_set_has_stays_in_feast(sample: Dataset, specs: Path) -> None:
    other = write(specs, new_name())
    features.apply(other)
    end(specs, sample.name)
    assert "thing" in [entity.name for entity in features.store().list_entities()]
    end(specs, other.name)
    assert "thing" not in [entity.name for entity in features.store().list_entities()]


def test_without_a_reason_or_if_the_yaml_cannot_be_moved_nothing_is_removed(
    sample: Dataset, specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="a removal needs a reason"):
        remove(plan(sample.name, specs), reason=" ", by="ann")

    def read_only(*_: Any) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as folder:
        folder.setattr("shutil.move", read_only)
        with pytest.raises(ConfigurationError, match="Read-only file system; move it there yourself, and run it again"):
            end(specs, sample.name)
    assert rows_in("features", sample) == 2
    path = specs / f"{sample.name}.yaml"
    path.rename(specs / "by-hand.txt")
    end(specs, sample.name)
    assert left_behind(sample.name) == []
