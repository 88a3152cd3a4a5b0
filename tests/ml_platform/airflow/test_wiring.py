"""Parts of every DAG: which errors are retried, when a task is skipped, how the sensor waits."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors, set_current_context

from ml_platform.airflow import wiring
from ml_platform.exceptions import (
    ConfigurationError,
    ContractError,
    DegenerateDataError,
    RegistryError,
    ServiceError,
    UploadChangedError,
)
from ml_platform.ingestion import inbox
from ml_platform.ingestion.loading import Counts, FileRejectedError
from ml_platform.specs.catalog import dataset

AUTO = dataset("auto")
PERMANENT = (ContractError("x"), FileRejectedError("x", Counts(3, 0, 3), []), DegenerateDataError("x"))
TEMPORARY = (
    *(ServiceError("x"), UploadChangedError("x"), RegistryError("x"), ConfigurationError("x")),
    *(ConnectionError("x"), MemoryError("x"), KeyError("x")),
)


def raising(error: BaseException) -> Callable[..., Any]:
    @wiring.fail_at_once_on(ContractError, DegenerateDataError)
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize("error", PERMANENT, ids=lambda e: type(e).__name__)
def test_a_permanent_error_fails_at_once_with_its_text(error: Exception) -> None:
    with pytest.raises(AirflowFailException, match=r"^x$") as failed:
        raising(error)()
    assert failed.value.__cause__ is error


@pytest.mark.parametrize("error", TEMPORARY, ids=lambda e: type(e).__name__)
def test_any_other_error_is_retried(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        raising(error)()
    assert raised.value is error


def test_the_log_begins_a_permanent_error_with_its_sentence(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(AirflowFailException):
        raising(PERMANENT[0])()
    assert [(record.levelname, record.message) for record in caplog.records] == [("ERROR", "x")]


def test_a_decorated_function_keeps_its_name_arguments_and_result() -> None:
    def work(key: str, times: int = 1) -> str:
        """Explained."""
        return key * times

    for decorator in (wiring.fail_at_once_on(ContractError), wiring.skip_if_nothing_new):
        decorated = decorator(work)
        assert decorated("a", times=3) == "aaa"
        assert (decorated.__name__, decorated.__doc__) == ("work", "Explained.")


@pytest.mark.parametrize("nothing", [0, None, {}])
def test_a_task_with_nothing_new_is_skipped(nothing: Any) -> None:
    with pytest.raises(AirflowSkipException, match="the asset is not updated"):
        wiring.skip_if_nothing_new(lambda: nothing)()


@pytest.mark.parametrize("news", [1, {"promoted": True}])
def test_a_new_result_is_passed_on(news: Any) -> None:
    assert wiring.skip_if_nothing_new(lambda: news)() is news


@pytest.mark.parametrize("purpose", ["train", "test"])
def test_the_sensor_waits_for_the_files_of_the_data_set(purpose: Any) -> None:
    sensor = wiring.wait_for_file(AUTO, purpose)
    assert (sensor.task_id, sensor.table, sensor.purpose, sensor.connection) == ("wait_for_file", AUTO, purpose, "s3")


@pytest.mark.parametrize(
    ("stay", "rejected"),
    [([], []), (["'a' stays"], []), ([], ["'b' is rejected"]), (["'a' stays"], ["'b' is rejected"])],
)
def test_a_task_that_takes_files_fails_if_one_stays_or_is_rejected(
    stay: list[str], rejected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    began = datetime(2026, 1, 2, tzinfo=UTC)
    monkeypatch.setattr(wiring, "get_current_context", lambda: {"dag_run": SimpleNamespace(start_date=began)})
    monkeypatch.setattr(inbox, "work_off", lambda *_: [*stay])
    monkeypatch.setattr(inbox, "rejections", lambda *_, since: rejected if since == began else ["of an earlier run"])
    if stay or rejected:
        with pytest.raises(AirflowFailException) as failed:
            wiring.take_files(AUTO, "train", lambda _: None)
        assert str(failed.value).splitlines() == [*stay, *rejected]
    else:
        wiring.take_files(AUTO, "train", lambda _: None)


@pytest.mark.parametrize("given", [wiring.DEFAULT_ARGS, wiring.DEFAULT_ARGS | wiring.TAKE_FILES])
def test_retries_bridge_an_outage_of_half_an_hour(given: dict[str, Any]) -> None:
    delays = [
        min(
            given["retry_delay"].total_seconds() * given["retry_exponential_backoff"] ** attempt,
            given["max_retry_delay"].total_seconds(),
        )
        for attempt in range(given["retries"])
    ]
    assert 25 * 60 < sum(delays) < 40 * 60


@pytest.mark.parametrize("count", [0, 1])
def test_whether_a_task_runs_is_asked_of_airflow(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def get_ti_count(**criteria: Any) -> int:
        asked.append(criteria)
        return count

    monkeypatch.setattr(wiring, "get_current_context", lambda: {"ti": SimpleNamespace(get_ti_count=get_ti_count)})
    assert wiring.is_running("train_auto", "run 1", "search") is bool(count)
    assert asked == [{"dag_id": "train_auto", "run_ids": ["run 1"], "task_ids": ["search"], "states": ["running"]}]


def test_each_data_set_has_its_own_assets() -> None:
    bikes = AUTO.model_copy(update={"name": "bikes"})
    makers = (wiring.training_data, wiring.champion, wiring.scored_rows, wiring.checks)
    assert len({make(one).uri for make in makers for one in (AUTO, bikes)}) == 8
    assert wiring.training_data(AUTO) == wiring.training_data(dataset("auto"))


@pytest.mark.parametrize(("rows", "events"), [([], 0), ([199, 5], 0), ([199, 300, 400], 1)])
def test_scored_files_update_the_asset_if_one_has_enough_rows(
    monkeypatch: pytest.MonkeyPatch, rows: list[int], events: int
) -> None:
    outlets = OutletEventAccessors()
    monkeypatch.setattr(wiring, "get_current_context", lambda: {"outlet_events": outlets})
    wiring.announce_scored(AUTO, rows)
    added = outlets[wiring.scored_files(AUTO)].asset_alias_events
    assert [(event.dest_asset_key.uri, event.extra) for event in added] == [
        (wiring.scored_rows(AUTO).uri, {"rows": 700})
    ] * events


@pytest.mark.parametrize(
    ("user", "conf", "name"),
    [
        ("ann", {}, "ann"),
        ("ann", None, "ann"),
        (None, {}, "rollback_auto"),
        ("home", {"on_behalf_of": "bob"}, "bob"),
        ("home", {}, "home"),
        ("mallory", {"on_behalf_of": "bob"}, "mallory"),  # only the home page speaks for others
        ("Home", {"on_behalf_of": "bob"}, "Home"),
        (None, {"on_behalf_of": "bob"}, "rollback_auto"),
    ],
)
def test_a_run_was_started_by_its_user_or_by_the_person_at_the_home_page(user, conf, name) -> None:
    run = SimpleNamespace(triggering_user_name=user, dag_id="rollback_auto", conf=conf)
    with set_current_context({"dag_run": run}):  # type: ignore[typeddict-item]
        assert wiring.started_by() == name
