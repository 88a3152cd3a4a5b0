"""What happened to a model, from the records alone."""

from datetime import UTC, datetime

import pytest

from ml_platform.promotion.history import Period
from ml_platform.records import model_history
from ml_platform.records.model_history import decisions, events
from ml_platform.storage import database

NAME = "model_history_of_a_test"
SHA = "a" * 64


@pytest.fixture
def past(servers) -> None:
    """Two versions that went live, one that was kept and rejected by a person, and a rollback."""
    with database.transaction() as cursor:
        for number, decision, ours, theirs, low, approval in (
            (1, "promoted", 0.5, None, None, None),
            (2, "promoted", 0.6, 0.5, 0.05, "approved"),
            (3, "kept", 0.65, 0.6, 0.01, "rejected"),
        ):
            database.rows(
                cursor,
                "INSERT INTO models.decisions (model, version, run_id, champion_before, decision, reason, rows,"
                " challenger_score, champion_score, gain_low, gain_high, min_gain, confidence, training_set_sha256,"
                " decided_by, approval, answered_by, decided_at) VALUES ($1, $2::int, 'run', $3::int, $4, 'so', 100,"
                " $5::float8, $6::float8, $7::float8, $7::float8 + 0.1, 0.01, 0.95, $8, 'train', $9::text, $10::text,"
                " $11::text::timestamptz) RETURNING decision_id",
                *(NAME, number, number - 1 or None, decision, ours, theirs, low, SHA, approval),
                *("ann" if approval else None, f"2026-01-0{number}T00:00:00Z"),
            )
        for before, after, at, why in ((None, 1, "01", "gate"), (1, 2, "02", "gate"), (2, 1, "04", "rollback")):
            database.rows(
                cursor,
                "INSERT INTO models.movements (model, from_version, to_version, moved_by, why, reason, decision_id,"
                " is_done, moved_at) SELECT $1, $2::int, $3::int, 'bob', $4, 'so', (SELECT decision_id FROM"
                " models.decisions WHERE model = $1 AND version = $3::int AND $4 = 'gate'), true,"
                " $5::text::timestamptz RETURNING movement_id",
                *(NAME, before, after, why, f"2026-01-{at}T01:00:00Z"),
            )


@pytest.mark.servers
def test_live_versions_and_those_that_stayed_are_told_newest_first(past: None) -> None:
    found = events(NAME)
    assert [(one.version, one.why, one.went_live, one.is_live) for one in found] == [
        (1, "rollback", True, True),
        (3, "gate", False, False),
        (2, "gate", True, False),
        (1, "gate", True, False),
    ]
    back, rejected, second, first = found
    assert (back.decision, back.until) == (None, None)
    assert (rejected.approved_by, rejected.decision and rejected.decision.approval) == ("ann", "rejected")
    assert second.until == back.at == datetime(2026, 1, 4, 1, tzinfo=UTC)
    assert second.approved_by == "ann"
    assert second.decision is not None
    assert second.decision.gain == pytest.approx(0.1)
    assert (second.decision.gain_low, second.decision.min_gain) == (0.05, 0.01)
    assert first.decision is not None
    assert (first.decision.gain, first.decision.champion_score) == (None, None)
    assert [one.version for one in decisions(NAME)] == [3, 2, 1]
    assert events("nobody") == []


def test_a_period_without_a_live_version_did_not_go_live(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    removed = Period(None, moment, None, 1, "unknown", None, None, "by hand", "moved in MLflow", None, None)
    monkeypatch.setattr(model_history, "recorded_history", lambda name: [removed])
    monkeypatch.setattr(model_history, "fetch", lambda *_: [])
    assert [(one.went_live, one.is_live, one.version) for one in events("x")] == [(False, False, None)]
