"""The record of shadows, on a real Postgres."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from ml_platform.monitoring import shadow_records
from ml_platform.storage.database import fetch
from tests.ml_platform.ingestion.upload_cases import new_name


@pytest.mark.servers
def test_a_shadow_whose_training_ended_makes_room_for_the_next(servers) -> None:
    name = new_name()
    lost, later = (SimpleNamespace(name=name, version=number, run_id="r") for number in ("2", "3"))
    assert shadow_records.begin(lost, 1, timedelta(days=7)) is not None  # type: ignore[arg-type]
    fetch("UPDATE models.shadows SET began_at = now() - interval '9 days' WHERE model = $1 RETURNING 1", name)
    found = shadow_records.begin(later, 1, timedelta(days=7))  # type: ignore[arg-type]
    assert found == shadow_records.current(name)
    assert found is not None
    assert found.version == 3
