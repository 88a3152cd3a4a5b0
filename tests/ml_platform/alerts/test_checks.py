"""The last check of each kind decides."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.alerts import checks, store

pytestmark = pytest.mark.servers
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CHECK = """INSERT INTO monitoring.checks (dataset, kind, model_version, window_start, window_end, reference, rows,
    verdict, figures, checked_by) VALUES ('alerted', 'drift', 3, %s, %s, 'training', 5000, %s, '{}', 'ada')"""


def test_drift_lasts_until_a_check_finds_none(servers):
    with closing(store.connect(servers.database_uri("platform"))) as owner, owner.transaction(force_rollback=True):
        for day, verdict in enumerate(("no drift", "drift", "no drift")):
            owner.execute(CHECK, (START, START + timedelta(days=day), verdict))
            found = [cause for cause in checks.findings(owner).causes if cause.dataset == "alerted"]
            assert len(found) == (verdict == "drift")
            assert all("5,000 rows that version 3 scored" in cause.facts["reason"] for cause in found)


def test_the_server_of_the_alerts_may_read_the_checks(servers):
    with closing(store.connect(servers.database_uri("alerts", "platform"))) as connection:
        assert checks.findings(connection).events == ("drift",)
