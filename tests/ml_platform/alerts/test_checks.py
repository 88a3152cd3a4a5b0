"""The last check of each kind decides."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.alerts import checks, store

pytestmark = pytest.mark.servers
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
TABLE = """CREATE TABLE IF NOT EXISTS monitoring.checks (check_id bigint GENERATED ALWAYS AS IDENTITY, dataset text,
    kind text, model_version integer, window_start timestamptz, window_end timestamptz, reference text, rows bigint,
    verdict text, figures jsonb, checked_by text)"""
CHECK = """INSERT INTO monitoring.checks (dataset, kind, model_version, window_start, window_end, reference, rows,
    verdict, figures, checked_by) VALUES ('alerted', 'drift', 3, %s, %s, 'training', 5000, %s, '{}', 'ada')"""


def test_drift_lasts_until_a_check_finds_none(servers):
    with closing(store.connect(servers.database_uri("platform"))) as owner, owner.transaction(force_rollback=True):
        owner.execute(TABLE)
        for day, verdict in enumerate(("no drift", "drift", "no drift")):
            owner.execute(CHECK, (START, START + timedelta(days=day), verdict))
            found = [cause for cause in checks.findings(owner).causes if cause.dataset == "alerted"]
            assert len(found) == (verdict == "drift")
            assert all("5,000 rows that version 3 scored" in cause.facts["reason"] for cause in found)


def test_where_nothing_is_checked_nothing_is_found(servers):
    with closing(store.connect(servers.database_uri("platform"))) as owner, owner.transaction(force_rollback=True):
        owner.execute("DROP TABLE IF EXISTS monitoring.checks")
        assert checks.findings(owner).causes == ()
