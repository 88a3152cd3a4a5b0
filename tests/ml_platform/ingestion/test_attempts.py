"""A file whose attempt failed waits before the next one, longer each time; with another spec or new bytes it is due."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.ingestion import attempts
from ml_platform.storage.database import fetch
from ml_platform.storage.object_store import ObjectVersion
from tests.ml_platform.ingestion.upload_cases import new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def version() -> ObjectVersion:
    return ObjectVersion("train", f"train_{new_name()}.csv", '"e"', datetime(2026, 1, 1, 12, tzinfo=UTC), 10)


def pause(version: ObjectVersion, spec: str = "spec") -> float | None:
    return attempts.pauses("train", spec).get((version.key, version.etag, version.last_modified))


def test_each_pause_is_twice_as_long_up_to_five_minutes(version: ObjectVersion) -> None:
    assert pause(version) is None
    found = []
    for _ in range(9):
        attempts.begin(version, "spec")
        found.append(pause(version) or 0)
    for seconds, longest in zip(found, (5, 10, 20, 40, 80, 160, 300, 300, 300), strict=True):
        assert longest - 4 < seconds <= longest


def test_an_attempt_that_ends_well_is_forgotten(version: ObjectVersion) -> None:
    attempts.begin(version, "spec")
    attempts.end(version)
    assert pause(version) is None


@pytest.mark.parametrize("change", [{"etag": '"f"'}, {"last_modified": datetime(2026, 1, 2, tzinfo=UTC)}])
def test_a_newer_upload_under_the_same_key_is_due(version: ObjectVersion, change: dict[str, str]) -> None:
    attempts.begin(version, "spec")
    attempts.begin(version, "spec")
    newer = replace(version, **change)  # type: ignore[arg-type]
    assert pause(newer) is None
    attempts.begin(newer, "spec")
    assert 0 < (pause(newer) or 0) <= 5
    assert pause(version) is None


def test_why_it_failed_is_kept_until_the_next_attempt(version: ObjectVersion) -> None:
    def problem() -> str | None:
        found: str | None = fetch("SELECT problem FROM uploads.attempts WHERE object_key = $1", version.key)[0][0]
        return found

    attempts.begin(version, "spec")
    assert problem() is None
    attempts.record_problem(version, "the store is away")
    assert problem() == "the store is away"
    attempts.begin(version, "spec")
    assert problem() is None


def test_a_file_waits_for_another_spec(version: ObjectVersion) -> None:
    attempts.begin(version, "spec")
    attempts.wait_for_another_spec(version)
    assert pause(version) == math.inf
    assert pause(version, "another spec") is None


def test_the_time_of_the_upload_may_be_in_any_zone(version: ObjectVersion) -> None:
    attempts.begin(version, "spec")
    moved = replace(version, last_modified=version.last_modified.astimezone(None) + timedelta(0))
    assert pause(moved) is not None
