"""The sensor of the inbox: it waits without a worker, and wakes for a file that can be taken, and only for one."""

import asyncio
import json
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from ml_platform.airflow import inbox_sensor
from ml_platform.airflow.inbox_sensor import InboxSensor, InboxTrigger
from ml_platform.ingestion import attempts, inbox
from ml_platform.settings import settings
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import csv_bytes, drop, make_dataset, many, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers", "connection")]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {
        "conn_type": "aws",
        "login": settings().s3_access_key,
        "password": settings().s3_secret_key.get_secret_value(),
        "extra": {"endpoint_url": settings().s3_endpoint_url, "region_name": "us-east-1"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_S3", json.dumps(value))
    monkeypatch.setattr(inbox_sensor, "POLL", 0.05)


def sensor(data_set: Dataset) -> InboxSensor:
    return InboxSensor(task_id="wait", table=data_set, purpose="train", connection="s3")


def trigger_of(data_set: Dataset) -> InboxTrigger:
    """Return the trigger that the sensor waits with."""
    with pytest.raises(TaskDeferred) as deferred:
        sensor(data_set).execute({})
    assert deferred.value.method_name == "execute"
    assert isinstance(deferred.value.trigger, InboxTrigger)
    return deferred.value.trigger


async def fires(trigger: Any, while_it_waits: Any = lambda: None) -> bool:
    """Return whether a trigger, stored and loaded, does not fire before a call and fires after it."""
    path, arguments = trigger.serialize()
    assert path == "ml_platform.airflow.inbox_sensor.InboxTrigger"
    loaded = InboxTrigger(**json.loads(json.dumps(arguments)))
    firing = asyncio.ensure_future(anext(aiter(loaded.run())))
    looked = asyncio.ensure_future(_looks(loaded, 4))  # a round looks at three places
    await asyncio.wait({firing, looked}, return_when=asyncio.FIRST_COMPLETED)
    if firing.done():
        return False
    await asyncio.to_thread(while_it_waits)
    await asyncio.wait_for(firing, 60)
    return True


async def _looks(trigger: InboxTrigger, count: int) -> None:
    """Wait until a trigger has looked into the bucket so often."""
    looks, look = 0, trigger._has_new_file

    async def counted(client: Any, bucket: str, prefix: str) -> bool:
        nonlocal looks
        looks += 1
        return await look(client, bucket, prefix)

    trigger._has_new_file = counted  # type: ignore[method-assign]
    while looks < count:
        await asyncio.sleep(0.01)


def test_a_file_that_is_there_is_taken_at_once(sample: Dataset) -> None:
    drop(sample, many(1))
    sensor(sample).execute({})


def test_without_a_file_it_waits_for_one(sample: Dataset) -> None:
    trigger = trigger_of(sample)
    assert trigger.seconds is None

    def create_folder() -> None:
        object_store.client().put_object(Bucket="train", Key=f"train_{sample.name}/", Body=b"")

    create_folder()
    assert asyncio.run(fires(trigger, lambda: drop(sample, many(1))))
    sensor(sample).execute({}, event=None)


def test_a_label_file_wakes_it_too(sample: Dataset) -> None:
    def put_labels() -> None:
        object_store.client().put_object(Bucket="train", Key=f"labels/{sample.name}.csv", Body=b"ID,LABEL\n1,1\n")

    assert asyncio.run(fires(trigger_of(sample), put_labels))
    sensor(sample).execute({}, event=None)


def test_an_answer_file_wakes_it_too(sample: Dataset) -> None:
    def put_answers() -> None:
        object_store.client().put_object(Bucket="label", Key=f"label_{sample.name}.csv", Body=b"ask_id,LABEL\n")

    assert asyncio.run(fires(trigger_of(sample), put_answers))
    sensor(sample).execute({}, event=None)


def test_a_file_that_waits_for_its_next_attempt_wakes_nobody_before(sample: Dataset) -> None:
    drop(sample, many(1))
    (version,) = inbox.look(sample, "train").due
    attempts.begin(version, sample.sha256)
    attempts.wait_for_another_spec(version)
    trigger = trigger_of(sample)
    assert (trigger.held, trigger.seconds) == ({version.key: version.etag}, inbox_sensor.LOOK_AGAIN)
    assert asyncio.run(fires(trigger, lambda: drop(sample, csv_bytes({"ID": "7"}))))


def test_it_looks_again_when_the_next_attempt_is_due(sample: Dataset) -> None:
    drop(sample, many(1))
    (version,) = inbox.look(sample, "train").due
    attempts.begin(version, sample.sha256)
    trigger = trigger_of(sample)
    assert trigger.seconds is not None
    assert 0 < trigger.seconds <= attempts.FIRST_PAUSE
    trigger.seconds = 0.0
    assert not asyncio.run(fires(trigger))  # it fires by itself
