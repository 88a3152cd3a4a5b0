"""DAGs that are off although work waits for them."""

import pytest

from ml_platform.doctor import dags
from ml_platform.specs.catalog import Catalog, dataset
from ml_platform.specs.monitoring import Monitor


@pytest.fixture
def airflow(monkeypatch):
    """Return a function that sets Airflow's DAGs, by name whether each is off, and the files that wait."""

    def use(paused, waiting=None, errors=()):
        class StandIn:
            def __init__(self, *login):
                pass

            def close(self):
                pass

            def dags(self):
                return paused

            def import_errors(self):
                return list(errors)

        monkeypatch.setattr(dags, "Airflow", StandIn)
        monkeypatch.setattr(dags, "dags_with_waiting_files", lambda config: waiting or {})

    return use


def test_a_dag_that_is_off_is_found_if_files_wait_for_it(config, airflow):
    airflow({"ingest_a": True, "ingest_b": True, "test_b": False}, {"ingest_a": 2, "test_b": 1, "ingest_c": 1})
    assert list(dags.paused_dags(config)) == [
        "the DAG ingest_a is off, and 2 files wait for it",
        "the DAG ingest_c does not exist, and 1 files wait for it",
    ]


@pytest.mark.parametrize(
    ("on_drift", "off", "found"),
    [
        ("retrain", ["monitor_auto"], "the DAG monitor_auto is off"),
        ("retrain", ["train_auto"], "the DAG train_auto is off"),
        ("retrain", ["monitor_auto", "train_auto"], None),  # nobody wants it
        ("report", ["monitor_auto"], None),
    ],
)
def test_where_a_monitor_starts_trainings_both_dags_must_be_on(config, airflow, monkeypatch, on_drift, off, found):
    spec = dataset("auto").model_copy(update={"monitor": Monitor(on_drift=on_drift)})
    monkeypatch.setattr(dags, "catalog", lambda _: Catalog((spec,), (), ()))
    airflow({"monitor_auto": False, "train_auto": False} | dict.fromkeys(off, True))
    assert [text.partition(",")[0] for text in dags.paused_dags(config)] == ([found] if found else [])


def test_a_dag_that_should_always_be_on_is_found(config, airflow):
    airflow(dict.fromkeys(dags.ALWAYS_ON, True))
    assert list(dags.paused_dags(config)) == [f"the DAG {name} is off" for name in dags.ALWAYS_ON]
    airflow({})
    assert list(dags.paused_dags(config)) == []


def test_files_that_cannot_be_imported_are_found(config, airflow):
    airflow({}, errors=["train.py: NameError"])
    assert list(dags.import_errors(config)) == ["train.py: NameError"]


def test_records_that_should_have_been_removed_are_found(config, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(dags.databases, "query", lambda _, *query: asked.append(query) or ["2026-01-01"])
    assert list(dags.old_records(config)) == []  # they are kept for ever
    (tmp_path / "platform.yaml").write_text("kind: platform\nretention: {airflow: 30d}\n")
    (problem,) = dags.old_records(config.model_copy(update={"datasets_dir": tmp_path}))
    assert problem == "Airflow has records of 2026-01-01, and should keep them for 30 days"
    assert asked[0][0] == "airflow"
    assert f"interval '{32 * 86400} s'" in asked[0][1]
