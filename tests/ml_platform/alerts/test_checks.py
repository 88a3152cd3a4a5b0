"""The last check decides: for drift, and for the performance."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.alerts import checks, store

pytestmark = pytest.mark.servers
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CHECK = """INSERT INTO monitoring.checks (dataset, kind, model_version, window_start, window_end, reference, rows,
    verdict, figures, report_key, checked_by) VALUES ('alerted', %s, 3, %s, %s, 'training', 5000, %s,
    '{"sentence": "Drift: age differs."}', 'alerted/drift.html', 'ada')"""


def test_drift_lasts_until_a_check_finds_none(servers):
    with closing(store.connect(servers.database_uri("platform"))) as owner, owner.transaction(force_rollback=True):
        for day, verdict in enumerate(("no drift", "drift", "no drift")):
            owner.execute(CHECK, ("drift", START, START + timedelta(days=day), verdict))
            found = [cause for cause in checks.findings(owner).causes if cause.dataset == "alerted"]
            assert len(found) == (verdict == "drift")
            assert all(
                cause.facts["reason"].startswith("Drift: age differs. The page alerted/drift.html ") for cause in found
            )


def test_an_estimate_and_the_truth_are_one_state_and_the_newer_one_decides(servers):
    said = [
        ("estimated performance", "below the promise"),
        ("performance", "below the promise"),
        ("performance", "as promised"),
    ]
    with closing(store.connect(servers.database_uri("platform"))) as owner, owner.transaction(force_rollback=True):
        keys = []
        for day, (kind, verdict) in enumerate(said):
            owner.execute(CHECK, (kind, START, START + timedelta(days=day), verdict))
            keys.append([one.key for one in checks.findings(owner).causes if one.dataset == "alerted"])
        assert keys == [["alerted/performance"], ["alerted/performance"], []]


DECISION = """INSERT INTO monitoring.retrainings (dataset, window_end, cause, is_started, reason, decided_by)
    VALUES ('alerted', %s, 'drift', %s, 'its reason', 'ada')"""


def test_an_alert_says_whether_a_retraining_follows_as_soon_as_it_is_decided(servers):
    with closing(store.connect(servers.database_uri("platform"))) as owner, owner.transaction(force_rollback=True):

        def facts() -> list[dict[str, str]]:
            found = checks.findings(owner, ["alerted"]).causes
            return [cause.facts for cause in found if cause.dataset == "alerted"]

        for day, is_started in enumerate((True, False)):
            end = START + timedelta(days=day)
            owner.execute(CHECK, ("drift", START, end, "drift"))
            if not day:
                assert facts() == []  # it is decided in a moment
            owner.execute(DECISION, (end + timedelta(hours=1), is_started))
            (found,) = facts()
            assert ("advice" in found) == is_started
            assert found["reason"].endswith(" A retraining begins: its reason." if is_started else ": its reason.")
        owner.execute(CHECK, ("drift", START, START + timedelta(days=2), "drift"))
        owner.execute("UPDATE monitoring.checks SET checked_at = now() - interval '11 minutes'")
        assert set(facts()[0]) == {"reason"}  # nothing was decided, as if the task failed


def test_the_server_of_the_alerts_may_read_the_checks(servers):
    with closing(store.connect(servers.database_uri("alerts", "platform"))) as connection:
        assert checks.findings(connection).events == ("drift", "performance")
