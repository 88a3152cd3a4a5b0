"""What is read of Airflow's database."""

from contextlib import closing
from datetime import UTC, datetime
from uuid import UUID

import pytest

from ml_platform.alerts import messages, runs, store
from ml_platform.alerts.messages import Part

pytestmark = pytest.mark.servers
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
_ID = UUID(int=1)
PAGES = {"AIRFLOW_URL": "http://localhost:8082"}


def test_an_approval_is_over_when_it_is_answered(servers, airflow_tables):
    airflow_tables.execute(
        "INSERT INTO task_instance VALUES (gen_random_uuid(), 'train_auto', 'r1', 'deferred');"
        "INSERT INTO hitl_detail SELECT id, 'Promote version 3?' FROM task_instance"
    )
    with closing(store.connect(servers.database_uri("alerts", "airflow"))) as reader:
        [cause] = runs.approvals(reader, ["auto"]).causes
        message = messages.compose(_ID, [Part(cause.event, cause.dataset, cause.facts, START)], PAGES, "UTC")
        assert "/dags/train_auto/runs/r1/required_actions" in message.text
        airflow_tables.execute("UPDATE hitl_detail SET responded_at = now()")
        assert runs.approvals(reader, ["auto"]).causes == ()
