"""The entries of a batch replace those of an attempt that did not commit; on real servers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from ml_platform.scoring.prediction_log import StreamPlace
from ml_platform.storage.database import fetch
from ml_platform.streaming.log import StreamLog
from ml_platform.streaming.messages import Message, answer, first_places
from tests.ml_platform.ingestion.upload_cases import new_name
from tests.ml_platform.serving.models import ROW, SHOP, make_model

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def log() -> Iterator[StreamLog]:
    found = StreamLog()
    yield found
    found.close()


def batch(name: str, *offsets: int, version: int = 1) -> tuple[list[StreamPlace], pa.RecordBatch | None]:
    model = make_model(SHOP.model_copy(update={"name": name}), version)
    rows = (json.dumps(ROW | {"id": offset}).encode() for offset in offsets)
    messages = [Message("rows", 0, offset, None, row) for offset, row in zip(offsets, rows, strict=True)]
    return first_places(messages, "topic"), answer(model, model.dataset, messages, NOW, "topic").entries


def logged(name: str) -> list[tuple[int, int]]:
    statement = "SELECT stream_offset, model_version FROM predictions.log WHERE model = $1 AND source = 'stream'"
    return sorted(fetch(statement, name))


def test_a_second_attempt_replaces_the_first_and_leaves_what_was_before(log: StreamLog) -> None:
    name = new_name()
    log.write(name, *batch(name, 0, 1))
    log.write(name, *batch(name, 2, 3, 4))
    log.write(name, *batch(name, 2, 3, version=2))
    assert logged(name) == [(0, 1), (1, 1), (2, 2), (3, 2)]


def test_an_attempt_without_a_prediction_removes_what_the_first_had(log: StreamLog) -> None:
    name = new_name()
    log.write(name, *batch(name, 0, 1))
    starts, _ = batch(name, 1)
    log.write(name, starts, None)
    assert logged(name) == [(0, 1)]


def test_other_models_partitions_and_topics_stay(log: StreamLog) -> None:
    name, other = new_name(), new_name()
    log.write(name, *batch(name, 5))
    log.write(other, *batch(other, 5))
    log.write(name, [StreamPlace("0-later", 0), StreamPlace("1-topic", 0)], None)
    assert logged(name) == logged(other) == [(5, 1)]
