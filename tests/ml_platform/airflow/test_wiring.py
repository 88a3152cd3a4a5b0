"""Parts of every DAG: which errors are retried, when a task is skipped, how the sensor waits."""

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from ml_platform.airflow import wiring
from ml_platform.exceptions import (
    ConfigurationError,
    ContractError,
    DegenerateDataError,
    RegistryError,
    ServiceError,
    UploadChangedError,
)
from ml_platform.ingestion.staging import Counts, FileRejectedError
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


class Instance:
    """Like Airflow 3: a list of task ids gives a list, a single id the plain value."""

    def __init__(self, *results: Any) -> None:
        self.results = list(results)

    def xcom_pull(self, task_ids: Any) -> Any:
        return self.results if isinstance(task_ids, list) or len(self.results) > 1 else self.results[0]


@pytest.mark.parametrize("results", [({"rows": 1},), ({"rows": 1}, None), ()])
def test_results_are_a_list_for_any_number_of_files(results: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "get_current_context", lambda: {"ti": Instance(*results)})
    assert wiring.results_of("take.settle") == list(results)


def test_a_mapped_task_shows_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    context: dict[str, Any] = {}
    monkeypatch.setattr(wiring, "get_current_context", lambda: context)
    wiring.show_file("train_auto.csv")
    assert context == {"file": "train_auto.csv"}


@pytest.mark.parametrize("purpose", ["train", "test"])
def test_the_sensor_waits_for_the_files_of_the_data_set_without_a_worker(purpose: Any) -> None:
    sensor = wiring.wait_for_file(AUTO, purpose)
    assert (sensor.bucket_name, sensor.bucket_key, sensor.wildcard_match) == (purpose, f"{purpose}_auto*", True)
    assert (sensor.deferrable, sensor.aws_conn_id, sensor.poke_interval) == (True, "s3", 2)
    assert sensor.timeout == wiring.FOREVER > 9 * 365 * 86400


def test_retries_bridge_an_outage_of_half_an_hour() -> None:
    given = wiring.DEFAULT_ARGS
    delays = [
        min(given["retry_delay"] * given["retry_exponential_backoff"] ** attempt, given["max_retry_delay"])
        for attempt in range(given["retries"])
    ]
    assert 25 * 60 < sum(delay.total_seconds() for delay in delays) < 40 * 60


def test_each_data_set_has_its_own_assets() -> None:
    bikes = AUTO.model_copy(update={"name": "bikes"})
    makers = (wiring.training_data, wiring.champion)
    assert len({make(one).uri for make in makers for one in (AUTO, bikes)}) == 4
    assert wiring.training_data(AUTO) == wiring.training_data(dataset("auto"))
