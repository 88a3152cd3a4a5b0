"""The DAG files: they import, are documented, retry what can pass, and keep their shape."""

import ast
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors, set_current_context

from ml_platform.airflow import wiring
from ml_platform.exceptions import ConfigurationError
from ml_platform.feature_store import online_rows
from ml_platform.monitoring import drift_check, performance_check
from ml_platform.monitoring.checks import Check
from ml_platform.monitoring.drift_check import Skipped
from ml_platform.monitoring.window import Window
from ml_platform.sources import pull as sources
from ml_platform.sources.pull import Pulled
from ml_platform.specs.catalog import Catalog, catalog, dataset
from ml_platform.specs.monitoring import Monitor
from ml_platform.specs.parts import Gate, Promotion
from ml_platform.specs.retention import STORES
from ml_platform.specs.shadow import Shadow
from ml_platform.specs.spec import Dataset
from tests.ml_platform.keyless import without_key

ROOT = Path(__file__).resolve().parents[2]
VERBS = ("ingest", "train", "test", "rollback", "promote", "withdraw", "monitor")
DAGS = {**{f"{verb}_auto": f"{verb}.py" for verb in VERBS}, "housekeeping": "housekeeping.py"}


def test_every_file_imports(dag_bag) -> None:
    assert dag_bag.import_errors == {}


def test_one_dag_per_verb_and_data_set_and_a_feature_table_is_only_loaded_and_taken_back(dag_bag) -> None:
    wanted = {f"{verb}_{dataset.name}" for verb in VERBS for dataset in catalog().datasets}
    assert set(dag_bag.dags) == wanted | {"housekeeping"} | {
        f"{verb}_{table.name}" for verb in ("ingest", "withdraw") for table in catalog().tables
    }


@pytest.mark.parametrize("dag_id", DAGS)
def test_the_runbook_is_the_docstring_of_the_file(dag_bag, dag_id: str) -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / "dags" / DAGS[dag_id]).read_text()), clean=False)
    heading = docstring.partition("\n")[0].replace("{name}", "auto")
    doc = dag_bag.dags[dag_id].doc_md
    assert doc.startswith(heading)
    sections = [doc.index(f"**{title}**") for title in ("Starts", "Comes in", "Goes out", "How", "When it fails")]
    assert sections == sorted(sections)


def test_a_runbook_names_its_data_set_and_has_no_fields_left(dag_bag) -> None:
    for dag_id, dag in dag_bag.dags.items():
        name = dag_id.partition("_")[2]
        assert re.match(rf".* {name}\b", dag.doc_md), dag_id
        assert not re.findall(r"[{}<>]", dag.doc_md), dag_id
        others = {"auto", "ecg", "flights", "penguin_mass", "penguins", "weather"} - {name}
        assert not [other for other in others if other in dag.doc_md]


def test_a_runbook_names_only_documents_and_dags_that_exist(dag_bag) -> None:
    for dag in dag_bag.dags.values():
        assert [
            path for path in re.findall(r"`(docs/[^`]+|datasets/[^`]+)`", dag.doc_md) if not (ROOT / path).exists()
        ] == []
        assert [dag_id for dag_id in re.findall(r"\(/dags/(\w+)\)", dag.doc_md) if dag_id not in dag_bag.dags] == []


def test_a_runbook_links_to_the_screens_that_the_environment_names(monkeypatch) -> None:
    urls = {
        "MLFLOW_URL": "http://mlflow.test", "FEAST_URL": "http://feast.test", "CONSOLE_URL": "http://console.test",
        "BUCKETS_URL": "http://console.test/browser/", "ADMINER_URL": "http://adminer.test/?pgsql=db&ns=features",
    }  # fmt: skip
    for variable, url in urls.items():
        monkeypatch.setenv(variable, url)
    docs = {dag_id: dag.doc_md for dag_id, dag in DagBag(ROOT / "dags").dags.items()}
    assert "[rejected/](http://console.test/browser/train/rejected/)" in docs["ingest_auto"]
    assert "[feature view](http://feast.test/p/ml_platform/feature-view/auto)" in docs["ingest_auto"]
    assert "[registered model auto](http://mlflow.test/#/models/auto)" in docs["train_auto"]
    assert "[models.decisions](http://adminer.test/?pgsql=db&ns=models&select=decisions)" in docs["train_auto"]
    assert "(http://console.test/browser/result/auto/)" in docs["test_auto"]


def test_the_text_of_a_link_is_plain(dag_bag) -> None:
    """Airflow shows code in a link like code that is no link."""
    for dag in dag_bag.dags.values():
        assert "`" not in "".join(re.findall(r"\[([^\]]*)\]\(", dag.doc_md))


def test_a_feature_table_has_no_labels_and_starts_no_training(dag_bag) -> None:
    doc = dag_bag.dags["ingest_weather"].doc_md
    assert "files named `weather*`" in doc
    assert "labels.weather" not in doc
    assert "train_weather" not in doc


def test_display_names_are_verb_and_data_set(dag_bag) -> None:
    names = [dag_bag.dags[f"{verb}_auto"].dag_display_name for verb in VERBS]
    assert names == [
        "Load auto",
        "Train auto",
        "Score auto",
        "Roll back auto",
        "Promote auto",
        "Take back auto",
        "Monitor auto",
    ]
    assert dag_bag.dags["ingest_weather"].dag_display_name == "Load weather"


@pytest.mark.parametrize("dag_id", DAGS)
def test_every_dag_has_owner_tags_description_and_retries(dag_bag, dag_id: str) -> None:
    dag = dag_bag.dags[dag_id]
    name = {"auto"} if dag_id.endswith("_auto") else set()
    assert all(part in dag.description for part in name)
    assert dag.tags == {"ml-platform"} | name
    assert not dag.catchup
    assert dag.max_active_runs == 1
    for task in dag.tasks:
        assert task.owner == "ml-platform", task.task_id
        assert task.retries >= 5, task.task_id
        assert task.retry_exponential_backoff, task.task_id


def edges(dag) -> dict[str, set[str]]:
    return {task.task_id: task.downstream_task_ids for task in dag.tasks}


def test_ingest_waits_loads_then_announces_and_materializes(dag_bag) -> None:
    assert edges(dag_bag.dags["ingest_auto"]) == {
        "wait_for_file": {"load"},
        "load": {"announce", "materialize"},
        "announce": set(),
        "materialize": set(),
    }


def test_materialize_fails_at_once_if_the_spec_is_incompatible(dag_bag, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries would keep the next run, and so the file that waits for the right spec, from starting."""

    def refuse(_: object) -> None:
        raise ConfigurationError("datasets/auto.yaml: AGE was integer")

    monkeypatch.setattr(online_rows, "materialize", refuse)
    with pytest.raises(AirflowFailException, match="AGE was integer"):
        dag_bag.dags["ingest_auto"].get_task("materialize").python_callable()


def test_rows_without_a_key_are_not_put_online(monkeypatch) -> None:
    keyless = without_key(dataset("auto"))
    monkeypatch.setattr("ml_platform.specs.catalog.catalog", lambda: Catalog((keyless,), (), ()))
    bag = DagBag(ROOT / "dags" / "ingest.py")
    assert bag.import_errors == {}
    found = bag.dags["ingest_auto"]
    assert edges(found) == {"wait_for_file": {"load"}, "load": {"announce"}, "announce": set()}
    assert not re.findall(r"online|materialize|[{}]", found.doc_md)


AUTO = dataset("auto")
END = datetime(2026, 6, 1, tzinfo=UTC)
SOURCES = {
    "train": {"kind": "kafka", "topic": "claims", "every": "7s"},
    "test": {"kind": "s3", "connection": "partner", "bucket": "daily"},
}


def with_sources(monkeypatch):
    pulled = Dataset.model_validate(AUTO.model_dump(exclude={"tables"}) | {"source": SOURCES})
    monkeypatch.setattr("ml_platform.specs.catalog.catalog", lambda: Catalog((pulled,), (), ()))
    bag = DagBag(ROOT / "dags" / "pull.py")
    assert bag.import_errors == {}
    return bag.dags


def test_a_source_has_a_dag_and_without_one_there_is_none(monkeypatch, dag_bag) -> None:
    assert not [dag_id for dag_id in dag_bag.dags if dag_id.startswith("pull")]
    dags = with_sources(monkeypatch)
    assert set(dags) == {"pull_auto", "pull_test_auto"}
    for dag in dags.values():
        assert (dag.max_active_runs, dag.catchup, dag.tags) == (1, False, {"ml-platform", "auto"})
        assert dag.get_task("pull").retries >= 5
        assert not re.findall(r"[{}]", dag.doc_md)
    assert dags["pull_auto"].dag_display_name == "Pull auto"
    assert "asked every 7s" in dags["pull_auto"].doc_md
    assert "[ingest_auto](/dags/ingest_auto)" in dags["pull_auto"].doc_md
    assert "[test_auto](/dags/test_auto)" in dags["pull_test_auto"].doc_md
    assert "connection `partner`" in dags["pull_test_auto"].doc_md


def test_a_pull_starts_when_its_source_has_something_new_and_once_an_hour(monkeypatch) -> None:
    timetable = with_sources(monkeypatch)["pull_auto"].timetable
    (asset,) = timetable.asset_condition.objects
    (watcher,) = asset.watchers
    assert json.loads(watcher.trigger.source)["topic"] == "claims"
    assert (watcher.trigger.dataset, watcher.trigger.purpose) == ("auto", "train")
    assert timetable.timetable.delta == timedelta(hours=1)


def pulled(monkeypatch, result, form=None):
    """Run the task of `pull_auto` with a source that gives this result."""
    task = with_sources(monkeypatch)["pull_auto"].get_task("pull")
    monkeypatch.setattr("ml_platform.airflow.connections.source_connection", lambda name: name)
    monkeypatch.setattr(sources, "pull", result)
    monkeypatch.setattr(sources, "read_again", lambda *args, **more: [str(args[2]), more["reason"]])
    fields = {"partition": None, "start": None, "end": None, "reason": None} | (form or {})
    run = SimpleNamespace(triggering_user_name="ann", dag_id="pull_auto", conf={})
    with set_current_context({"params": fields, "dag_run": run}):
        return task.python_callable()


def test_a_pull_says_how_many_files_landed(monkeypatch) -> None:
    assert pulled(monkeypatch, lambda *args, **more: Pulled(3)) == 3


def test_a_source_that_is_away_skips_the_pull_and_a_mistake_fails_it_at_once(monkeypatch) -> None:
    with pytest.raises(AirflowSkipException, match="the broker is away: it is waited for"):
        pulled(monkeypatch, lambda *args, **more: Pulled(0, "the broker is away"))

    def mistake(*args, **more):
        raise ConfigurationError("no such topic")

    with pytest.raises(AirflowFailException, match="no such topic"):
        pulled(monkeypatch, mistake)


def test_a_filled_in_form_reads_a_range_again(monkeypatch) -> None:
    form = {"partition": "0", "end": "10", "reason": "withdrawn by mistake"}
    assert pulled(monkeypatch, lambda *args, **more: Pulled(3), form) == 2


def test_a_check_starts_by_time_and_after_a_scored_file(dag_bag) -> None:
    dag = dag_bag.dags["monitor_auto"]
    scored, trained = dag.timetable.asset_condition.objects
    assert [scored.name, trained.name] == [wiring.scored_rows(AUTO).name, wiring.training_data(AUTO).name]
    assert dag.timetable.timetable.delta == timedelta(weeks=2)
    assert edges(dag) == {"drift": set(), "performance": set()}
    assert dag_bag.dags["test_auto"].get_task("score").outlets == [wiring.scored_files(AUTO)]


CHECKS = {"drift": drift_check, "performance": performance_check}


def check(dag_bag, monkeypatch, result, outlets, task="drift"):
    """Run a task of `monitor_auto` with this result of its check."""
    monkeypatch.setattr(CHECKS[task], "check", lambda _, plan, by: result(plan))
    run = SimpleNamespace(run_after=END, triggering_user_name=None, dag_id="monitor_auto", conf=None)
    form = {"window": None, "reference": "training set", "dry_run": False}
    with set_current_context({"params": form, "dag_run": run, "outlet_events": outlets}):
        return dag_bag.dags["monitor_auto"].get_task(task).python_callable()


@pytest.mark.parametrize("task", ["drift", "performance"])
def test_a_check_says_its_verdict_in_an_event(dag_bag, monkeypatch, task) -> None:
    def found(plan):
        assert plan.end == END
        return Check("drift", Window("auto", 3, END, plan.end), "training set", 500, "drift", {}, "auto/x.html")

    outlets = OutletEventAccessors()
    assert check(dag_bag, monkeypatch, found, outlets, task) == "drift"
    extra = outlets[wiring.checks(AUTO)].extra
    assert [extra[name] for name in ("kind", "verdict", "model_version", "is_dry_run")] == ["drift", "drift", 3, False]


def test_a_check_without_enough_rows_is_skipped(dag_bag, monkeypatch) -> None:
    with pytest.raises(AirflowSkipException, match="too few"):
        check(dag_bag, monkeypatch, lambda _: Skipped("too few"), OutletEventAccessors())


def test_train_is_one_line_of_tasks(dag_bag) -> None:
    assert edges(dag_bag.dags["train_auto"]) == {
        "freeze_training_set": {"search", "refit", "gate", "promote"},
        "search": {"refit"},
        "refit": {"gate", "promote"},
        "gate": {"promote"},
        "promote": set(),
    }


@pytest.fixture
def asking(monkeypatch):
    """`train_auto` where the spec asks for an approval."""
    asks = dataset("auto").model_copy(update={"gate": Gate(approval=True, approval_within="90m")})
    monkeypatch.setattr("ml_platform.specs.catalog.catalog", lambda: Catalog((asks,), (), ()))
    bag = DagBag(ROOT / "dags" / "train.py")
    assert bag.import_errors == {}
    return bag.dags["train_auto"]


def test_an_approval_stands_between_gate_and_alias(asking) -> None:
    found = edges(asking)
    assert found["gate"] == {"approval", "promote"}
    assert found["approval"] == {"promote"}
    asked = asking.get_task("approval")
    assert asked.options == ["Approve", "Reject"]
    assert asked.defaults == ["Reject"]
    assert asked.response_timeout == timedelta(minutes=90)


@pytest.mark.parametrize(("on_drift", "asks"), [("retrain", False), ("retrain_with_approval", True)])
def test_drift_starts_a_training_where_the_yaml_says_so(monkeypatch, on_drift, asks) -> None:
    spec = AUTO.model_copy(update={"monitor": Monitor(on_drift=on_drift)})
    monkeypatch.setattr("ml_platform.specs.catalog.catalog", lambda: Catalog((spec,), (), ()))
    bags = {verb: DagBag(ROOT / "dags" / f"{verb}.py") for verb in ("monitor", "train", "ingest")}
    assert [bag.import_errors for bag in bags.values()] == [{}] * 3
    monitor, train = bags["monitor"].dags["monitor_auto"], bags["train"].dags["train_auto"]
    assert edges(monitor) == {"drift": {"retrain"}, "performance": {"retrain"}, "retrain": set()}
    (asset,) = monitor.get_task("retrain").outlets
    assert [one.uri for one in train.timetable.asset_condition.objects] == [asset.uri]
    assert ("approval" in edges(train)) is asks
    assert "New rows start [monitor_auto]" in bags["ingest"].dags["ingest_auto"].doc_md
    assert "[monitor_auto](/dags/monitor_auto) has found drift" in train.doc_md
    assert "[train_auto](/dags/train_auto) if a check has found drift" in monitor.doc_md


def test_a_winner_of_the_gate_is_tried_in_shadow_where_the_yaml_says_so(monkeypatch) -> None:
    spec = AUTO.model_copy(update={"shadow": Shadow(), "gate": Gate(approval=True)})
    monkeypatch.setattr("ml_platform.specs.catalog.catalog", lambda: Catalog((spec,), (), ()))
    bag = DagBag(ROOT / "dags" / "train.py")
    assert bag.import_errors == {}
    train = bag.dags["train_auto"]
    found = edges(train)
    assert found["gate"] == {"shadow", "compare"}
    assert [found[task] for task in ("shadow", "compare")] == [{"compare"}, {"approval", "promote"}]
    assert found["approval"] == {"promote"}
    assert train.get_task("shadow").mode == "reschedule"  # it waits without a worker
    assert train.max_active_runs > 1


def test_a_training_that_waits_for_an_approval_does_not_block_the_next(asking) -> None:
    assert asking.max_active_runs > 1
    limits = {task.task_id: task.max_active_tis_per_dag for task in asking.tasks}
    assert (limits["search"], limits["refit"], limits["approval"]) == (1, 1, None)


def test_test_waits_for_a_file_and_for_a_champion(dag_bag) -> None:
    assert edges(dag_bag.dags["test_auto"]) == {
        "wait_for_file": {"wait_for_champion"},
        "wait_for_champion": {"score"},
        "score": set(),
    }


@pytest.mark.parametrize("looks_before", [0, 1, 8])
def test_only_the_first_look_for_a_champion_is_logged(dag_bag, monkeypatch, looks_before) -> None:
    looks = []
    monkeypatch.setattr("ml_platform.scoring.batch.is_ready", lambda _, **options: looks.append(options))
    with set_current_context({"task_reschedule_count": looks_before}):
        dag_bag.dags["test_auto"].get_task("wait_for_champion").python_callable()
    assert looks == [{"is_first_look": looks_before == 0}]


@pytest.mark.parametrize("verb", ["ingest", "test"])
def test_a_waiting_run_holds_no_worker_and_does_not_time_out(dag_bag, verb: str) -> None:
    dag = dag_bag.dags[f"{verb}_auto"]
    assert type(dag.get_task("wait_for_file")).__name__ == "InboxSensor"
    assert dag.get_task("wait_for_file").execution_timeout is None
    assert type(dag.timetable).__name__ == "ContinuousTimetable"


def test_new_training_data_starts_the_training(dag_bag) -> None:
    (outlet,) = dag_bag.dags["ingest_auto"].get_task("announce").outlets
    assert outlet.uri == "ml-platform://training-data/auto"
    assert outlet.uri in str(dag_bag.dags["train_auto"].timetable.asset_condition)


def test_an_upload_is_taken_back_by_one_task_that_asks_for_upload_and_reason(dag_bag) -> None:
    for name in ("auto", "weather"):
        dag = dag_bag.dags[f"withdraw_{name}"]
        assert edges(dag) == {"remove_rows": set()}
        assert set(dag.params) == {"upload", "reason"}
    assert "labels.weather" not in dag_bag.dags["withdraw_weather"].doc_md


def test_what_is_old_is_removed_every_day_without_a_click(dag_bag) -> None:
    dag = dag_bag.dags["housekeeping"]
    assert edges(dag) == {task: set() for task in ("logs", *STORES)}
    assert dag.max_active_tasks == 1  # no other task waits
    assert dag.params["dry_run"] is False
    assert dag.is_paused_upon_creation is False
    assert dag.schedule == "@daily"
    assert [name for name, other in dag_bag.dags.items() if other.is_paused_upon_creation is False] == ["housekeeping"]


def test_a_promotion_is_copied_and_checked_before_it_moves(dag_bag) -> None:
    assert edges(dag_bag.dags["promote_auto"]) == {"copy": {"check", "move"}, "check": {"move"}, "move": set()}


def test_an_approval_stands_between_check_and_move(monkeypatch) -> None:
    asks = dataset("auto").model_copy(update={"promotion": Promotion(approval=True, approval_within="90m")})
    monkeypatch.setattr("ml_platform.specs.catalog.catalog", lambda: Catalog((asks,), (), ()))
    bag = DagBag(ROOT / "dags" / "promote.py")
    assert bag.import_errors == {}
    found = bag.dags["promote_auto"]
    assert edges(found) == {"copy": {"check", "move"}, "check": {"approval"}, "approval": {"move"}, "move": set()}
    assert found.get_task("approval").response_timeout == timedelta(minutes=90)
    assert found.max_active_runs > 1


def test_dag_files_only_wire() -> None:
    """A DAG file past about 120 lines means that logic has leaked into it."""
    for path in (ROOT / "dags").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 140, path
